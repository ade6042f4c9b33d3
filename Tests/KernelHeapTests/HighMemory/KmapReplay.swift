import TestSupport
import Testing

@testable import KernelHeap

/// A machine on which the recorder's calls on high memory are repeated row by row.
///
/// Pages need not be the recorder's own but where a row says which; any page can be mapped.
final class KmapReplay {
    let machine: CallMachine
    let layout: AddressLayout
    /// The recorder's pages by their number.
    private(set) var high: [UInt64] = []
    /// The page that an earlier part of the recording had mapped.
    private(set) var earlier: UInt64 = 0
    /// What is mapped at the moment, a page as often as it is.
    private var held: [UInt64] = []
    /// Short maps, and the call that undoes each.
    private var locals: [(address: UInt64, undo: String)] = []
    private(set) var round: [UInt64] = []

    init(_ machine: I386Machine, _ rows: [[String: I386Recording.Value]]) throws {
        self.machine = try CallMachine(machine.description)
        layout = self.machine.kernel.layout
        for row in rows where row["high"] != nil {
            high.append(try #require(row["pfn"]?.number))
            if row["page_address"]?.number != 0 { earlier = high[high.count - 1] }
        }
        if earlier == 0 { earlier = layout.descriptorEndPFN - 40 }
    }

    func descriptor(_ pfn: UInt64) -> CallMachine.Argument { .word(layout.descriptor(pfn)) }

    func map(_ pfn: UInt64) throws -> UInt64 {
        held.append(pfn)
        return try machine.call("kmap", descriptor(pfn)).word
    }

    @discardableResult
    func unmap(_ pfn: UInt64) throws -> CallOutcome {
        held.lastIndex(of: pfn).map { _ = held.remove(at: $0) }
        return try machine.call("kunmap", descriptor(pfn))
    }

    func unmapAll() throws {
        for pfn in held { try machine.call("kunmap", descriptor(pfn)) }
        held = []
    }

    func pageAddress(_ pfn: UInt64) throws -> UInt64 {
        try machine.call("page_address", descriptor(pfn)).word
    }

    func mapLocal(_ name: String, _ pfn: UInt64) throws -> CallOutcome {
        let outcome = try machine.call(name, descriptor(pfn))
        locals.append((outcome.word, name == "kmap_atomic" ? "kunmap_atomic" : "kunmap_local"))
        return outcome
    }

    /// Undoes the newest short map.
    func unmapLocal() throws {
        let newest = locals.popLast() ?? (0, "kunmap_local")
        try machine.call(newest.undo, .word(newest.address))
    }

    func unmapAllLocal() throws { while !locals.isEmpty { try unmapLocal() } }

    /// The low half of the entry that the tables have for an address.
    func entry(_ address: UInt64) -> UInt64 {
        let boot = machine.kernel.bootTables()
        return machine.kernel.walk(address, root: boot.root, boot).last.entry.rawValue & 0xffff_ffff
    }

    var hasHighMemory: Bool { machine.kernel.pages.hasHighZone }

    /// How many slots have count 0, 1 and more.
    var census: [UInt64] {
        let table = machine.kernel.highMemory.pkmap
        let counts = table.slots.map(\.count)
        let untouched = table.slots.isEmpty ? table.slotCount : 0
        return [
            UInt64(counts.count { $0 == 0 } + untouched), UInt64(counts.count { $0 == 1 }),
            UInt64(counts.count { $0 > 1 }), UInt64(table.last),
        ]
    }

    static func census(_ row: [String: I386Recording.Value]) -> [UInt64?] {
        ["never_or_flushed_0", "unmapped_not_flushed_1", "in_use", "last_pkmap_nr"].map {
            row[$0]?.number
        }
    }

    /// A place of a round at which a slot was not the next one.
    struct Jump: Equatable {
        var index: UInt64
        var previous: UInt64
        var next: UInt64
        var census: [UInt64]
    }

    /// Maps and unmaps pages one after another.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - index: which of them is the page that was mapped earlier.
    /// - Returns: the jumps, and the first and the last address.
    /// - Throws: what a call throws that the registry lacks.
    func runRound(
        _ count: UInt64,
        earlierAt index: UInt64?
    ) throws -> (jumps: [Jump], first: UInt64, last: UInt64) {
        let start = layout.directMapEndPFN + 16
        let fresh = (start...).prefix(Int(count) + 16).filter {
            !high.contains($0) && $0 != earlier
        }
        round = fresh.prefix(Int(count)).map(\.self)
        if let index { round[Int(index)] = earlier }
        var jumps: [Jump] = []
        var first: UInt64 = 0
        var previous: UInt64 = 0
        for (number, pfn) in round.enumerated() {
            let address = try map(pfn)
            if number == 0 {
                first = address
            } else if address != previous + 4_096 {
                jumps.append(
                    Jump(
                        index: UInt64(number),
                        previous: previous,
                        next: address,
                        census: census
                    )
                )
            }
            previous = address
            try unmap(pfn)
        }
        return (jumps, first, previous)
    }
}
