import KernelHeap
import KernelProc
import TestSupport
import Testing

/// What the files of a running machine say about what was done to it.
@Suite("Files of a machine")
struct LiveMachineTests {
    private func line(_ prefix: String, in text: String?) -> [Substring] {
        let lines = (text ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix(prefix) }?.split(separator: " ") ?? []
    }

    /// Free pages, those on per-CPU lists included.
    private func available(_ zones: [ZoneView]) -> UInt64 {
        zones.reduce(0) { total, zone in
            zone.pageSets.reduce(total + zone.free) { $0 + $1.count }
        }
    }

    @Test func `one object of 192 bytes brings one slab of 21 into slabinfo`() throws {
        var kernel = try Kernel()
        let before = line("kmalloc-192 ", in: ProcFiles.text(path: "slabinfo", of: kernel))

        let address = kernel.kmalloc(size: 130, flags: .kernel)
        let after = line("kmalloc-192 ", in: ProcFiles.text(path: "slabinfo", of: kernel))

        #expect(address != .null)
        #expect(before.dropFirst().prefix(5) == ["0", "0", "192", "21", "1"])
        // SLUB counts the whole slab of a CPU as handed out.
        #expect(after.dropFirst().prefix(5) == ["21", "21", "192", "21", "1"])
        #expect(after.suffix(3) == ["1", "1", "0"])
    }

    @Test(
        "a booted machine lists the caches of the recorded one",
        arguments: [("1G", 1), ("smp4-1G", 4)]
    )
    func caches(boot: String, cpus: Int) throws {
        let recorded = try ProcParser.slabInfo(Recording.text("boot/\(boot)/slabinfo"))
        var description = MachineDescription()
        description.memoryBytes = 1 << 30
        description.cpus = cpus
        let kernel = try Kernel(description)

        let listed = try ProcParser.slabInfo(ProcFiles.text(path: "slabinfo", of: kernel) ?? "")

        #expect(listed.map(\.name) == recorded.map(\.name))
        #expect(listed.map(\.objectSize) == recorded.map(\.objectSize))
        #expect(listed.map(\.objectsPerSlab) == recorded.map(\.objectsPerSlab))
        #expect(listed.map(\.pagesPerSlab) == recorded.map(\.pagesPerSlab))
    }

    @Test func `a slab's pages appear as slab memory in zoneinfo and meminfo`() throws {
        var kernel = try Kernel()

        // An order-3 slab: 32 KiB.
        let address = kernel.kmalloc(size: 4_096, flags: .kernel)

        #expect(address != .null)
        let zoneinfo = ProcFiles.text(path: "zoneinfo", of: kernel)
        let meminfo = ProcFiles.text(path: "meminfo", of: kernel)
        #expect(line("      nr_slab_unreclaimable", in: zoneinfo).last == "8")
        #expect(line("SUnreclaim:", in: meminfo) == ["SUnreclaim:", "32", "kB"])
        #expect(line("Slab:", in: meminfo) == ["Slab:", "32", "kB"])
    }

    @Test func `buddyinfo and the per-CPU lists together hold what zoneinfo calls free`() throws {
        var kernel = try Kernel()
        let before = kernel.zoneViews()
        for order in [0, 0, 1, 3, 5, 9] {
            let pfn = kernel.allocPages(order: order, flags: .kernel)
            #expect(pfn != nil)
        }

        let buddy = ProcFiles.text(path: "buddyinfo", of: kernel) ?? ""
        let rows = buddy.split(separator: "\n").map { $0.split(separator: " ").dropFirst(4) }

        let zones = kernel.zoneViews()
        #expect(rows.count == zones.count)
        for (row, zone) in zip(rows, zones) {
            let counts = row.compactMap { UInt64($0) }
            #expect(counts.count == 11)
            let pages = counts.enumerated().reduce(UInt64(0)) { $0 + $1.element << $1.offset }
            #expect(pages == zone.free)
        }
        #expect(available(before) - available(zones) == 1 + 1 + 2 + 8 + 32 + 512)
    }

    @Test func `the files of a cache follow the machine`() throws {
        var kernel = try Kernel()
        let address = kernel.kmalloc(size: 64, flags: .kernel)
        let detail = kernel.cacheDetail(named: "kmalloc-64")
        let cache = try #require(detail)
        let unknown = kernel.cacheDetail(named: "kmalloc-65")

        #expect(address != .null)
        #expect(SlabSysfs.text("slabs", of: cache) == "1 N0=1\n")
        #expect(SlabSysfs.text("cpu_slabs", of: cache) == "1 N0=1\n")
        #expect(SlabSysfs.text("objects", of: cache) == "64 N0=64\n")
        #expect(SlabSysfs.text("slabs_cpu_partial", of: cache) == "0(0)\n")
        #expect(unknown == nil)
        let read = SysFiles.text(path: "kernel/slab/kmalloc-64/order", of: kernel)
        let others = [
            "", "/", "kernel/slab", "kernel/slab//order", "kernel/slab/kmalloc-64/order/",
        ]
        .map { SysFiles.text(path: $0, of: kernel) }
        #expect(read == "0\n")
        #expect(others.allSatisfy { $0 == nil })
    }

    @Test func `two nodes and four processors have their parts in every file`() throws {
        var description = MachineDescription()
        description.memoryBytes = 2 << 30
        description.nodes = 2
        description.cpus = 4
        let kernel = try Kernel(description)

        let zoneinfo = ProcFiles.text(path: "zoneinfo", of: kernel) ?? ""
        let types = ProcFiles.text(path: "pagetypeinfo", of: kernel) ?? ""

        #expect(zoneinfo.split(separator: "\n").count { $0.hasPrefix("  per-node stats") } == 2)
        #expect(zoneinfo.contains("    cpu: 3\n"))
        #expect(types.split(separator: "\n").count { $0.hasPrefix("Page block order: 9") } == 2)
    }
}
