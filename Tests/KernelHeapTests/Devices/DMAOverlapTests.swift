import Testing

@testable import KernelHeap

/// After `add_dma_entry()` and `debug_dma_map_single()`, `kernel/dma/debug.c`, 6.1.
@Suite("Devices: what DMA-API debug says of new mappings")
struct DMAOverlapTests {
    private static let overlap =
        "DMA-API: platform nic: cacheline tracking EEXIST, overlapping mappings aren't supported"

    /// Values of `enum dma_data_direction`.
    private static let (both, toDevice, fromDevice): (UInt64, UInt64, UInt64) = (0, 1, 2)

    private func booted(_ options: String = "") throws -> CallMachine {
        let machine = try CallMachine(options)
        try machine.call("device_register", "nic")
        return machine
    }

    private func map(
        _ machine: CallMachine,
        _ address: UInt64,
        _ direction: UInt64
    ) throws
        -> CallOutcome
    {
        try machine.call("dma_map_single", "nic", .word(address), 32, .word(direction))
    }

    private func texts(_ outcome: CallOutcome) -> [String] {
        outcome.warnings.compactMap {
            if case .dmaMisuse(let misuse) = $0 { misuse.text } else { nil }
        }
    }

    //   a line of the cache   | first, 32 bytes | second, 32 bytes |
    @Test func `two mappings that a device stores through share no line`() throws {
        let machine = try booted()
        let page = try machine.call("__get_free_pages", 0xcc0, 0).word
        let first = try map(machine, page, Self.fromDevice)
        let second = try map(machine, page + 32, Self.both)
        let next = try map(machine, page + 64, Self.fromDevice)

        #expect(texts(first) == [])
        #expect(texts(second) == [Self.overlap])
        #expect(texts(next) == [])
        guard case .dmaMisuse(let misuse)? = second.warnings.first else { return }
        #expect(misuse.call == first.sequence)
        let items = machine.kernel.verdict(limit: 10).parts.flatMap(\.items)
        #expect(items.contains { $0.call == second.sequence && $0.kind == "dma_misuse" })
    }

    @Test func `what a device only loads may overlap, and a line is free when all are unmapped`()
        throws
    {
        let machine = try booted()
        let page = try machine.call("__get_free_pages", 0xcc0, 0).word
        for _ in 0..<2 { #expect(texts(try map(machine, page, Self.toDevice)) == []) }
        let handle = try map(machine, page, Self.fromDevice).word
        let again = try map(machine, page, Self.fromDevice)
        for _ in 0..<2 {
            try machine.call("dma_unmap_single", "nic", .word(handle), 32, .word(Self.fromDevice))
        }
        let later = try map(machine, page, Self.fromDevice)

        #expect(texts(again) == [Self.overlap])
        #expect(texts(later) == [])
    }

    @Test func `with dma_debug the log has it, and once that a line is counted no further`() throws
    {
        let machine = try booted("dma_debug=on")
        let page = try machine.call("__get_free_pages", 0xcc0, 0).word
        var logs: [[String]] = []
        for _ in 0..<10 { logs.append(Array(try map(machine, page, Self.both).log)) }

        let warning = "WARNING: CPU: 0 PID: 1 at kernel/dma/debug.c add_dma_entry"
        #expect(logs[0] == [])
        #expect(logs[1].contains(Self.overlap) && logs[1].contains(warning))
        let full = logs.indices.filter { place in
            logs[place].contains { $0.hasPrefix("DMA-API: exceeded 7 overlapping mappings") }
        }
        #expect(full == [8])
    }

    @Test func `memory that no descriptor stands for is an invalid area`() throws {
        let machine = try booted()
        let null = try map(machine, 0, Self.toDevice)
        let beyond = try map(machine, 0xffff_8881_0000_0000, Self.toDevice)
        let image = try map(machine, 0xffff_ffff_8100_0000, Self.toDevice)

        let head = "DMA-API: platform nic: device driver maps memory from invalid area"
        #expect(texts(null) == ["\(head) [addr=0000000000000000] [len=32]"])
        #expect(texts(beyond) == ["\(head) [addr=ffff888100000000] [len=32]"])
        #expect(texts(image) == [])
        #expect(try machine.call("virt_addr_valid", 0xffff_ffff_8100_0000).word == 1)
        #expect(try machine.call("virt_addr_valid", 0xffff_ffff_c000_0000).word == 0)
    }
}
