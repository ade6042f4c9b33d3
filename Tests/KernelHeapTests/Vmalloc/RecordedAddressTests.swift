import TestSupport
import Testing

@testable import KernelHeap

@Suite("vmalloc: recorded addresses")
struct RecordedAddressTests {
    @Test func `every address, area, gap and lazy count is the recorded one`() throws {
        let recording = try VmallocRecording()
        var run = try RecordedRun()

        for (number, step) in recording.steps.enumerated() { try run.replay(step, number) }

        #expect(run.compared > 3_000)
        #expect(run.states == 12)
        #expect(run.differences == [])
        #expect(run.machine.violations == [])
    }
}

/// The recording's calls, made on a machine that starts with the recorded areas.
private struct RecordedRun {
    let machine: CallMachine
    private(set) var differences: [String] = []
    private(set) var compared = 0
    private(set) var states = 0
    /// What each slot holds, and by what it is freed.
    private var slots: [Int: (address: UInt64, function: String)] = [:]
    private var runs: [Int: (address: UInt64, pages: UInt64)] = [:]
    /// Descriptors of pages that are mapped once more.
    private let pages: [UInt64]

    init() throws {
        var description = MachineDescription()
        description.memoryBytes = 1 << 30
        machine = try CallMachine(description)
        let outcome = try machine.call("alloc_pages_bulk_array", 0xcc0, 64)
        guard case .list(let list)? = outcome.fact("page_array") else {
            pages = []
            return
        }
        pages = list.map { if case .address(let address) = $0 { address } else { 0 } }
    }

    mutating func replay(_ step: VmallocRecording.Step, _ number: Int) throws {
        switch step {
        case .state(let name, let lazyPages, let gaps, let busy):
            try compareState(name, lazyPages, gaps, busy)
        case .allocate(let allocation): try allocate(allocation, number)
        case .free(let function, let slot, let lazyPages):
            try free(slot)
            expect("\(number) \(function) \(slot)", machine.kernel.vmalloc.lazyPages, lazyPages)
        case .purge(let lazyPages):
            try machine.call("vm_unmap_aliases")
            expect("\(number) purge", machine.kernel.vmalloc.lazyPages, lazyPages)
        case .mapRAM(let slot, let count, let offset):
            let list = Array(pages.prefix(Int(count)))
            let outcome = try machine.call("vm_map_ram", .words(list), .word(count))
            runs[slot] = (outcome.word, count)
            expect("\(number) vm_map_ram", outcome.word &- VmallocRecording.start, offset)
        case .unmapRAM(let slot, let lazyPages):
            let run = runs[slot] ?? (0, 0)
            try machine.call("vm_unmap_ram", .word(run.address), .word(run.pages))
            expect("\(number) vm_unmap_ram", machine.kernel.vmalloc.lazyPages, lazyPages)
        case .outcome(let function, let size, let result):
            try compareOutcome("\(number) \(function) \(size)", function, size, result)
        }
    }

    private mutating func compareState(
        _ name: String,
        _ lazyPages: UInt64,
        _ gaps: [Range<UInt64>],
        _ busy: [Range<UInt64>]
    ) throws {
        if states == 0 {
            // Forty pages wait at the start, between two ranges of the lists.
            let lazy = VmallocRecording.start + 0x5a_5000..<VmallocRecording.start + 0x5c_d000
            machine.setAreas(busy.map { VmallocArea($0, VmapUse(.alloc)) }, lazy: [lazy])
        }
        if name == "end" { try free(0) }
        states += 1
        compare(name, machine.kernel.vmalloc.gaps.ranges(), gaps)
        // The recording shows what has a `vm_struct`.
        compare(name, machine.kernel.vmalloc.busy.ranges { $0.use.kind == .area }, busy)
        expect(name, machine.kernel.vmalloc.lazyPages, lazyPages)
    }

    private mutating func allocate(
        _ allocation: VmallocRecording.Allocation,
        _ number: Int
    ) throws {
        // What was there before is freed without a line of its own.
        try free(allocation.slot)
        let size = CallMachine.Argument.word(allocation.size)
        let name = allocation.function
        let outcome: CallOutcome
        switch name {
        case "vmap":
            let list = Array(pages.prefix(Int(allocation.size)))
            outcome = try machine.call("vmap", .words(list), size)
            slots[allocation.slot] = (outcome.word, "vunmap")
        case "ioremap":
            let device = 0xfed0_0000 + (allocation.offset & 4095)
            outcome = try machine.call("ioremap", .word(device), size)
            slots[allocation.slot] = (outcome.word, "iounmap")
        default:
            outcome =
                name == "vmalloc_huge"
                ? try machine.call(name, size, 0xcc0) : try machine.call(name, size)
            slots[allocation.slot] = (outcome.word, "vfree")
        }
        let what = "\(number) \(name) \(allocation.slot)"
        expect(what, outcome.word &- VmallocRecording.start, allocation.offset)
        expect(what + " lazy", machine.kernel.vmalloc.lazyPages, allocation.lazyPages)
        let node = machine.area(at: outcome.word)
        expect(what + " size", node.size, allocation.areaSize ?? node.size)
        let isMapping = name == "vmap" || name == "ioremap"
        let count = isMapping ? 0 : UInt64(node.use.pageCount)
        expect(what + " pages", count, allocation.pageCount ?? count)
        let order = UInt64(node.use.pageOrder)
        expect(what + " order", order, allocation.pageOrder ?? order)
        let flags = node.use.flags.rawValue
        expect(what + " flags", UInt64(flags), UInt64(allocation.flags ?? flags))
    }

    private mutating func free(_ slot: Int) throws {
        guard let held = slots.removeValue(forKey: slot) else { return }
        try machine.call(held.function, .word(held.address))
    }

    /// Sizes out of the ordinary: what the function comes to.
    private mutating func compareOutcome(
        _ what: String,
        _ function: String,
        _ size: UInt64,
        _ result: String
    ) throws {
        let isKvmalloc = function == "kvmalloc"
        // `GFP_KERNEL`, with and without `__GFP_NOWARN`.
        let outcome =
            isKvmalloc
            ? try machine.call("kvmalloc", .word(size), 0xcc0)
            : try machine.call("vmalloc", .word(size))
        let found =
            switch outcome.result.detail {
            case .object: "slab"
            case .pages: "pages"
            default:
                outcome.word == 0 ? "NULL" : outcome.word == 16 ? "ZERO_SIZE_PTR" : "vmalloc"
            }
        compared += 1
        if found != result { differences.append("\(what): \(found) instead of \(result)") }
        if isKvmalloc { try machine.call("kvfree", .word(outcome.word)) }
    }

    private mutating func expect(_ what: String, _ found: UInt64, _ recorded: UInt64) {
        compared += 1
        if found != recorded {
            differences.append(
                "\(what): \(String(found, radix: 16)) instead of \(String(recorded, radix: 16))"
            )
        }
    }

    private mutating func compare(
        _ name: String,
        _ found: [Range<UInt64>],
        _ recorded: [Range<UInt64>]
    ) {
        compared += recorded.count
        guard found != recorded else { return }
        let odd = Set(found).symmetricDifference(recorded).sorted { $0.lowerBound < $1.lowerBound }
        let text = odd.prefix(6).map { String($0.lowerBound, radix: 16) }.joined(separator: " ")
        differences.append("\(name): \(odd.count) ranges differ: \(text)")
    }
}
