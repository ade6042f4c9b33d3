public import KernelHeap

/// `/proc/<pid>/smaps`: for each area its line of `maps`, and what it has of memory.
///
/// Follows `show_smap()`, `fs/proc/task_mmu.c`, 6.1.
public enum ProcessSmaps {
    /// The text for a process.
    ///
    /// - Parameters:
    ///   - process: with all its areas.
    ///   - usages: of its areas, in their order.
    ///   - wordBytes: bytes of a pointer.
    /// - Returns: the file.
    public static func text(
        _ process: ProcessView,
        _ usages: [AreaUsage],
        wordBytes: UInt64
    ) -> String {
        var text = ""
        for (area, usage) in zip(process.areas, usages) {
            text += ProcessMaps.line(area, wordBytes: wordBytes)
            append(area, usage, to: &text)
            text += "THPeligible:    0\nVmFlags: " + flags(area) + "\n"
        }
        return text
    }

    private static func append(
        _ area: ProcessView.Area,
        _ usage: AreaUsage,
        to text: inout String
    ) {
        let locked = area.flags.contains(.locked) ? usage.proportional : 0
        let lines: [(String, UInt64)] = [
            ("Size", area.end.rawValue &- area.start.rawValue), ("KernelPageSize", 4096),
            ("MMUPageSize", 4096), ("Rss", usage.resident), ("Pss", usage.proportional >> 12),
            ("Pss_Dirty", usage.proportionalDirty >> 12), ("Shared_Clean", usage.sharedClean),
            ("Shared_Dirty", usage.sharedDirty), ("Private_Clean", usage.privateClean),
            ("Private_Dirty", usage.privateDirty), ("Referenced", usage.referenced),
            ("Anonymous", usage.anonymous), ("LazyFree", usage.lazyFree), ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0), ("FilePmdMapped", 0), ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0), ("Swap", usage.swapped),
            ("SwapPss", usage.proportionalSwapped >> 12), ("Locked", locked >> 12),
        ]
        for (name, bytes) in lines {
            // Names stand in a column of 16; the longest one takes a place from its number.
            let label = name + ":"
            let width = max(16, label.utf8.count + 1)
            text.append(label, left: width)
            text.append(bytes >> 10, right: 24 - width)
            text += " kB\n"
        }
    }

    /// The two letters of each `VM_*` bit, lowest bit first: `show_smap_vma_flags()`.
    private static func flags(_ area: ProcessView.Area) -> String {
        let names: [(Bool, String)] = [
            (area.rights.contains(.read), "rd"), (area.rights.contains(.write), "wr"),
            (area.rights.contains(.execute), "ex"), (area.isShared, "sh"), (true, "mr"),
            (true, "mw"), (true, "me"), (area.isShared, "ms"),
            (area.flags.contains(.growsDown), "gd"), (area.flags.contains(.locked), "lo"),
            (area.flags.contains(.sequential), "sr"), (area.flags.contains(.random), "rr"),
            (area.flags.contains(.notCopied), "dc"), (area.flags.contains(.accounted), "ac"),
            (area.flags.contains(.notReserved), "nr"),
            (area.flags.contains(.wipedOnFork), "wf"), (area.flags.contains(.notDumped), "dd"),
            (area.flags.contains(.hugePages), "hg"), (area.flags.contains(.noHugePages), "nh"),
            (area.flags.contains(.mergeable), "mg"),
        ]
        return names.reduce(into: "") { text, name in if name.0 { text += name.1 + " " } }
    }
}
