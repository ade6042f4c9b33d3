import Foundation
import Testing

@Suite("HTTP: leaks")
struct LeakRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"memory":"256M"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func kmalloc(_ size: Int, _ name: String = "kzalloc") throws -> String {
        try call(name, "size=\(size)&flags=GFP_KERNEL")["return"].text
    }

    private func store(_ pointer: String, at address: String) throws {
        let number = try #require(UInt64(pointer.dropFirst(2), radix: 16))
        let hex = (0..<8).map { place in
            let digits = String(number >> UInt64(place * 8) & 0xff, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        let body = #"{"address":"\#(address)","data":{"hex":"\#(hex.joined())"}}"#
        _ = try call("kernel_write", body)
    }

    /// Scans twice: what was written since the last scan counts as used once.
    private func leaks(after minimumAge: Int = 0) throws -> [String] {
        for _ in 0..<2 { _ = try call("kmemleak_scan", "min_age=\(minimumAge)") }
        return try service.send("GET", session + "/leaks").json["leaks"].elements
            .map { $0["address"].text }
    }

    /// Keeps a pointer where a driver would: in a variable.
    private func keep(_ address: String) throws {
        _ = try call("device_register", "name=keeper")
        _ = try call(
            "devm_add_action",
            #"{"dev":"keeper","action":"end","data":"\#(address)"}"#
        )
    }

    @Test func `an object without a pointer to it is a leak, one that is kept is none`() throws {
        let lost = try kmalloc(64)
        let kept = try kmalloc(64)
        let inner = try kmalloc(128)
        let deep = try kmalloc(200)
        try keep(kept)
        // Into the object counts as well as to its beginning.
        let middle = try #require(UInt64(inner.dropFirst(2), radix: 16)) + 40
        try store("0x" + String(middle, radix: 16), at: kept)
        try store(deep, at: inner)

        #expect(try leaks() == [lost])
    }

    @Test func `a ring of objects that point to each other is a leak as a whole`() throws {
        let first = try kmalloc(64)
        let second = try kmalloc(64)
        try store(second, at: first)
        try store(first, at: second)

        #expect(try Set(leaks()) == [first, second])
    }

    @Test func `a pointer in pages of alloc_pages does not count`() throws {
        let page = try call("get_zeroed_page", "gfp_mask=GFP_KERNEL")["return"].text
        let object = try kmalloc(64)
        try keep(page)
        try store(object, at: page)

        #expect(try leaks() == [object])
    }

    @Test func `large blocks and vmalloc areas are objects too`() throws {
        let large = try kmalloc(20_000)
        let area = try call("vzalloc", "size=8192")["return"].text
        let held = try call("vzalloc", "size=8192")["return"].text
        let inside = try kmalloc(32)
        try keep(held)
        try store(inside, at: held)

        #expect(try leaks() == [large, area])
        _ = try call("kfree", "objp=\(large)")
        _ = try call("vfree", "addr=\(area)")
        #expect(try leaks() == [])
    }

    @Test func `an object is not reported before five seconds, nor while it changes`() throws {
        let object = try kmalloc(64)
        let young = try call("kmemleak_scan", "")
        _ = try call("msleep", "msecs=6000")
        try store("0x1234", at: object)
        let changed = try call("kmemleak_scan", "")
        let due = try call("kmemleak_scan", "")
        let again = try call("kmemleak_scan", "")
        let shown = try service.send("GET", session + "/leaks").json["leaks"].elements.first

        #expect(young["detail"]["too_young"] == .number(1))
        #expect(changed["return"] == .number(0) && changed["detail"]["changed"] == .number(1))
        #expect(due["return"] == .number(1) && again["return"] == .number(0))
        #expect(
            due["log"].elements.map(\.text) == [
                "kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"
            ]
        )
        #expect(shown?["function"].text == "kzalloc" && shown?["call"] == .number(1))
        #expect(shown?["cache"].text == "kmalloc-64")
    }

    @Test func `what clients say of objects decides`() throws {
        let fine = try kmalloc(64)
        let behind = try kmalloc(64)
        try store(behind, at: fine)
        _ = try call("kmemleak_not_leak", "ptr=\(fine)")
        let ignored = try kmalloc(64)
        let lost = try kmalloc(64)
        try store(lost, at: ignored)
        _ = try call("kmemleak_ignore", "ptr=\(ignored)")
        let closed = try kmalloc(64)
        let hidden = try kmalloc(64)
        try store(hidden, at: closed)
        _ = try call("kmemleak_not_leak", "ptr=\(closed)")
        _ = try call("kmemleak_no_scan", "ptr=\(closed)")
        let unknown = try call("kmemleak_ignore", "ptr=0x1000")

        #expect(try Set(leaks()) == [lost, hidden])
        #expect(
            unknown["log"].elements.map(\.text)
                == ["kmemleak: Trying to color unknown object at 0x00001000 as Black"]
        )
        let cleared = try call("kmemleak_clear", "")
        #expect(cleared["detail"]["cleared"] == .number(2))
        #expect(try leaks() == [])
    }

    @Test func `the guard page behind an area is not the area's`() throws {
        let area = try call("vmalloc", "size=4096")["return"].text
        let guardPage = try #require(UInt64(area.dropFirst(2), radix: 16)) + 4_112
        let place = "0x" + String(guardPage, radix: 16)
        let body = #"{"ptr":"\#(place)","size":18446744073709551615,"gfp":"GFP_KERNEL"}"#
        let answer = try call("kmemleak_scan_area", body)
        let kept = try kmalloc(64)
        try keep(kept)
        try store(place, at: kept)

        #expect(
            answer["log"].elements.map(\.text)
                == ["kmemleak: Adding scan area to unknown object at \(place)"]
        )
        #expect(try leaks() == [area])
    }

    @Test func `a leak that was reported is not new when its pointer is lost again`() throws {
        let lost = try kmalloc(64)
        #expect(try leaks() == [lost])
        let keeper = try kmalloc(64)
        try keep(keeper)
        try store(lost, at: keeper)
        #expect(try leaks() == [])
        try store("0x0", at: keeper)

        let scan = try call("kmemleak_scan", "min_age=0")

        #expect(scan["return"] == .number(0))
        #expect(scan["detail"]["suspects"] == .number(1))
        #expect(try leaks() == [lost])
    }

    @Test func `only the parts that were named are looked through`() throws {
        let kept = try kmalloc(64)
        let first = try kmalloc(32)
        let second = try kmalloc(32)
        try keep(kept)
        try store(first, at: kept)
        let offset = try #require(UInt64(kept.dropFirst(2), radix: 16)) + 32
        try store(second, at: "0x" + String(offset, radix: 16))
        _ = try call(
            "kmemleak_scan_area",
            #"{"ptr":"\#(kept)","size":8,"gfp":"GFP_KERNEL"}"#
        )

        #expect(try leaks() == [second])
    }

    @Test func `the file has the kernel's layout`() throws {
        let object = try kmalloc(20)
        try store("0x6c6f6f70", at: object)
        _ = try leaks()
        let text = try service.send("GET", session + "/sys/kernel/debug/kmemleak").text
        let lines = text.split(separator: "\n").map(String.init)

        let start = try #require(lines.firstIndex { $0.hasPrefix("unreferenced object") })
        #expect(lines[start] == "unreferenced object \(object) (size 32):")
        #expect(lines[start + 1].hasPrefix("  comm \"init\", pid 1, jiffies 4294892296 (age 0.0"))
        #expect(lines[start + 2] == "  hex dump (first 32 bytes):")
        #expect(
            lines[start + 3]
                == "    70 6f 6f 6c 00 00 00 00 00 00 00 00 00 00 00 00  pool............"
        )
        #expect(
            lines[start + 4]
                == "    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................"
        )
        #expect(
            Array(lines[(start + 5)...].prefix(3)) == [
                "  backtrace:", "    [<0000000000000000>] kzalloc",
                "    [<0000000000000000>] call_1",
            ]
        )
    }

    @Test func `a file, a device and its resources are the kernel's own`() throws {
        _ = try call("device_register", "name=sensor")
        let managed = try call(
            "devm_kzalloc",
            #"{"dev":"sensor","size":64,"gfp":"GFP_KERNEL"}"#
        )["return"].text
        let object = try kmalloc(32)
        try store(object, at: managed)
        _ = try call("chrdev_register", #"{"name":"file","methods":{"open":[]}}"#)
        _ = try call("sys_open", "pathname=/dev/file")
        _ = try call(
            "kmem_cache_create",
            #"{"name":"mine","size":40}"#
        )

        #expect(try leaks() == [])
    }
}
