internal import KernelHeap

/// `/sys/kernel/debug/page_owner`, in the layout of `mm/page_owner.c`, 6.1.
enum PageOwnerText {
    static let path = "kernel/debug/page_owner"
    /// Blocks that the file shows at most; `GET …/page_owner` goes through all.
    static let limit = 10_000

    /// The file; nil on a machine that was booted without `page_owner=on`.
    static func text(of kernel: borrowing Kernel) -> String? {
        guard kernel.tracksPageOwners else { return nil }
        let table = kernel.profile.gfp
        var text = ""
        for entry in kernel.pageOwnerEntries(from: 0, limit: limit) {
            for line in lines(entry, table) { text += line + "\n" }
            text += "\n"
        }
        return text
    }

    /// A block: `print_page_owner()`.
    private static func lines(_ entry: PageOwnerEntry, _ table: GFPTable) -> [String] {
        let owner = entry.owner
        let pfn = owner.pfn.rawValue
        let mask = String(table.number(of: owner.flags), radix: 16)
        var lines = [
            "Page allocated via order \(owner.order), mask 0x\(mask)"
                + "(\(table.text(of: owner.flags))), pid \(owner.pid), tgid \(owner.pid) "
                + "(\(owner.command)), ts \(owner.allocation.nanoseconds) ns, "
                + "free_ts \(entry.freedAt) ns",
            "PFN \(pfn) type \(owner.migrateType.name) "
                + "Block \(pfn >> UInt64(entry.pageblockOrder)) type \(owner.blockType.name) "
                + "Flags \(entry.pageFlags)",
        ]
        lines += entry.stack
        if owner.isMigrated {
            lines.append("Page has been migrated, last migrate reason: compaction")
        }
        return lines + entry.charge
    }
}
