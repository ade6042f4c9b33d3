internal import KernelHeap

/// `/sys/kernel/debug/kmemleak`, in the layout of `mm/kmemleak.c`, 6.1.
enum KmemleakText {
    /// Objects that the file shows at most.
    static let limit = 10_000

    static func text(of kernel: borrowing Kernel) -> String {
        let width = kernel.layout.is32Bit ? 8 : 16
        var text = ""
        for leak in kernel.leakViews(from: 0, limit: limit).found {
            text += entry(leak, width)
        }
        return text
    }

    private static func entry(_ leak: LeakView, _ width: Int) -> String {
        let address = padded(String(leak.address.rawValue, radix: 16), width)
        var lines = [
            "unreferenced object 0x\(address) (size \(leak.size)):",
            "  comm \"\(leak.command)\", pid \(leak.pid), jiffies \(leak.jiffies) "
                + "(age \(leak.age / 1_000).\(padded(String(leak.age % 1_000), 3))s)",
            "  hex dump (first \(leak.bytes.count) bytes):",
        ]
        var place = 0
        while place < leak.bytes.count {
            lines.append("    " + row(leak.bytes[place..<min(place + 16, leak.bytes.count)]))
            place += 16
        }
        lines.append("  backtrace:")
        let none = String(repeating: "0", count: width)
        for name in [leak.function, "call_\(leak.call)"] {
            if let name { lines.append("    [<\(none)>] \(name)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// `hex_dump_to_buffer()`: 16 bytes to a row, and what of them is ASCII.
    private static func row(_ bytes: ArraySlice<UInt8>) -> String {
        let hex = bytes.map { padded(String($0, radix: 16), 2) }.joined(separator: " ")
        let ascii = bytes.map { (32..<127).contains($0) ? Character(Unicode.Scalar($0)) : "." }
        return hex + String(repeating: " ", count: 49 - hex.count) + String(ascii)
    }

    private static func padded(_ digits: String, _ width: Int) -> String {
        String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}
