import Testing

@testable import KernelHeap

/// What a verdict says of devices that are left.
@Suite("Verdict: devices")
struct DeviceVerdictTests {
    private static let kernelFlags: CallMachine.Argument = 0xcc0

    let machine: CallMachine

    init() throws {
        machine = try CallMachine()
        try machine.call("device_register", "nic")
    }

    private func part(_ name: String, since: UInt64 = 0) throws -> VerdictPart {
        let verdict = machine.kernel.verdict(VerdictScope(since: since), limit: 100)
        return try #require(verdict.parts.first { $0.name == name }, "\(name)")
    }

    @Test func `a device, its driver and its mappings are told with their calls`() throws {
        try machine.call("device_driver_attach", "nic-drv", "nic")
        let buffer = try machine.call("kmalloc", 64, Self.kernelFlags).word
        let handle = try machine.call("dma_map_single", "nic", .word(buffer), 64, 1)
        let left = try part("devices")
        let later = try part("devices", since: 2)
        try machine.call("dma_mapping_error", "nic", .word(handle.word))
        try machine.call("dma_unmap_single", "nic", .word(handle.word), 64, 1)
        try machine.call("device_unregister", "nic")
        let gone = try part("devices")

        #expect(left.items.map(\.kind) == ["device_registered", "driver_bound", "dma_mapped"])
        #expect(left.items.map(\.call) == [1, 2, handle.sequence])
        #expect(
            left.items.map(\.text) == [
                "The device nic is still registered.",
                "The driver nic-drv is still bound to nic.",
                "64 bytes are still mapped for nic by dma_map_single.",
            ]
        )
        #expect(later.items.map(\.kind) == ["dma_mapped"])
        #expect(gone.total == 0)
    }

    @Test func `what goes with a device is no leak while the device is there`() throws {
        try machine.call("devm_kmalloc", "nic", 100, Self.kernelFlags)
        try machine.call("devm_get_free_pages", "nic", Self.kernelFlags, 2)
        try machine.call("devres_open_group", "nic", 7, Self.kernelFlags)
        try machine.call("dmam_alloc_coherent", "nic", 8_192, .absent, Self.kernelFlags)
        let managed = try part("leaks")
        let devices = try part("devices")
        let coherent = try machine.call(
            "dma_alloc_coherent",
            "nic",
            4_096,
            .absent,
            Self.kernelFlags
        )
        let plain = try part("leaks")

        #expect(managed.items == [])
        #expect(devices.items.map(\.kind) == ["device_registered"])
        #expect(plain.items.map(\.kind) == ["pages"])
        let made = "4096 bytes of dma_alloc_coherent, call \(coherent.sequence), are still held."
        #expect(plain.items.map(\.text) == [made])
        #expect(plain.items.first?.facts.first?.value == .address(coherent.word))
        #expect(try part("devices").items.map(\.kind) == ["device_registered", "dma_mapped"])
    }

    @Test func `a device that goes leaves the memory of its callers`() throws {
        let buffer = try machine.call("kmalloc", 64, Self.kernelFlags)
        try machine.call("device_unregister", "nic")
        let leaks = try part("leaks")

        #expect(leaks.items.map(\.call) == [buffer.sequence])
        #expect(
            leaks.items.map(\.text) == [
                "64 bytes of kmalloc from kmalloc-64, call 2, are still held."
            ]
        )
    }
}
