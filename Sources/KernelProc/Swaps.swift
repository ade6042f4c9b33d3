public import KernelHeap

/// `/proc/swaps`: `swap_show()`, `mm/swapfile.c`, 6.1.
public enum Swaps {
    /// Sizes of fewer digits are followed by a further tab.
    private static let shortBytes: UInt64 = 10_000_000

    /// The whole text; areas in the order in which they were added.
    public static func text(_ areas: [SwapAreaView]) -> String {
        var text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        for area in areas {
            let path = escaped(area.path)
            let gap = path.utf8.count < 40 ? 40 - path.utf8.count : 1
            text += path + String(repeating: " ", count: gap)
            text += path.hasPrefix("/dev/") ? "partition\t" : "file\t\t"
            for pages in [area.pages, area.usedPages] {
                let kilobytes = pages &* 4
                text += "\(kilobytes)\t" + (kilobytes < shortBytes ? "\t" : "")
            }
            text += "\(area.priority)\n"
        }
        return text
    }

    /// A path as `seq_file_path()` shows it: white space and backslashes in octal.
    private static func escaped(_ path: String) -> String {
        path.unicodeScalars.reduce(into: "") { text, scalar in
            let isSpecial = scalar.value < 0x80 && " \t\n\\".unicodeScalars.contains(scalar)
            guard isSpecial else { return text.unicodeScalars.append(scalar) }
            let digits = String(scalar.value, radix: 8)
            text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
}
