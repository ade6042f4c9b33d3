import Testing

@testable import KernelHeap

@Suite("Paging: tables of the boot")
struct BootTablesTests {
    private func boot(_ memory: UInt64, _ options: String = "") throws -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = memory
        description.bootOptions = options
        return try Kernel(description)
    }

    private func size(_ kernel: borrowing Kernel, _ address: UInt64) -> UInt64 {
        kernel.translationView(LinearAddress(rawValue: address), pid: 1).pageBytes
    }

    @Test(
        "all usable memory is in the direct map, and what lies behind it is not",
        arguments: [96, 128, 512, 1_024, 5 * 1_024, 64 * 1_024] as [UInt64],
        ["", "gbpages"]
    )
    func directMap(mebibytes: UInt64, options: String) throws {
        var kernel = try boot(mebibytes << 20, options)
        let usable = MemoryMap.frames(MemoryMap.pc(memory: mebibytes << 20))
        for range in usable {
            var frame = range.lowerBound
            while frame < range.upperBound {
                let address = AddressLayout.x8664.pageOffset + frame << 12
                let found = kernel.translate(address + 0x123, for: .kernelLoad, process: 0)
                #expect(found == .success(frame), "frame \(frame)")
                frame += max(UInt64(range.count) / 61, 1)
            }
            let behind = kernel.entries(AddressLayout.x8664.pageOffset + range.upperBound << 12)
                .last
            #expect(behind?.isPresent == (range.upperBound < 0x100), "\(range)")
        }
    }

    @Test func `large pages map what is aligned, small ones the edges`() throws {
        let kernel = try boot(5 << 30)
        let gigabytes = try boot(5 << 30, "gbpages")
        let base = AddressLayout.x8664.pageOffset

        // The first large page begins with the lowest MiB; the last one ends with the firmware's.
        #expect(size(kernel, base) == 4_096)
        #expect(size(kernel, base + 0x20_0000) == 2 << 20)
        #expect(size(kernel, base + 0xbffd_f000) == 4_096)
        #expect(size(kernel, base + 0xc000_0000) == 0)
        #expect(size(kernel, base + 0x1_0000_0000) == 2 << 20)
        #expect(size(gigabytes, base + 0x20_0000) == 2 << 20)
        #expect(size(gigabytes, base + 0x4000_0000) == 1 << 30)
        #expect(size(gigabytes, base + 0x8000_0000) == 2 << 20)
        #expect(size(gigabytes, base + 0x1_0000_0000) == 1 << 30)
    }

    @Test func `the image is mapped twice, and its text written nowhere`() throws {
        var kernel = try boot(1 << 30)
        let places: [(UInt64, Bool, Bool)] = [
            (0xffff_ffff_8100_0000, false, true), (0xffff_ffff_8200_0000, false, false),
            (0xffff_ffff_82a0_0000, true, false), (0xffff_8880_0100_0000, false, false),
            (0xffff_8880_0210_0000, false, false), (0xffff_8880_02a0_0000, true, false),
        ]
        for (address, isWritable, isExecutable) in places {
            let view = kernel.translationView(LinearAddress(rawValue: address), pid: 1)
            #expect(view.isWritable == isWritable)
            #expect(view.isExecutable == isExecutable)
            #expect(!view.isUser)
        }
        // `bad-ucopy.case-39`: a store into read-only data.
        let stored = kernel.storeKernel(0xffff_ffff_8216_1900, [1], in: .standard)
        #expect(stored.fault?.code == 3)
    }

    @Test("struct pages are mapped where memory is", arguments: [96, 128, 1_024, 5 * 1_024])
    func descriptors(mebibytes: UInt64) throws {
        let kernel = try boot(mebibytes << 20)
        var backing: Set<UInt64> = []
        for section in 0..<mebibytes >> 7 where section < 24 || section >= 32 {
            let address = AddressLayout.x8664.descriptors + section << 21
            let view = kernel.translationView(LinearAddress(rawValue: address), pid: 1)
            let physical = try #require(view.physical)
            #expect(backing.insert(physical.rawValue).inserted)
            #expect(view.isWritable && !view.isExecutable && !view.isUser)
        }
    }

    @Test func `no table is made before somebody looks, and none is written before a change`()
        throws
    {
        var kernel = try boot(64 << 30)
        let isMade = kernel.paging.boot != nil
        #expect(!isMade)
        let before = kernel.heldBytes

        _ = kernel.translate(AddressLayout.x8664.pageOffset + 5 << 30, for: .kernelLoad, process: 0)

        let written = kernel.paging.writtenOut
        let isEmpty = kernel.pages.contents.isEmpty
        let grown = kernel.heldBytes - before
        #expect(written.isEmpty)
        #expect(isEmpty)
        #expect(grown <= 8_192)
    }

    @Test func `no frame of a table is one that can be allocated`() throws {
        for mebibytes: UInt64 in [96, 128, 1_024] {
            let kernel = try boot(mebibytes << 20)
            let tables = kernel.bootTables()
            var count: UInt64 = 0
            for frame in 0..<kernel.pages.endPFN where tables.table(at: frame) != nil {
                count += 1
                let run = kernel.frameRun(at: frame, limit: frame + 1)
                guard case .reserved = run.use else {
                    Issue.record("frame \(frame) of \(mebibytes) MiB is no reserved one")
                    return
                }
            }
            #expect(count == tables.count)
        }
    }

    @Test func `a machine of spelled out zones maps them all`() throws {
        var zone = ZoneDescription()
        zone.spanned = 1_024
        zone.present = 1_024
        zone.managed = 1_024
        var description = MachineDescription()
        description.zones = [zone]
        var kernel = try Kernel(description)
        let end = AddressLayout.x8664.pageOffset + 1_024 << 12

        let last = kernel.translate(end - 4_096, for: .kernelStore, process: 0)
        let behind = kernel.translate(end, for: .kernelLoad, process: 0)

        #expect(last == .success(1_023))
        #expect((try? behind.get()) == nil)
    }

    @Test func `a table reads as its entries, and a store into it changes the translation`() throws
    {
        var kernel = try boot(1 << 30)
        let address = AddressLayout.x8664.pageOffset + 0x1000_0000
        let boot = kernel.bootTables()
        let walk = kernel.walk(address, root: kernel.root(of: 0, boot), boot)
        let place =
            AddressLayout.x8664.pageOffset + walk.last.table << 12 + UInt64(walk.last.index) * 8

        let word = kernel.loadKernel(place, 8, in: .standard).bytes
        let read = word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let warm = kernel.translate(address, for: .kernelLoad, process: 0)
        let stored = kernel.storeKernel(place, [UInt8](repeating: 0, count: 8), in: .standard)
        let gone = kernel.translate(address, for: .kernelLoad, process: 0)
        let neighbour = kernel.translate(address + 0x20_0000, for: .kernelLoad, process: 0)

        #expect(read == walk.last.entry.rawValue)
        #expect(warm == .success(0x1_0000))
        #expect(stored.fault == nil)
        #expect((try? gone.get()) == nil)
        #expect(neighbour == .success(0x1_0200))
    }
}
