import TestSupport
import Testing

@testable import KernelHeap

@Suite("vmalloc: recorded addresses")
struct RecordedAddressTests {
    @Test func `every address and every list of gaps is the recorded one`() throws {
        let recording = try VmallocRecording()
        var run = AddressRun()

        for (number, step) in recording.steps.enumerated() { run.replay(step, number) }

        #expect(run.compared > 600)
        #expect(run.states == 12)
        #expect(run.differences == [])
    }
}

/// The address allocator alone, driven as `mm/vmalloc.c` drives it.
private struct AddressRun: ~Copyable {
    var arena = VmallocArena(VmallocLayout(.linux61X8664, cpus: 1))
    var differences: [String] = []
    var compared = 0
    var states = 0
    private var areas: [Int: UInt64] = [:]
    private var isStarted = false
    private var nextInBlock: UInt64 = 0

    mutating func replay(_ step: VmallocRecording.Step, _ number: Int) {
        switch step {
        case .state(let name, let lazyPages, let gaps, let busy):
            if !isStarted { start(busy) }
            if name == "end" { free(areas.removeValue(forKey: 0) ?? 0, freesPages: true) }
            compare(name, arena.gaps.ranges(), gaps)
            // The recording shows what has a `vm_struct`.
            compare(name, arena.busy.ranges { $0.use.kind == .area }, busy)
            expect(name, arena.lazyPages, lazyPages)
            isStarted = true
            states += 1
        case .allocate(let allocation): allocate(allocation, number)
        case .free(let function, let slot, let lazyPages):
            worker()
            free(areas.removeValue(forKey: slot) ?? 0, freesPages: function == "vfree")
            expect("\(number) \(function) \(slot)", arena.lazyPages, lazyPages)
        case .purge(let lazyPages):
            arena.purge()
            expect("\(number) purge", arena.lazyPages, lazyPages)
        case .mapRAM(let slot, let pages, let offset):
            // One block serves them all, in powers of two.
            if slot == 0 {
                let use = VmapUse(kind: .block)
                let block = arena.allocate(size: 1 << 20, alignment: 1 << 20, use)
                nextInBlock = block.map { arena.busy[$0].start } ?? 0
            }
            expect("\(number) vm_map_ram", nextInBlock - VmallocRecording.start, offset)
            var run: UInt64 = 1
            while run < pages { run *= 2 }
            nextInBlock += run * 4096
        case .unmapRAM(_, let lazyPages): expect("\(number)", arena.lazyPages, lazyPages)
        case .outcome(_, let size, "vmalloc"): allocateAndFree(size)
        case .outcome: break
        }
    }

    private mutating func start(_ busy: [Range<UInt64>]) {
        // Forty pages wait at the start, between two ranges of the lists.
        let lazy = VmallocRecording.start + 0x5a_5000..<VmallocRecording.start + 0x5c_d000
        arena = VmallocArena(
            VmallocLayout(.linux61X8664, cpus: 1),
            areas: busy.map { VmallocArea($0, VmapUse(.alloc)) },
            lazy: [lazy]
        )
    }

    private mutating func worker() {
        if arena.isDrainPending { arena.purge() }
    }

    private mutating func allocate(_ allocation: VmallocRecording.Allocation, _ number: Int) {
        worker()
        let inside = allocation.offset & 4095
        var bytes = allocation.size
        if allocation.function == "vmap" { bytes *= 4096 }
        if allocation.function == "ioremap" { bytes += inside }
        bytes = (bytes + 4095) & ~4095
        var alignment: UInt64 = 4096
        if allocation.function == "ioremap" {
            while alignment < bytes { alignment *= 2 }
        }
        if allocation.function == "vmalloc_huge" && bytes >= 2 << 20 && allocation.size >= 2 << 20 {
            alignment = 2 << 20
        }
        // What was there before is freed without a line of its own.
        if let old = areas.removeValue(forKey: allocation.slot) { free(old, freesPages: true) }
        let expected = VmallocRecording.start + allocation.offset - inside
        guard let place = arena.allocate(size: bytes + 4096, alignment: alignment, VmapUse(.alloc))
        else {
            differences.append("\(number): nothing")
            return
        }
        let found = arena.busy[place].start
        compared += 1
        if found != expected {
            differences.append(
                "\(number): \(allocation.function) \(String(found, radix: 16))"
                    + " instead of \(String(expected, radix: 16))"
            )
        }
        areas[allocation.slot] = found
        if allocation.function != "vmap" { addPageArray(place, bytes / 4096) }
    }

    /// More than 512 pages need an area for their array.
    private mutating func addPageArray(_ place: UInt32, _ count: UInt64) {
        let bytes = (count * 8 + 4095) & ~4095
        guard count > 512,
            let second = arena.allocate(size: bytes + 4096, alignment: 4096, VmapUse(.alloc))
        else { return }
        var use = arena.busy[place].use
        use.address = arena.busy[second].start
        arena.busy.setUse(place, use)
    }

    /// `kvmalloc` of more than 2 MiB takes whole large pages, and the recording frees it at once.
    private mutating func allocateAndFree(_ size: UInt64) {
        worker()
        let large: UInt64 = 2 << 20
        let bytes = (size + large - 1) / large * large
        let use = VmapUse(.alloc)
        guard let place = arena.allocate(size: bytes + 4096, alignment: large, use) else { return }
        addPageArray(place, bytes / 4096)
        free(arena.busy[place].start, freesPages: true)
    }

    private mutating func free(_ address: UInt64, freesPages: Bool) {
        let place = arena.busy.containing(address)
        guard place != 0 else { return }
        let second = arena.busy[place].use.address
        arena.release(place)
        if freesPages { worker() }
        if second != 0 { free(second, freesPages: freesPages) }
    }

    private mutating func expect(_ what: String, _ found: UInt64, _ recorded: UInt64) {
        compared += 1
        if found != recorded { differences.append("\(what): \(found) instead of \(recorded)") }
    }

    private mutating func compare(
        _ name: String,
        _ found: [Range<UInt64>],
        _ recorded: [Range<UInt64>]
    ) {
        guard found != recorded else { return }
        let odd = Set(found).symmetricDifference(recorded).sorted { $0.lowerBound < $1.lowerBound }
        let text = odd.prefix(6).map { String($0.lowerBound, radix: 16) }.joined(separator: " ")
        differences.append("\(name): \(odd.count) ranges differ: \(text)")
    }
}
