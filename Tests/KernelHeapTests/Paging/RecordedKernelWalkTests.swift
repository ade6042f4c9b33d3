import TestSupport
import Testing

@testable import KernelHeap

@Suite("Paging: recorded kernel addresses")
struct RecordedKernelWalkTests {
    /// Walks of what the boot maps; the descriptor area of PAE has a table made in another way.
    private static let bootWalks = [
        "PAGE_OFFSET (physical 0)", "PAGE_OFFSET+0xa0000 (ISA hole)", "PAGE_OFFSET+4M",
        "kernel text", "rodata", "data: init_task", "kmalloc(64)", "last lowmem page",
        "high_memory (hole)", "fixmap APIC", "GDT rw", "last page of the address space",
    ]

    @Test("what the boot maps has the recorded bits", arguments: PagingMachine.recorded)
    func bootBits(machine: PagingMachine.Recorded) throws {
        let kernel = try PagingMachine.boot(machine)
        let walks = try PageWalkRecording.walks(machine.name, "kwalk")
        for name in Self.bootWalks {
            let recorded = try #require(walks[name])
            #expect(kernel.bits(recorded.address) == recorded.levels, "\(name)")
        }
        let tables = try #require(walks["cpu_entry_area (IDT)"])
        #expect(kernel.bits(tables.address).last == tables.pteFlags)
    }

    @Test("what runs into the tables later has them, too", arguments: PagingMachine.recorded)
    func laterBits(machine: PagingMachine.Recorded) throws {
        var kernel = try PagingMachine.boot(machine)
        let walks = try PageWalkRecording.walks(machine.name, "kwalk")
        let page = try #require(walks["vmalloc page 0"])
        let kmap = try #require(walks["kmap page"])
        let guardPage = try #require(walks["vmalloc guard page"])
        let code = try #require(walks["module code"])

        let flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
        let areMapped = [
            kernel.mapKernel(page.address, frame: 0x3946, flags, cpu: 0),
            kernel.mapKernel(kmap.address, frame: 0x3947, flags, cpu: 0),
            kernel.mapKernel(
                code.address & ~4095,
                frame: 0x3948,
                .kernelPage.subtracting(.writable),
                cpu: 0
            ),
        ]

        #expect(areMapped == [true, true, true])
        for recorded in [page, kmap, guardPage, code] {
            #expect(kernel.bits(recorded.address) == recorded.levels, "\(recorded.walk ?? "")")
        }
    }

    /// The recorder's own calls: two pages of vmalloc, and one page of high memory mapped twice.
    @Test("real calls leave the recorded bits", arguments: PagingMachine.recorded)
    func callBits(machine: PagingMachine.Recorded) throws {
        var kernel = try PagingMachine.boot(machine)
        let walks = try PageWalkRecording.walks(machine.name, "kwalk")
        let page = UInt32(kernel.layout.directMapEndPFN + 100)
        let context = CallContext()

        let area = kernel.vmalloc(size: 8_192).rawValue
        _ = kernel.kmap(page, in: context)
        let mapped = kernel.pageAddress(page)
        let whileMapped = kernel.bits(mapped)
        _ = kernel.kunmap(page, in: context)
        let local = kernel.kmapLocal(page: page, in: context)
        let whileLocal = kernel.bits(local)
        kernel.kunmapLocal(local, in: context)

        let found = [
            "vmalloc page 0": kernel.bits(area), "vmalloc page 1": kernel.bits(area + 4_096),
            "vmalloc guard page": kernel.bits(area + 8_192), "kmap page": whileMapped,
            "the same after kunmap (lazy)": kernel.bits(mapped), "kmap_local page": whileLocal,
            "the same after kunmap_local": kernel.bits(local),
        ]
        for (name, bits) in found {
            let recorded = try #require(walks[name])
            #expect(bits == recorded.levels, "\(name)")
        }
        #expect(mapped == walks["kmap page"]?.address)
        #expect(local == walks["kmap_local page"]?.address)
    }

    // `bad-ucopy.case-39`: PGD 2a15067 P4D 2a15067 PUD 2a16063 PMD 80000000020001e1.
    @Test func `read-only data of x86_64 has the recorded entry, and its upper ones their bits`()
        throws
    {
        let kernel = try Kernel()

        let entries = kernel.entries(0xffff_ffff_8216_1900)

        #expect(entries.map { $0.rawValue & 0xfff } == [0x067, 0x063, 0x1e1])
        #expect(entries.last?.rawValue == 0x8000_0000_0200_01e1)
    }

    // `bad-plain-59`: PGD 4800067 P4D 4800067 PUD 49b1067 PMD 49b2067 PTE 0.
    @Test func `a vmalloc page of x86_64 leaves the recorded bits on its way`() throws {
        var kernel = try Kernel()
        let address: UInt64 = 0xffff_c900_0006_6000

        let before = kernel.entries(address).map { $0.rawValue & 0xfff }
        let isMapped = kernel.mapKernel(address - 4_096, frame: 0x5000, .kernelPage, cpu: 0)
        let after = kernel.entries(address).map { $0.rawValue & 0xfff }

        #expect(isMapped)
        #expect(before == [0x067, 0])
        #expect(after == [0x067, 0x067, 0x067, 0])
    }
}
