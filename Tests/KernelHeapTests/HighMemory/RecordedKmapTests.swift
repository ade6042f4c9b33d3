import TestSupport
import Testing

@testable import KernelHeap

/// Every row of the recordings `i386/*/kmap`: slots, counts, the round through the window, the full
/// window, and short maps.
@Suite("High memory: recorded maps")
struct RecordedKmapTests {
    typealias Row = [String: I386Recording.Value]

    static let recorded = I386Machine.all + [I386Machine("686-1G-amd")]

    @Test("every row is repeated", arguments: recorded)
    func rows(machine: I386Machine) throws {
        let rows = try I386Recording.rows("\(machine.folder)/kmap")
        let replay = try KmapReplay(machine, rows)
        // On recorded machines with high memory a page had been mapped before, and given back.
        if let start = rows.first(where: { $0["census"]?.text == "start" }),
            start["last_pkmap_nr"]?.number == 1
        {
            #expect(try replay.map(replay.earlier) == replay.address(slot: 1))
            try replay.unmap(replay.earlier)
        }
        var compared = 0
        for (index, row) in rows.enumerated() {
            if let label = row["census"]?.text {
                // Those of a round are compared with the round's jumps.
                guard label != "just after discontinuity" else { continue }
                if label.hasPrefix("all unmapped") { try replay.unmapAll() }
                #expect(replay.census == KmapReplay.census(row), "\(label)")
            } else if let step = row["step"]?.text, step != "setup", step != "round" {
                if step == "round done" {
                    try round(row, rows[..<index], replay)
                } else {
                    try compare(step, row, machine, replay)
                }
            }
            compared += 1
        }
        #expect(compared >= 24)
        #expect(replay.machine.violations == [])
    }

    private func compare(
        _ step: String,
        _ row: Row,
        _ machine: I386Machine,
        _ replay: KmapReplay
    ) throws {
        switch step {
        case "no highmem on this machine": #expect(!replay.hasHighMemory)
        case "fill": try fill(row, replay)
        case "nest 8 kmap_local": try nest(row, replay)
        case "same page through kmap and kmap_local": try samePage(row, replay)
        case _ where step.hasPrefix("kmap number"): try sleep(row, replay)
        case "kunmap one in the middle": try wake(row, replay)
        case _ where step.hasPrefix("kunmap("): try unmap(row, machine, replay)
        case _ where step.hasPrefix("kmap("): try map(step, row, machine, replay)
        default: try local(step, row, machine, replay)
        }
    }

    /// The page that a step names: `h3`, `low`, `dma`.
    private func page(_ step: String, _ row: Row, _ replay: KmapReplay) throws -> UInt64 {
        let name = step.split { "()".contains($0) }[1]
        if let number = Int(name.dropFirst()), name.first == "h" { return replay.high[number] }
        let address = try #require(row["result"]?.number)
        return (address - replay.layout.pageOffset) >> 12
    }

    private func map(
        _ step: String,
        _ row: Row,
        _ machine: I386Machine,
        _ replay: KmapReplay
    ) throws {
        let pfn = try page(step, row, replay)
        let address = try replay.map(pfn)
        #expect(address == row["result"]?.number, "\(step)")
        #expect(try replay.pageAddress(pfn) == address)
        if let slot = row["pkmap_nr"]?.number { #expect(address == replay.address(slot: slot)) }
        expectEntry(row["pte"], at: address, machine, replay)
        let back = try replay.machine.call("kmap_to_page", .word(address)).word
        #expect(back == replay.layout.descriptor(pfn))
        #expect(try replay.machine.number("virt_addr_valid", address) == 1)
    }

    private func unmap(_ row: Row, _ machine: I386Machine, _ replay: KmapReplay) throws {
        let address = try #require(row["page_address"]?.number)
        try replay.unmap(replay.high[1])
        #expect(try replay.pageAddress(replay.high[1]) == address)
        expectEntry(row["pte"], at: address, machine, replay)
    }

    private func expectEntry(
        _ recorded: I386Recording.Value?,
        at address: UInt64,
        _ machine: I386Machine,
        _ replay: KmapReplay
    ) {
        guard let recorded = recorded?.number, address >= 0xf800_0000 else { return }
        // With PAE the kernel's pages are global only on processors that need no separate tables.
        let mask: UInt64 = machine.folder == "pae-4G" ? ~0x100 : .max
        #expect(replay.entry(address) == recorded & mask)
    }

    private func round(_ done: Row, _ before: ArraySlice<Row>, _ replay: KmapReplay) throws {
        var jumps: [KmapReplay.Jump] = []
        var earlier: UInt64?
        for (row, census) in zip(before, before.dropFirst()) where row["step"]?.text == "round" {
            if row["next_nr"]?.number == 1 { earlier = row["i"]?.number }
            jumps.append(
                KmapReplay.Jump(
                    index: try #require(row["i"]?.number),
                    previous: try #require(row["prev"]?.number),
                    next: try #require(row["next"]?.number),
                    census: KmapReplay.census(census).compactMap(\.self)
                )
            )
        }
        let count = try #require(done["count"]?.number)
        let found = try replay.runRound(count, earlierAt: earlier)
        #expect(found.jumps == jumps)
        #expect(found.first == done["first"]?.number)
        #expect(found.last == done["last"]?.number)
    }

    private func fill(_ row: Row, _ replay: KmapReplay) throws {
        let room = try #require(row["room"]?.number)
        // The allocator gives back first what was freed last.
        let addresses = try replay.round.reversed().prefix(Int(room)).map { try replay.map($0) }
        #expect(UInt64(Set(addresses).count) == row["mapped"]?.number)
        #expect(addresses.first == row["first"]?.number)
        #expect(addresses.last == row["last"]?.number)
        #expect(addresses.min() == row["lowest"]?.number)
        #expect(addresses.max() == row["highest"]?.number)
    }

    private func sleep(_ row: Row, _ replay: KmapReplay) throws {
        let pfn = replay.high[7]
        let address = try replay.map(pfn)
        #expect(address == 0)
        #expect(row["thread_state"]?.number == 1 && row["task_state"]?.number == 2)
        #expect(replay.machine.kernel.highMemory.pkmap.sleepers.map(\.frame) == [UInt32(pfn)])
    }

    private func wake(_ row: Row, _ replay: KmapReplay) throws {
        let freed = try #require(row["freed"]?.number)
        let table = replay.machine.kernel.highMemory.pkmap
        let number = Int((freed - table.base) >> 12)
        let slot = table.slots[number]
        let outcome = try replay.unmap(UInt64(slot.frame))
        guard case .list(let woken)? = outcome.fact("woken"), case .facts(let facts)? = woken.first
        else {
            Issue.record("nobody was woken")
            return
        }
        #expect(facts.first { $0.name == "return" }?.value == .address(freed))
        #expect(row["thread_got"]?.number == freed)
        #expect(try replay.pageAddress(replay.high[7]) == freed)
    }

    private func nest(_ row: Row, _ replay: KmapReplay) throws {
        let addresses = try replay.high.map { try replay.mapLocal("kmap_local_page", $0).word }
        #expect(addresses.first == row["first"]?.number)
        #expect(addresses.last == row["last"]?.number)
        #expect(replay.localCount == row["ctrl_idx"]?.number)
        try replay.unmapAllLocal()
    }

    private func samePage(_ row: Row, _ replay: KmapReplay) throws {
        let mapped = try replay.map(replay.high[0])
        let local = try replay.mapLocal("kmap_local_page", replay.high[0]).word
        #expect(mapped == row["kmap"]?.number)
        #expect(local == row["local"]?.number)
        let text = try #require(row["reads"]?.text)
        try replay.machine.call("kernel_write", .word(mapped), .bytes(Array(text.utf8)))
        let read = try replay.machine.read(local, UInt64(text.utf8.count))
        #expect(read == Array(text.utf8))
    }

    private func local(
        _ step: String,
        _ row: Row,
        _ machine: I386Machine,
        _ replay: KmapReplay
    ) throws {
        if step == "kunmap_local third" {
            try replay.unmapLocal()
            if replay.hasHighMemory {
                #expect(replay.entry(0xfffb_9000) == row["pte_of_slot"]?.number)
            }
        } else if step == "all kmap_local undone" {
            try replay.unmapAllLocal()
        } else {
            let name = step.hasPrefix("kmap_atomic") ? "kmap_atomic" : "kmap_local_page"
            // The recorder undid its local maps before it began with atomic ones.
            if step == "kmap_atomic(h0)" { try replay.unmapAllLocal() }
            let pfn = try page(step, row, replay)
            let outcome = try replay.mapLocal(name, pfn)
            #expect(outcome.word == row["result"]?.number, "\(step)")
            expectEntry(row["pte"], at: outcome.word, machine, replay)
            if let begin = row["fix_index_from_begin"]?.number {
                #expect((0xfffb_b000 - outcome.word) >> 12 == begin, "\(step)")
            }
            if let delta = row["preempt_delta"]?.number {
                #expect(outcome.fact("preempt_disabled") == .number(Int64(delta)), "\(step)")
                let faults = row["pagefault_disabled_delta"]?.number
                #expect(outcome.fact("pagefault_disabled") == .number(Int64(faults ?? 9)))
            }
            if step.hasPrefix("kmap_atomic(low)") { try replay.unmapAllLocal() }
        }
        if let held = row["ctrl_idx"]?.number { #expect(replay.localCount == held, "\(step)") }
    }
}

extension KmapReplay {
    func address(slot: UInt64) -> UInt64 {
        machine.kernel.highMemory.pkmap.address(of: Int(slot))
    }

    /// Maps that the thread holds: `kmap_ctrl.idx`.
    var localCount: UInt64 {
        UInt64(machine.kernel.highMemory.thread(0, 1)?.frames.count ?? 0)
    }
}
