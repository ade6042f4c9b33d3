extension ExplanationStep {
    /// The step's stable name in JSON.
    public var name: String {
        switch self {
        case .cacheChosen: "cache_chosen"
        case .largeKmalloc: "large_kmalloc"
        case .objectTaken: "object_taken"
        case .requestClassified: "request_classified"
        case .zoneAccepted: "zone_accepted"
        case .zoneRefused: "zone_refused"
        case .slowPath: "slow_path"
        case .perCPUListServed: "per_cpu_list_served"
        case .perCPUListRefilled: "per_cpu_list_refilled"
        case .blockTaken: "block_taken"
        case .blockSplit: "block_split"
        case .fallback: "fallback"
        case .blockFreed: "block_freed"
        case .perCPUListsTrimmed: "per_cpu_lists_trimmed"
        case .userRangeChecked: "user_range_checked"
        case .pageFaulted: "page_faulted"
        case .copyStopped: "copy_stopped"
        case .highAtomicReserved: "high_atomic_reserved"
        case .highAtomicReturned: "high_atomic_returned"
        case .reclaimed: "reclaimed"
        case .compactionSkipped: "compaction_skipped"
        case .compacted: "compacted"
        case .fragmented: "fragmented"
        case .processKilled: "process_killed"
        case .gaveUp: "gave_up"
        case .wouldSucceedIf: "would_succeed_if"
        }
    }

    /// The step's numbers, named as in the kernel where it has a name.
    public var facts: [Fact] {
        switch self {
        case .cacheChosen(let cache, let requested, let objectSize):
            [
                Fact("cache", .text(cache)), .count("requested", requested),
                .count("object_size", objectSize),
            ]
        case .largeKmalloc(let requested, let order):
            [.count("requested", requested), .count("order", order)]
        case .objectTaken(let source, let slab, let index):
            [
                Fact("from", .text(source.rawValue)), .count("slab", slab.rawValue),
                .count("index", index),
            ]
        case .requestClassified(let flags, let zone, let type):
            [
                Fact("flags", .gfp(flags)), Fact("highest_zone", .text(zone.name)),
                Fact("migratetype", .text(type.name)),
            ]
        case .zoneAccepted(let test), .zoneRefused(let test): test.facts
        case .slowPath(let mark): [Fact("mark", .text(mark))]
        case .perCPUListServed(let zone, let list, let pfn, let count):
            [
                Fact("zone", .text(zone.name)), .count("list", list), .count("pfn", pfn.rawValue),
                .count("count", count),
            ]
        case .perCPUListRefilled(let zone, let list, let blocks):
            [Fact("zone", .text(zone.name)), .count("list", list), .count("blocks", blocks)]
        case .blockTaken(let zone, let order, let type, let pfn):
            [
                Fact("zone", .text(zone.name)), .count("order", order),
                Fact("migratetype", .text(type.name)), .count("pfn", pfn.rawValue),
            ]
        case .blockSplit(let pfn, let from, let to):
            [.count("pfn", pfn.rawValue), .count("from_order", from), .count("to_order", to)]
        case .fallback(let from, let to, let order, let pfn, let wholeBlock):
            [
                Fact("from", .text(from.name)), Fact("to", .text(to.name)),
                .count("order", order), .count("pfn", pfn.rawValue),
                Fact("whole_block", .boolean(wholeBlock)),
            ]
        case .blockFreed(let pfn, let order, let mergedOrder, let atTail):
            [
                .count("pfn", pfn.rawValue), .count("order", order),
                .count("merged_order", mergedOrder), Fact("at_tail", .boolean(atTail)),
            ]
        case .perCPUListsTrimmed(let zone, let pages):
            [Fact("zone", .text(zone.name)), .count("pages", pages)]
        case .userRangeChecked(let address, let length, let accepted):
            [
                Fact("address", .address(address.rawValue)), .count("length", length),
                Fact("accepted", .boolean(accepted)),
            ]
        case .pageFaulted(let address, let pfn):
            [Fact("address", .address(address.rawValue)), .count("pfn", pfn.rawValue)]
        case .copyStopped(let fault, let copied):
            [
                Fact("address", .address(fault.address.rawValue)),
                Fact("reason", .text(fault.reason.rawValue)), .count("copied", copied),
            ]
        case .highAtomicReserved(let zone, let pageblock, let reserved),
            .highAtomicReturned(let zone, let pageblock, let reserved):
            [
                Fact("zone", .text(zone.name)), .count("pageblock", pageblock.rawValue),
                .count("reserved", reserved),
            ]
        case .reclaimed(let pages, let priority):
            [.count("pages", pages), .count("priority", priority)]
        case .compactionSkipped(let zone, let order, let reason):
            [Fact("zone", .text(zone.name)), .count("order", order)] + reason.facts
        case .compacted(let summary): summary.facts
        case .fragmented(let report): report.facts
        case .processKilled(let pid, let pages): [.count("pid", pid), .count("pages", pages)]
        case .gaveUp(let reason): [Fact("reason", .text(reason))]
        case .wouldSucceedIf(let alternative): alternative.facts
        }
    }

    /// The step in one sentence.
    public var sentence: String {
        switch self {
        case .cacheChosen(let cache, let requested, let objectSize):
            "\(requested) bytes are served by \(cache), whose objects have \(objectSize) bytes."
        case .largeKmalloc(let requested, let order):
            "\(requested) bytes are more than the largest cache holds: pages of order \(order)."
        case .objectTaken(let source, let slab, let index):
            "Object \(index) of the slab at PFN \(slab.rawValue) came from \(source.phrase)."
        case .requestClassified(_, let zone, let type):
            "The flags allow zones up to \(zone.name) and ask for \(type.name) pages."
        case .zoneAccepted(let test):
            "\(test.zone.name) has \(test.free) pages free, more than \(test.mark) \(test.markPages)"
                + " plus a reserve of \(test.reserve): it may serve order \(test.order)."
        case .zoneRefused(let test):
            test.free <= test.markPages + test.reserve
                ? "\(test.zone.name) has \(test.free) pages free, not more than \(test.mark)"
                    + " \(test.markPages) plus a reserve of \(test.reserve): refused."
                : "\(test.zone.name) has \(test.free) pages free, but no block of order"
                    + " \(test.order) or above: refused."
        case .slowPath(let mark):
            "No zone passed; kswapd is woken and the zones are tried again down to \(mark)."
        case .perCPUListServed(let zone, let list, let pfn, let count):
            "Per-CPU list \(list) of \(zone.name) gave PFN \(pfn.rawValue); \(count) pages remain."
        case .perCPUListRefilled(let zone, let list, let blocks):
            "Per-CPU list \(list) of \(zone.name) was empty and took \(blocks) blocks."
        case .blockTaken(let zone, let order, let type, let pfn):
            "\(zone.name) gave the first \(type.name) block of order \(order), PFN \(pfn.rawValue)."
        case .blockSplit(let pfn, let from, let to):
            "The block at PFN \(pfn.rawValue) was split from order \(from) to order \(to)."
        case .fallback(let from, let to, let order, let pfn, let wholeBlock):
            "No \(to.name) block was left: a \(from.name) block of order \(order) at PFN "
                + "\(pfn.rawValue) was taken\(wholeBlock ? ", with its whole pageblock" : "")."
        case .blockFreed(let pfn, let order, let mergedOrder, let atTail):
            "PFN \(pfn.rawValue) of order \(order) was freed as a block of order \(mergedOrder), "
                + "at the \(atTail ? "tail" : "head") of its list."
        case .perCPUListsTrimmed(let zone, let pages):
            "\(pages) pages went back from the per-CPU lists of \(zone.name)."
        case .userRangeChecked(let address, let length, let accepted):
            "\(length) bytes at \(hexadecimal(address.rawValue)) "
                + (accepted ? "lie in user space." : "do not lie in user space: refused.")
        case .pageFaulted(let address, let pfn):
            "The page at \(hexadecimal(address.rawValue)) was faulted in at PFN \(pfn.rawValue)."
        case .copyStopped(let fault, let copied):
            "The copy stopped after \(copied) bytes at \(hexadecimal(fault.address.rawValue)): "
                + "\(fault.reason.phrase)."
        case .highAtomicReserved(let zone, let pageblock, let reserved):
            "\(zone.name) sets the pageblock at PFN \(pageblock.rawValue) aside for high-order "
                + "atomic requests: \(reserved) pages in all."
        case .highAtomicReturned(let zone, let pageblock, let reserved):
            "\(zone.name) gives the pageblock at PFN \(pageblock.rawValue) back from the "
                + "high-atomic reserve: \(reserved) pages stay there."
        case .reclaimed(let pages, let priority):
            "The caller waits and frees memory itself: \(pages) pages, with the lists looked at "
                + (priority == 0 ? "as a whole." : "down to their 2^\(priority)th part.")
        case .compactionSkipped(let zone, let order, let reason):
            "\(zone.name) is not compacted for order \(order): \(reason.phrase)."
        case .compacted(let summary): summary.sentence
        case .fragmented(let report): report.sentence
        case .processKilled(let pid, let pages):
            "Nothing can be freed: the OOM killer ends process \(pid), which has \(pages) pages."
        case .gaveUp(let reason): reason
        case .wouldSucceedIf(let alternative): alternative.sentence
        }
    }
}

extension WatermarkTest {
    var facts: [Fact] {
        [
            Fact("zone", .text(zone.name)), .count("node", node), .count("order", order),
            Fact("mark", .text(mark)), .count("free", free), .count("mark_pages", markPages),
            .count("lowmem_reserve", reserve),
        ]
    }
}

extension ObjectSource {
    var phrase: String {
        switch self {
        case .cpuFreelist: "the CPU's freelist"
        case .cpuSlab: "the CPU's slab, whose freed objects were taken over"
        case .cpuPartial: "the CPU's partial slabs"
        case .nodePartial: "the node's partial slabs"
        case .newSlab: "a new slab"
        }
    }
}

extension UserFault.Reason {
    var phrase: String {
        switch self {
        case .notMapped: "nothing is mapped there"
        case .readOnly: "the mapping is read-only"
        case .noAccess: "the mapping allows no access"
        case .notExecutable: "the mapping may not be run"
        case .beyondFile: "the file ends before the page"
        case .nonCanonical: "the processor has no such address"
        case .outsideUserSpace: "the range leaves user space"
        case .outOfMemory: "no page could be allocated"
        case .tooLong: "the length is above INT_MAX"
        case .kernelAddress: "the kernel address is not mapped"
        case .faultsDisabled: "the page is not there, and faults are disabled"
        case .usercopyAbort: "hardened usercopy refuses the kernel's buffer"
        case .badPageTable: "a client has made the page tables lead nowhere"
        case .injected: "the copy was made to fail"
        }
    }
}

extension Fact {
    /// A whole number; what does not fit is cut to the largest.
    public static func count(_ name: String, _ value: some BinaryInteger) -> Fact {
        Fact(name, .number(Int64(clamping: value)))
    }
}

/// A number in the form of an address: `0x` and lower-case digits.
func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
