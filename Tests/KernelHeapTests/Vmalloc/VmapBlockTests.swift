import Testing

@testable import KernelHeap

/// What `vm_map_ram()` takes from blocks of 256 pages.
@Suite("vm_map_ram: blocks")
struct VmapBlockTests {
    private func machine() throws -> (CallMachine, pages: [UInt64]) {
        let machine = try CallMachine()
        let page = try machine.call("alloc_page", 0xcc0).word
        return (machine, [UInt64](repeating: page, count: 64))
    }

    private func map(_ pages: [UInt64], _ machine: CallMachine) throws -> UInt64 {
        try machine.call("vm_map_ram", .words(pages), .word(UInt64(pages.count))).word
    }

    private func unmap(
        _ address: UInt64,
        _ count: UInt64,
        _ machine: CallMachine
    ) throws -> [String] {
        Array(try machine.call("vm_unmap_ram", .word(address), .word(count)).log)
    }

    //   | 64 unmapped four times |  192 never handed out  |    counts as dirty throughout
    @Test func `a run unmapped until its block counts as dirty stops the kernel`() throws {
        let (machine, pages) = try machine()
        let address = try map(pages, machine)
        var logs: [[String]] = []
        for _ in 0..<5 { logs.append(try unmap(address, 64, machine)) }

        let next = try map(pages, machine)

        #expect(logs[..<3].allSatisfy { $0.isEmpty })
        #expect(logs[3].contains { $0.hasPrefix("kernel BUG at mm/vmalloc.c") })
        #expect(logs[4] == [])
        #expect(next == address + 64 << 12)
        #expect(machine.area(at: address).use.kind == .block)
        #expect(machine.violations == [])
    }

    @Test func `a block goes back when all of it was in use and is not any more`() throws {
        let (machine, pages) = try machine()
        let runs = try (0..<5).map { _ in try map(pages, machine) }
        for run in runs[..<4] { #expect(try unmap(run, 64, machine) == []) }
        let isFirstHeld = machine.kernel.vmalloc.busy.containing(runs[0]) != 0
        let oops = try unmap(runs[0], 64, machine)
        let more = try map(pages, machine)

        #expect(runs[3] == runs[0] + 192 << 12)
        #expect(!isFirstHeld)
        #expect(oops.first?.contains("NULL pointer dereference") == true)
        #expect(more == runs[4] + 64 << 12)
        #expect(machine.violations == [])
    }

    @Test func `a purge takes blocks with pages left and none in use, and no others`() throws {
        let (machine, pages) = try machine()
        let kept = try map(pages, machine)
        let other = try machine.call("vm_map_ram", [.words(pages), 64], cpu: 0).word
        _ = try unmap(other, 64, machine)
        try machine.call("vm_unmap_aliases")
        let isKept = machine.kernel.vmalloc.busy.containing(kept) != 0
        _ = try unmap(kept, 64, machine)
        try machine.call("vm_unmap_aliases")
        let isGone = machine.kernel.vmalloc.busy.containing(kept) == 0
        let again = try map(pages, machine)

        #expect(isKept && isGone)
        #expect(again == kept)
        #expect(machine.violations == [])
    }

    @Test func `a large page takes a directory, and no table below it`() throws {
        let (machine, _) = try machine()
        func served() -> UInt64 {
            machine.kernel.pages.zones.indices.reduce(0) {
                $0 + machine.kernel.pages.zones[$1].hits
            }
        }
        let before = served()

        let area = try machine.call("vmalloc_huge", .word(2 << 20), 0xcc0).word

        #expect(area != 0)
        // The block of 2 MiB and the directory.
        #expect(served() - before == 2)
        #expect(machine.violations == [])
    }
}
