public import KernelHeap

/// `/proc/<pid>/maps`: a line for each area.
///
/// Follows `show_map_vma()`, `fs/proc/task_mmu.c`, 6.1. Files in memory are on device 00:01.
public enum ProcessMaps {
    /// The text for a process.
    ///
    /// - Parameters:
    ///   - process: with all its areas.
    ///   - wordBytes: bytes of a pointer, which decide where names stand.
    /// - Returns: the file.
    public static func text(_ process: ProcessView, wordBytes: UInt64) -> String {
        process.areas.reduce(into: "") { $0 += line($1, wordBytes: wordBytes) }
    }

    static func line(_ area: ProcessView.Area, wordBytes: UInt64) -> String {
        var line = hex(area.start.rawValue) + "-" + hex(area.end.rawValue) + " "
        line += area.rights.letters + (area.isShared ? "s " : "p ") + hex(area.offset)
        line += area.inode == 0 ? " 00:00 0 " : " 00:01 \(area.inode) "
        guard !area.name.isEmpty else { return line + "\n" }
        let column = 25 + Int(wordBytes) * 6 - 1
        line += String(repeating: " ", count: max(column - line.utf8.count, 0)) + " "
        return line + escaped(area.name) + "\n"
    }

    /// At least eight digits.
    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(8 - digits.utf8.count, 0)) + digits
    }

    /// A path with what would end the line in octal: `mangle_path()`.
    private static func escaped(_ path: String) -> String {
        path.unicodeScalars.reduce(into: "") { text, scalar in
            if scalar == "\n" { text += "\\012" } else { text.unicodeScalars.append(scalar) }
        }
    }
}
