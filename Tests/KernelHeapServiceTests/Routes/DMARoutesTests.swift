import Foundation
import Testing

@Suite("HTTP: memory for a device's transfers")
struct DMARoutesTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    /// A machine with a device of a name.
    private final class Machine {
        let service: ServiceFixture
        let session: String

        init(_ service: ServiceFixture, _ machine: String) throws {
            self.service = service
            session = try service.boot(#"{"machine":\#(machine)}"#)
            _ = try call("device_register", "name=nic")
        }

        func call(_ name: String, _ body: String) throws -> JSON {
            try service.send("POST", session + "/calls/" + name, body).json
        }

        /// A page of the highest zone that a kernel page comes from.
        func page() throws -> String {
            try call("__get_free_pages", "gfp_mask=GFP_KERNEL&order=0")["return"].text
        }

        func map(_ address: String, _ size: Int, _ direction: String) throws -> JSON {
            try call(
                "dma_map_single",
                "dev=nic&ptr=\(address)&size=\(size)&direction=\(direction)"
            )
        }

        func write(_ address: String, _ hex: String) throws {
            _ = try call(
                "kernel_write",
                #"{"address":"\#(address)","data":{"hex":"\#(hex)"}}"#
            )
        }

        func read(_ address: String, _ length: Int) throws -> String {
            let answer = try call("kernel_read", #"{"address":"\#(address)","length":\#(length)}"#)
            return answer["detail"]["data"].text
        }

        /// Where the processor sees what a device address names.
        func virtual(_ address: String) throws -> String {
            try call("phys_to_virt", #"{"address":"\#(address)"}"#)["return"].text
        }
    }

    private func small() throws -> Machine { try Machine(service, #"{"memory":"512M"}"#) }
    private func large() throws -> Machine { try Machine(service, #"{"memory":"6G"}"#) }

    private func number(_ text: String) throws -> UInt64 {
        try #require(UInt64(text.dropFirst(2), radix: 16))
    }

    private func warnings(_ answer: JSON) -> [String] {
        answer["detail"]["warnings"].elements.map { $0["text"].text }
    }

    @Test func `coherent memory comes from the zone that the mask reaches`() throws {
        let machine = try large()
        var zones: [String] = []
        for mask in ["0xffffffffffffffff", "0xffffffff", "0xffffff"] {
            let set = try machine.call("dma_set_mask_and_coherent", "dev=nic&mask=\(mask)")
            let got = try machine.call("dma_alloc_coherent", "dev=nic&size=5000&gfp=GFP_KERNEL")
            #expect(set["return"] == .number(0))
            #expect(try number(got["detail"]["dma_handle"].text) + 8_191 <= number(mask))
            zones.append(got["detail"]["zone"].text)
        }
        let narrow = try machine.call("dma_set_mask", "dev=nic&mask=0xffff")

        #expect(zones == ["Normal", "DMA32", "DMA"])
        #expect(narrow["errno"].text == "EIO")
    }

    @Test func `a mask between the zones is tried from above`() throws {
        let machine = try small()
        _ = try machine.call("dma_set_coherent_mask", "dev=nic&mask=0x1ffffff")
        let got = try machine.call("dma_alloc_coherent", "dev=nic&size=4096&gfp=GFP_KERNEL")

        // DMA32 is tried, gives a page above 32 MiB, and DMA serves in the end.
        #expect(got["detail"]["zone"].text == "DMA")
    }

    @Test func `coherent memory is cleared, its handle is stored, and all of it goes back`() throws
    {
        let machine = try small()
        let place = try machine.call("kzalloc", "size=8&flags=GFP_KERNEL")["return"].text
        let got = try machine.call(
            "dma_alloc_coherent",
            "dev=nic&size=4096&dma_handle=\(place)&gfp=GFP_KERNEL"
        )
        let address = got["return"].text
        let handle = got["detail"]["dma_handle"].text
        let stored = try machine.read(place, 8)
        let bytes = try machine.read(address, 16)
        let freed = try machine.call(
            "dma_free_coherent",
            "dev=nic&size=4096&cpu_addr=\(address)&dma_handle=\(handle)"
        )
        let again = try machine.call(
            "dma_free_coherent",
            "dev=nic&size=4096&cpu_addr=\(address)&dma_handle=\(handle)"
        )

        let littleEndian = try number(handle).byteSwapped
        #expect(
            stored == String(repeating: "0", count: 16 - String(littleEndian, radix: 16).count)
                + String(littleEndian, radix: 16)
        )
        #expect(bytes == String(repeating: "0", count: 32))
        #expect(warnings(freed) == [])
        #expect(
            warnings(again) == [
                "DMA-API: platform nic: device driver tries to free DMA memory it has not "
                    + "allocated [device address=0x\(padded(handle))] [size=4096 bytes]"
            ]
        )
    }

    private func padded(_ address: String) -> String {
        let digits = address.dropFirst(2)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test func `memory within the mask is mapped where it lies`() throws {
        let machine = try small()
        let page = try machine.page()
        let mapped = try machine.map(page, 1_500, "DMA_TO_DEVICE")
        let checked = try machine.call(
            "dma_mapping_error",
            "dev=nic&dma_addr=\(mapped["return"].text)"
        )
        let unmapped = try machine.call(
            "dma_unmap_single",
            "dev=nic&dma_addr=\(mapped["return"].text)&size=1500&direction=DMA_TO_DEVICE"
        )

        #expect(mapped["detail"]["bounced"] == .boolean(false))
        #expect(try machine.virtual(mapped["return"].text) == page)
        #expect(checked["return"] == .number(0))
        #expect(warnings(unmapped) == [])
    }

    @Test func `memory beyond the mask is copied through the bounce buffer`() throws {
        let machine = try large()
        let page = try machine.page()
        try machine.write(page, "1111111111111111")
        let mapped = try machine.map(page, 8, "DMA_BIDIRECTIONAL")
        let address = mapped["return"].text
        let bounce = try machine.virtual(address)
        let shown = try machine.read(bounce, 8)
        // The device stores, and the processor sees it once it is synchronised.
        try machine.write(bounce, "2222222222222222")
        let before = try machine.read(page, 8)
        let sync = "dev=nic&dma_addr=\(address)&size=8&direction=DMA_BIDIRECTIONAL"
        let synced = try machine.call("dma_sync_single_for_cpu", sync)
        let after = try machine.read(page, 8)
        try machine.write(page, "3333333333333333")
        _ = try machine.call("dma_sync_single_for_device", sync)
        let seen = try machine.read(bounce, 8)
        try machine.write(bounce, "4444444444444444")
        _ = try machine.call("dma_mapping_error", "dev=nic&dma_addr=\(address)")
        let unmapped = try machine.call("dma_unmap_single", sync)
        let last = try machine.read(page, 8)

        #expect(mapped["detail"]["bounced"] == .boolean(true))
        #expect(try number(mapped["detail"]["physical"].text) >= 1 << 32)
        #expect(try number(address) < 1 << 32)
        #expect(shown == "1111111111111111" && before == "1111111111111111")
        #expect(synced["detail"]["copied"] == .number(8) && after == "2222222222222222")
        #expect(seen == "3333333333333333")
        #expect(unmapped["detail"]["copied"] == .number(8) && last == "4444444444444444")
        #expect(warnings(unmapped) == [])
    }

    @Test func `what goes to the device only is not copied back`() throws {
        let machine = try large()
        let page = try machine.page()
        try machine.write(page, "11")
        let address = try machine.map(page, 1, "DMA_TO_DEVICE")["return"].text
        try machine.write(machine.virtual(address), "22")
        let unmapped = try machine.call(
            "dma_unmap_single",
            "dev=nic&dma_addr=\(address)&size=1&direction=DMA_TO_DEVICE"
        )
        let left = try machine.read(page, 1)

        #expect(unmapped["detail"]["copied"] == .number(0))
        #expect(left == "11")
    }

    @Test func `no bounce is larger than a segment, and slots come back`() throws {
        let machine = try large()
        let block = try machine.call("__get_free_pages", "gfp_mask=GFP_KERNEL&order=7")["return"]
            .text
        let most = try machine.map(block, 262_144, "DMA_FROM_DEVICE")
        let over = try machine.map(block, 262_145, "DMA_FROM_DEVICE")
        let first = most["return"].text
        _ = try machine.call(
            "dma_unmap_single",
            "dev=nic&dma_addr=\(first)&size=262144&direction=DMA_FROM_DEVICE"
        )

        #expect(most["detail"]["bounced"] == .boolean(true))
        #expect(over["return"].text == "0xffffffffffffffff")
        #expect(
            over["log"].elements.map(\.text) == [
                "platform nic: swiotlb buffer is full (sz: 262145 bytes), total 32768 (slots), "
                    + "used 128 (slots)"
            ]
        )
    }

    @Test func `a small machine has no bounce buffer`() throws {
        let machine = try small()
        _ = try machine.call("dma_set_mask", "dev=nic&mask=0xffffff")
        let page = try machine.page()
        let mapped = try machine.map(page, 64, "DMA_TO_DEVICE")
        let error = try machine.call(
            "dma_mapping_error",
            "dev=nic&dma_addr=\(mapped["return"].text)"
        )

        #expect(mapped["return"].text == "0xffffffffffffffff")
        let line = mapped["log"].elements.map(\.text).first { $0.contains("overflow") }
        #expect(line?.hasSuffix("+64 overflow (mask ffffff, bus limit 0).") == true)
        #expect(error["errno"].text == "ENOMEM")
    }

    @Test func `memory of vmalloc is refused with the reason`() throws {
        let machine = try small()
        let area = try machine.call("vmalloc", "size=4096")["return"].text
        let mapped = try machine.map(area, 64, "DMA_TO_DEVICE")

        #expect(mapped["return"].text == "0xffffffffffffffff")
        #expect(
            mapped["log"].elements.map(\.text)
                .contains("platform nic: rejecting DMA map of vmalloc memory")
        )
        #expect(mapped["detail"]["refused"].text.contains("vmalloc area"))
    }

    @Test func `wrong sizes, directions and functions are told as DMA-API debug does`() throws {
        let machine = try small()
        let page = try machine.page()
        let address = try machine.map(page, 100, "DMA_TO_DEVICE")["return"].text
        let head = "DMA-API: platform nic: device driver"
        let place = "[device address=0x\(padded(address))]"
        let outside = try machine.call(
            "dma_sync_single_for_device",
            "dev=nic&dma_addr=\(address)&size=101&direction=DMA_TO_DEVICE"
        )
        let wrong = try machine.call(
            "dma_unmap_single",
            "dev=nic&dma_addr=\(address)&size=99&direction=DMA_FROM_DEVICE"
        )
        let second = try machine.map(page, 100, "DMA_TO_DEVICE")["return"].text
        let function = try machine.call(
            "dma_free_coherent",
            "dev=nic&size=100&cpu_addr=\(page)&dma_handle=\(second)"
        )

        #expect(
            warnings(outside) == [
                "\(head) syncs DMA memory outside allocated range \(place) "
                    + "[allocation size=100 bytes] [sync offset+size=101]"
            ]
        )
        #expect(
            warnings(wrong) == [
                "\(head) frees DMA memory with different size \(place) [map size=100 bytes] "
                    + "[unmap size=99 bytes]",
                "\(head) frees DMA memory with different direction \(place) [size=99 bytes] "
                    + "[mapped with DMA_TO_DEVICE] [unmapped with DMA_FROM_DEVICE]",
                "\(head) failed to check map error\(place) [size=99 bytes] [mapped as single]",
            ]
        )
        #expect(
            warnings(function).first
                == "\(head) frees DMA memory with wrong function \(place) [size=100 bytes] "
                + "[mapped as single] [unmapped as coherent]"
        )
    }

    @Test func `a driver that goes with mappings is told of one of them`() throws {
        let machine = try Machine(service, #"{"memory":"512M","boot_options":"dma_debug=on"}"#)
        _ = try machine.call("device_driver_attach", #"{"drv":"nic-drv","dev":"nic"}"#)
        let page = try machine.page()
        let address = try machine.map(page, 64, "DMA_FROM_DEVICE")["return"].text
        let gone = try machine.call("device_release_driver", "dev=nic")
        let devices = try service.send("GET", machine.session + "/devices").json

        let text =
            "DMA-API: platform nic: device driver has pending DMA allocations while released from "
            + "device [count=1]\nOne of leaked entries details: "
            + "[device address=0x\(padded(address))] [size=64 bytes] "
            + "[mapped with DMA_FROM_DEVICE] [mapped as single]"
        #expect(warnings(gone) == [text])
        #expect(
            gone["log"].elements.map(\.text)
                .contains(text.replacingOccurrences(of: "\n", with: " "))
        )
        let mappings = devices["bus_devices"].elements.first?["mappings"].elements
        #expect(mappings?.map { $0["address"].text } == [address])
    }

    @Test func `managed coherent memory goes with the driver`() throws {
        let machine = try small()
        _ = try machine.call("dmam_alloc_coherent", "dev=nic&size=8192&gfp=GFP_KERNEL")
        let kept = try machine.call("dmam_alloc_coherent", "dev=nic&size=4096&gfp=GFP_KERNEL")
        let handle = kept["detail"]["dma_handle"].text
        let early = try machine.call(
            "dmam_free_coherent",
            "dev=nic&size=4096&cpu_addr=\(kept["return"].text)&dma_handle=\(handle)"
        )
        let gone = try machine.call("device_unregister", "dev=nic")

        #expect(early["log"].elements.isEmpty && warnings(early) == [])
        let released = gone["detail"]["released"].elements
        #expect(released.map { $0["kind"].text } == ["coherent_dma"])
        #expect(warnings(gone) == [])
    }
}
