import Testing

@testable import KernelHeap

/// Parts of memory that a device reaches through the bounce buffer: `swiotlb_bounce()`, 6.1.
@Suite("Devices: parts of bounced memory")
struct BouncePartTests {
    private static let toDevice: UInt64 = 1
    private static let fromDevice: UInt64 = 2

    let machine: CallMachine
    /// 16 KiB beyond 4 GiB.
    let memory: UInt64

    init() throws {
        var description = MachineDescription()
        description.memoryBytes = 6 << 30
        machine = try CallMachine(description)
        try machine.call("device_register", "nic")
        memory = try machine.call("__get_free_pages", 0xcc0, 2).word
    }

    private func map(_ bytes: UInt64, _ direction: UInt64) throws -> UInt64 {
        try machine.call(
            "dma_map_single",
            "nic",
            .word(memory),
            .word(bytes),
            .word(direction)
        ).word
    }

    @discardableResult
    private func use(
        _ function: String,
        _ address: UInt64,
        _ bytes: UInt64,
        _ direction: UInt64
    ) throws -> CallOutcome {
        try machine.call(function, "nic", .word(address), .word(bytes), .word(direction))
    }

    private func write(_ address: UInt64, _ bytes: [UInt8]) throws {
        try machine.call("kernel_write", .word(address), .bytes(bytes))
    }

    /// Where the processor sees what a device's address names.
    private func virtual(_ address: UInt64) throws -> UInt64 {
        try machine.call("phys_to_virt", .word(address)).word
    }

    @Test(
        "a part is copied from its own place, and nothing else",
        arguments: [512, 2_048, 2_047, 5_000, 16_380] as [UInt64]
    )
    func part(offset: UInt64) throws {
        let handle = try map(16_384, Self.toDevice)
        try write(memory, [0xaa, 0xaa, 0xaa, 0xaa])
        try write(memory + offset, [1, 2, 3, 4])
        let synced = try use("dma_sync_single_for_device", handle + offset, 4, Self.toDevice)
        let bounce = try virtual(handle)

        #expect(synced.fact("copied") == .number(4))
        #expect(synced.warnings.isEmpty)
        #expect(try machine.read(bounce + offset, 4) == [1, 2, 3, 4])
        #expect(try machine.read(bounce, 4) == [0, 0, 0, 0])
    }

    @Test func `what a device stored in a later slot comes back to its place`() throws {
        let handle = try map(16_384, Self.fromDevice)
        try write(virtual(handle + 9_000), [5, 6])
        try use("dma_sync_single_for_cpu", handle + 9_000, 2, Self.fromDevice)

        #expect(try machine.read(memory + 9_000, 2) == [5, 6])
        #expect(try machine.read(memory, 2) == [0, 0])
    }

    @Test func `no copy goes beyond what was mapped`() throws {
        let handle = try map(3_000, Self.toDevice)
        let over = try use("dma_sync_single_for_device", handle + 2_999, 4, Self.toDevice)
        let behind = try use("dma_sync_single_for_device", handle + 3_001, 4, Self.toDevice)

        #expect(over.fact("copied") == .number(1))
        #expect(behind.fact("copied") == .number(0))
        // Once in a machine's life, each; 952 bytes of the mapping lie in its second slot.
        let head = "platform nic: Buffer overflow detected. Allocation size: "
        #expect(over.log.contains { $0.hasSuffix(head + "1. Mapping size: 4.") })
        #expect(behind.log.contains { $0.hasSuffix(head + "952. Mapping size: 4+953.") })
    }

    @Test func `an unmapping in the middle gives back the slots behind`() throws {
        let handle = try map(16_384, Self.toDevice)
        try use("dma_unmap_single", handle + 8_192, 16, Self.toDevice)
        let half = machine.kernel.driverModel.dma.pool?.usedCount
        try use("dma_unmap_single", handle, 16_384, Self.toDevice)

        #expect(half == 4)
        #expect(machine.kernel.driverModel.dma.pool?.usedCount == 0)
    }

    @Test func `a part of a mapping is synchronised without a warning, too much with one`() throws {
        let handle = try map(4_096, Self.toDevice)
        let inside = try use("dma_sync_single_for_device", handle + 100, 3_996, Self.toDevice)
        let outside = try use("dma_sync_single_for_device", handle + 100, 3_997, Self.toDevice)
        let beyond = try use("dma_sync_single_for_device", handle + 4_096, 1, Self.toDevice)
        let huge = try use("dma_sync_single_for_device", handle + 100, .max, Self.toDevice)

        #expect(inside.warnings.isEmpty)
        #expect(texts(outside).first?.contains("outside allocated range") == true)
        #expect(
            texts(outside).first?
                .hasSuffix("[allocation size=4096 bytes] [sync offset+size=4097]") == true
        )
        #expect(texts(beyond).first?.contains("has not allocated") == true)
        #expect(texts(huge).first?.contains("outside allocated range") == true)
    }

    private func texts(_ outcome: CallOutcome) -> [String] {
        outcome.warnings.compactMap { warning in
            if case .dmaMisuse(let misuse) = warning { misuse.text } else { nil }
        }
    }
}
