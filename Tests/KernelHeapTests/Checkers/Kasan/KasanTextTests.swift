import Testing

@testable import KernelHeap

/// The reports' text, against the form that `Documentation/dev-tools/kasan.rst` of 6.1 shows.
@Suite("KASAN: text")
struct KasanTextTests {
    //   kmalloc-128   | 115 of 128 may be touched |      → a store of 1 byte at 115
    @Test func `a store behind an object reads as the kernel prints it`() throws {
        let machine = try KasanMachine()
        _ = try machine.kmalloc(128)
        let object = try machine.kmalloc(115)
        let text = { (address: UInt64) in String(address, radix: 16) }

        let outcome = try machine.call("kernel_write", .word(object + 115), .bytes([1]))
        let lines = Array(outcome.log)

        let line = String(repeating: "=", count: 66)
        #expect(lines.first == line)
        #expect(lines.dropLast().last == line)
        #expect(lines.last == "Disabling lock debugging due to kernel taint")
        #expect(lines[1] == "BUG: KASAN: slab-out-of-bounds in kernel_write+0x0/0x0")
        #expect(lines[2] == "Write of size 1 at addr \(text(object + 115)) by task init/1")
        #expect(lines[3] == "")
        #expect(lines[4].hasPrefix("CPU: 0 PID: 1 Comm: init Not tainted 6.1."))
        #expect(
            Array(lines[5..<15]) == [
                "", "Allocated by task 1:", " kmalloc+0x0/0x0", " call_2", "",
                "The buggy address belongs to the object at \(text(object))",
                " which belongs to the cache kmalloc-128 of size 128",
                "The buggy address is located 115 bytes inside of",
                " 128-byte region [\(text(object)), \(text(object + 128)))", "",
            ]
        )
        #expect(lines[15] == "The buggy address belongs to the physical page:")
        #expect(
            lines[16].contains(" refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:")
        )
        let rows = try #require(lines.firstIndex(of: "Memory state around the buggy address:"))
        #expect(lines.count == rows + 9)
        #expect(
            lines[rows + 3]
                == ">\(text(object)): 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03 fc"
        )
        #expect(lines[rows + 4] == String(repeating: " ", count: 19 + 14 * 3) + "^")
        #expect(lines[rows + 1] == " \(text(object - 256)): " + row(0x00))
        #expect(lines[rows + 2] == " \(text(object - 128)): " + row(0xfc))
        #expect(lines[rows + 5] == " \(text(object + 128)): " + row(0xfc))
    }

    @Test func `a freed object's shadow begins with the mark of a known free`() throws {
        let machine = try KasanMachine()
        let object = try machine.kmalloc(128)
        #expect(try machine.kfree(object) == [])

        let lines = try machine.call("kfree", .word(object)).log

        #expect(lines.contains("BUG: KASAN: double-free in kfree+0x0/0x0"))
        #expect(lines.contains("Free of addr \(String(object, radix: 16)) by task init/1"))
        #expect(lines.contains("Freed by task 1:"))
        #expect(lines.contains("The buggy address is located 0 bytes inside of"))
        let freed = ["fa"] + Array(repeating: "fb", count: 15)
        #expect(
            lines.contains(">\(String(object, radix: 16)): " + freed.joined(separator: " "))
        )
    }

    @Test func `an address in front of an object is to its left, behind it to its right`() throws {
        let machine = try KasanMachine()
        let first = try machine.kmalloc(128)
        let second = try machine.kmalloc(128)
        try #require(second == first + 256)

        let behind = try machine.call("kernel_read", .word(first + 130), 4).log
        let nearNext = try machine.call("kernel_read", .word(second - 2), 1).log

        #expect(behind.contains("The buggy address is located 2 bytes to the right of"))
        #expect(nearNext.contains("The buggy address is located 126 bytes to the right of"))
    }

    @Test func `a null pointer has no memory state`() throws {
        let machine = try KasanMachine()

        let lines = try machine.call("kernel_read", 8, 8).log

        #expect(lines.contains("BUG: KASAN: null-ptr-deref in kernel_read+0x0/0x0"))
        #expect(lines.contains("Read of size 8 at addr 0000000000000008 by task init/1"))
        #expect(!lines.contains("Memory state around the buggy address:"))
        #expect(lines.contains("BUG: kernel NULL pointer dereference, address: 0000000000000008"))
    }

    private func row(_ byte: UInt8) -> String {
        Array(repeating: byte == 0 ? "00" : String(byte, radix: 16), count: 16)
            .joined(separator: " ")
    }
}
