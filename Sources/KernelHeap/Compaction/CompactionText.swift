extension CompactionRefusal {
    var facts: [Fact] {
        switch self {
        case .blockIsThere: [Fact("reason", .text("block_is_free"))]
        case .tooFewFree(let free, let wanted):
            [Fact("reason", .text("too_few_free")), .count("free", free), .count("wanted", wanted)]
        case .notFragmented(let index, let threshold):
            [
                Fact("reason", .text("not_fragmented")), .count("fragmentation_index", index),
                .count("threshold", threshold),
            ]
        case .deferred(let limit):
            [Fact("reason", .text("deferred")), .count("one_in", limit)]
        case .needsIO: [Fact("reason", .text("needs_io"))]
        }
    }

    var phrase: String {
        switch self {
        case .blockIsThere: "a block is free already"
        case .tooFewFree(let free, let wanted):
            "\(free) pages are free, and moving others needs more than \(wanted)"
        case .notFragmented(let index, let threshold):
            "its fragmentation index \(index) is not above \(threshold), so it is short of memory"
        case .deferred(let limit): "it failed of late, and one request in \(limit) tries again"
        case .needsIO: "the request is without __GFP_IO"
        }
    }
}

extension CompactionSummary {
    var facts: [Fact] {
        [
            Fact("zone", .text(zone.name)), .count("node", node), .count("order", order),
            .count("moved", moved), .count("pinned", pinned), .count("unmovable", unmovable),
            .count("migrate_scanned", migrateScanned), .count("free_scanned", freeScanned),
            Fact("result", .text(result.name)),
        ]
    }

    var sentence: String {
        var text = "\(zone.name) was compacted: \(moved) pages moved"
        if pinned > 0 { text += ", \(pinned) stayed because somebody holds them" }
        if unmovable > 0 { text += ", \(unmovable) could not be moved now" }
        return text + ". " + ending
    }

    private var ending: String {
        switch result {
        case .success: "It stopped because a block of order \(order) is free."
        case .complete: "It stopped because the scanners met: nothing else can be moved."
        case .partialSkipped:
            "It stopped because the scanners met; they had begun where the last run ended."
        case .contended: "It stopped because no free page was left to move to."
        case .skipped, .deferred: "It did not begin."
        }
    }
}

extension FragmentationReport {
    var facts: [Fact] {
        [
            Fact("zone", .text(zone.name)), .count("node", node), .count("order", order),
            .count("free_pages", freePages), .count("largest_order", largestOrder),
            .count("fragmentation_index", fragmentationIndex),
            .count("unusable_index", unusableIndex),
            .count("blocks_partly_free", obstacles.total),
            .count("blocks_with_reserved", obstacles.reserved),
            .count("blocks_with_kernel_pages", obstacles.kernel),
            .count("blocks_with_slabs", obstacles.slabs),
            .count("blocks_with_pinned", obstacles.pinned),
            .count("blocks_movable", obstacles.movable),
        ]
    }

    var sentence: String {
        var parts: [String] = []
        let counts = [
            (obstacles.reserved, "reserved pages"), (obstacles.kernel, "pages of the kernel's own"),
            (obstacles.slabs, "slabs"), (obstacles.pinned, "pages that somebody holds"),
            (obstacles.movable, "pages that could be moved"),
        ]
        for (count, what) in counts where count > 0 { parts.append("\(count) by \(what)") }
        let size = largestOrder < 0 ? "" : ", but none in a block above order \(largestOrder)"
        let held = parts.isEmpty ? "" : "; blocks that are partly free are held: "
        return "\(zone.name) has \(freePages) pages free\(size) (fragmentation index "
            + "\(fragmentationIndex), unusable index \(unusableIndex))\(held)"
            + parts.joined(separator: ", ") + "."
    }
}
