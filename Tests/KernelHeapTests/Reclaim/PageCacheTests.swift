import Testing

@testable import KernelHeap

@Suite("Reclaim: files and their pages in memory")
struct PageCacheTests {
    @Test func `a page that is read twice is taken for one in use`() throws {
        var machine = try ReclaimMachine()

        try machine.call("page_cache_read", 8 * 4096, text: "/data")
        let first = (machine.count(.inactiveFile), machine.count(.activeFile))
        try machine.call("page_cache_read", 8 * 4096, text: "/data")
        let second = (machine.count(.inactiveFile), machine.count(.activeFile))
        let meminfo = machine.kernel.memInfoView()

        #expect(first == (8, 0))
        #expect(second == (0, 8))
        #expect(machine.event(.pgactivate) == 8)
        #expect(meminfo[.cached] == 32)
        #expect(meminfo[.activeFile] == 32)
        #expect(machine.violations == [])
    }

    @Test func `a file larger than memory can be read, for what was read goes again`() throws {
        var machine = try ReclaimMachine()

        let outcome = try machine.call("page_cache_read", 288 << 20, text: "/large")
        let cached = machine.kernel.memInfoView()[.cached] * 1024

        #expect(outcome.result.value == .unsigned(288 << 20))
        #expect(cached < 96 << 20)
        #expect(machine.event(.pgstealFile) > 48_000)
        #expect(machine.event(.pgscanDirect) + machine.event(.pgscanKswapd) > 48_000)
        #expect(machine.violations == [])
    }

    @Test func `no dirty byte is lost when more is written than memory holds`() throws {
        var machine = try ReclaimMachine()
        let pages = 30_000

        for number in 0..<pages {
            let written = try machine.call(
                "page_cache_write",
                UInt64(number) * 4096,
                text: "/log",
                bytes: ReclaimMachine.pattern(number)
            )
            try #require(written.result.value == .unsigned(64))
        }
        let descriptor = try machine.call("open_file", text: "/log").result.value
        var wrong: [Int] = []
        for number in 0..<pages {
            let read = machine.kernel.readFile(0, 3, 64, at: UInt64(number) * 4096, cpu: 0)
            if read != .success(ReclaimMachine.pattern(number)) { wrong.append(number) }
        }

        #expect(descriptor == .integer(3))
        #expect(wrong == [])
        #expect(machine.event(.pgpgout) > 0)
        #expect(machine.violations == [])
    }

    @Test func `dirty pages are written by sync, and then drop_caches frees them`() throws {
        var machine = try ReclaimMachine()
        let before = machine.freePages
        try machine.call("page_cache_write", 0, text: "/a", bytes: [1, 2, 3])
        try machine.call("page_cache_read", 40_960, text: "/b")

        let kept = try machine.call("drop_caches", 1)
        let dirty = machine.kernel.memInfoView()[.dirty]
        let cachedDirty = machine.kernel.memInfoView()[.cached]
        try machine.call("sync")
        let clean = machine.kernel.memInfoView()[.dirty]
        try machine.call("drop_caches", 1)

        #expect(kept.log.last?.hasSuffix("(1): drop_caches: 1") == true)
        #expect(dirty == 4 && cachedDirty == 4)
        #expect(clean == 0)
        let cached = machine.kernel.memInfoView()[.cached]
        #expect(cached == 0)
        #expect(machine.freePages == before)
        let files = machine.kernel.files.onDisk.count
        #expect(files == 2)
    }

    @Test func `a store through a shared mapping is written back, and noticed again`() throws {
        var machine = try ReclaimMachine()
        let address: UInt64 = 0x1000_0000
        try machine.call("open_file", text: "/shared")
        try machine.call("ftruncate", 3, 4096)
        // PROT_READ|PROT_WRITE, MAP_SHARED|MAP_FIXED.
        try machine.call("mmap", address, 4096, 3, 0x11, 3, 0)

        _ = machine.kernel.storeUser(0, address, [7], in: .standard)
        let dirty = machine.kernel.dirtyPageCount
        try machine.call("sync")
        let clean = machine.kernel.dirtyPageCount
        _ = machine.kernel.storeUser(0, address, [8], in: .standard)
        let dirtyAgain = machine.kernel.dirtyPageCount
        try machine.call("sync")

        #expect(dirty == 1 && clean == 0 && dirtyAgain == 1)
        let file = machine.kernel.files.onDisk.first?.file
        #expect(file?.stored[0] == [8])
        #expect(machine.violations == [])
    }
}
