import KernelHeap
import KernelProc
import TestSupport
import Testing

/// Every recorded `/proc` file of every booted machine, printed again byte for byte.
@Suite("/proc files")
struct ProcFileTests {
    @Test("buddyinfo is the kernel's, byte for byte", arguments: try ProcParser.bootFolders())
    func buddyInfo(boot: String) throws {
        let recorded = try Recording.text("\(boot)/buddyinfo")

        #expect(BuddyInfo.text(try ProcParser.buddyInfo(recorded)) == recorded)
    }

    @Test("pagetypeinfo is the kernel's, byte for byte", arguments: try ProcParser.bootFolders())
    func pageTypeInfo(boot: String) throws {
        let recorded = try Recording.text("\(boot)/pagetypeinfo")
        // Pageblocks are 4 MiB on i386 without PAE and 2 MiB elsewhere.
        let order = boot.hasPrefix("i386/686") ? 10 : 9

        let nodes = try ProcParser.pageTypeInfo(recorded)

        #expect(PageTypeInfo.text(nodes, pageblockOrder: order) == recorded)
    }

    @Test("zoneinfo is the kernel's, byte for byte", arguments: try ProcParser.bootFolders())
    func zoneInfo(boot: String) throws {
        let recorded = try Recording.text("\(boot)/zoneinfo")

        #expect(ZoneInfo.text(try ProcParser.zoneInfo(recorded)) == recorded)
    }

    @Test("slabinfo is the kernel's, byte for byte", arguments: try ProcParser.bootFolders())
    func slabInfo(boot: String) throws {
        let recorded = try Recording.text("\(boot)/slabinfo")

        #expect(SlabInfo.text(try ProcParser.slabInfo(recorded)) == recorded)
    }

    @Test("meminfo is the kernel's, byte for byte", arguments: try ProcParser.bootFolders())
    func memInfo(boot: String) throws {
        let recorded = try Recording.text("\(boot)/meminfo")

        let view = try ProcParser.memInfo(recorded)

        #expect(MemInfo.text(view) == recorded)
        if boot.hasPrefix("boot/") {
            #expect(view.counters == MemInfoView(where: \.isOnX8664).counters)
        }
    }

    @Test(
        "meminfo follows from the nodes",
        arguments: ["96M", "128M", "1G", "2G", "3G", "4G", "kernelcore-6G"]
    )
    func memInfoFollows(boot: String) throws {
        let recorded = try ProcParser.memInfo(Recording.text("boot/\(boot)/meminfo"))
        var elsewhere = MemInfoView.Elsewhere()
        elsewhere.committed = recorded[.committedAS] / 4
        elsewhere.vmallocUsed = recorded[.vmallocUsed] / 4
        elsewhere.perCPU = recorded[.percpu] / 4

        let nodes = try ProcParser.zoneInfo(Recording.text("boot/\(boot)/zoneinfo"))
        let view = MemInfoView(nodes: nodes, elsewhere: elsewhere)

        // Pages moved between the LRU lists while the files were read one after the other.
        let moving: Set<MemInfoCounter> = [
            .active, .inactive, .activeAnon, .inactiveAnon, .directMap4K, .directMap2M,
        ]
        for counter in recorded.counters where !moving.contains(counter) {
            #expect(view[counter] == recorded[counter], "\(counter.rawValue)")
        }
        #expect(
            view[.directMap4K] + view[.directMap2M]
                == recorded[.directMap4K] + recorded[.directMap2M]
        )
    }

    @Test func `every file has a text and no other path has one`() throws {
        let kernel = try Kernel(MachineDescription())

        let texts = ProcFiles.paths.map { ProcFiles.text(path: $0, of: kernel) }

        #expect(!texts.contains(nil))
        #expect(ProcFiles.text(path: "../etc/passwd", of: kernel) == nil)
        #expect(ProcFiles.text(path: "", of: kernel) == nil)
    }

    @Test func `every machine's counters are those of its kind`() throws {
        let numa = try ProcParser.zoneInfo(Recording.text("boot/1G/zoneinfo"))
        let flat = try ProcParser.zoneInfo(Recording.text("i386/686-1G/zoneinfo"))

        #expect(numa[0].stats.counters == NodeStats().counters)
        #expect(numa[0].zones[0].stats.counters == ZoneStats().counters)
        #expect(flat[0].stats.counters == NodeStats { !$0.needsNUMA }.counters)
        #expect(flat[0].zones[0].stats.counters == ZoneStats { !$0.needsNUMA }.counters)
    }

    @Test func `lists of 100000 free blocks are no longer counted`() {
        var zone = ZoneView(node: 0, type: .normal)
        zone.present = 1 << 30
        zone.freeBlocks = [[99_999, 100_000, 0, 0, 0], [5_000_000, 1, 0, 0, 0]]
        zone.pageblocks = [1, 2, 3, 4, 5]

        let text = PageTypeInfo.text([NodeView(id: 0, stats: NodeStats(), zones: [zone])])

        #expect(text.contains("type    Unmovable  99999 >100000 \n"))
        #expect(text.contains("type      Movable >100000      1 \n"))
    }

    @Test(
        "the log's time stamps are seconds and microseconds since boot",
        arguments: [
            (0, "[    0.000000] hello"), (1_002_003, "[    1.002003] hello"),
            (99_999_999_999, "[99999.999999] hello"), (100_000_000_000, "[100000.000000] hello"),
            (UInt64.max, "[18446744073709.551615] hello"),
        ]
    )
    func timeStamps(microseconds: UInt64, line: String) {
        #expect(DmesgText.line("hello", microseconds: microseconds) == line)
    }
}
