import Testing

@testable import KernelHeap

/// Sections without memory, which the zones of a PC span all the same.
///
///     0                    3G          4G
///     | memory …           | devices … | memory …
///     | DMA |        DMA32             | Normal
@Suite("Machine: the hole below 4 GiB")
struct MemoryGapTests {
    /// A timer, on every PC.
    private static let timer: UInt64 = 0xfed0_0000

    private func machine(_ profile: String, pae: Bool = false) throws -> CallMachine {
        var description = MachineDescription()
        description.profile = profile
        description.pae = pae
        description.memoryBytes = 6 << 30
        return try CallMachine(description)
    }

    private func isValid(_ pfn: UInt64, _ machine: CallMachine) throws -> Bool {
        try machine.call("pfn_valid", .word(pfn)).word == 1
    }

    @Test func `frames in the hole are no pages on 64 bits`() throws {
        let machine = try machine("linux-6.1-x86_64")

        #expect(try isValid(0xb_ffff, machine))
        #expect(try !isValid(0xc_0000, machine))
        #expect(try !isValid(0xf_ed00, machine))
        #expect(try !isValid(0xf_ffff, machine))
        #expect(try isValid(0x10_0000, machine))
    }

    @Test func `flat memory has descriptors for the hole`() throws {
        let machine = try machine("linux-6.1-i386", pae: true)

        #expect(try isValid(0xf_ed00, machine))
    }

    @Test(
        "a device keeps nothing that is stored",
        arguments: ["linux-6.1-x86_64", "linux-6.1-i386"]
    )
    func device(profile: String) throws {
        let machine = try machine(profile, pae: profile.hasSuffix("i386"))
        let address = try machine.call("ioremap", .word(Self.timer), 4_096).word
        let stored = try machine.call("kernel_write", .word(address), .bytes([1, 2, 3, 4]))

        let loaded = try machine.read(address, 4)

        #expect(address != 0)
        #expect(stored.word == 4)
        #expect(loaded == [0xff, 0xff, 0xff, 0xff])
        #expect(machine.violations == [])
    }

    @Test(
        "low zones end where the direct map does",
        arguments: [("linux-6.1-i386", UInt64(0x3_6bfe)), ("linux-2.6-i386", UInt64(896 << 8))]
    )
    func lowZones(profile: String, end: UInt64) throws {
        var description = MachineDescription()
        description.profile = profile
        description.zones = [zone(.dma, 1..<4_096), zone(.normal, 4_096..<end)]
        let fits = try Kernel(description).zoneViews().count
        description.zones?[1] = zone(.normal, 4_096..<end + 1)

        let error = #expect(throws: MachineError.self) { _ = try Kernel(description).sequence }

        #expect(fits == 2)
        #expect(error?.pointer == "/zones/1/spanned")
    }

    private func zone(_ type: ZoneType, _ frames: Range<UInt64>) -> ZoneDescription {
        var zone = ZoneDescription()
        zone.name = type
        zone.startPFN = frames.lowerBound
        zone.spanned = UInt64(frames.count)
        zone.present = zone.spanned
        zone.managed = zone.spanned
        return zone
    }
}
