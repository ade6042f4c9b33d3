import TestSupport
import Testing

@testable import KernelHeap

@Suite("Reclaim: the OOM killer and what flags forbid")
struct KillerTests {
    /// Takes single pages as a process until a call gets none.
    private func exhaust(
        _ machine: inout ReclaimMachine,
        _ flags: GFPFlags,
        order: Int = 0,
        as pid: Int = 1
    ) -> Int {
        var count = 0
        let context = CallContext(pid: pid)
        while machine.kernel.allocPages(order: order, flags: flags, in: context) != nil {
            count += 1
        }
        return count
    }

    // `texts/bad-oom.case-90.txt`: pages are taken until the shell that asks for them is killed.
    @Test func `the lines on the process are the recorded ones`() throws {
        var machine = try ReclaimMachine()
        while machine.kernel.process(86) == nil {
            if machine.kernel.processes.count > 1 { machine.kernel.exitProcess(1, code: 0, cpu: 0) }
            _ = machine.kernel.createProcess(named: "sh", parent: 1, cpu: 0)
        }
        let shell = try machine.place(86)
        // 821 pages of areas, one of them in memory, seven tables.
        machine.map(shell, 0x1000_0000, pages: 788 - 4)
        for address: UInt64 in [0x40_0000_0000, 0x80_0000_0000, 0x80_4000_0000, 0x80_8000_0000] {
            machine.map(shell, address, pages: 1)
        }
        _ = machine.kernel.storeUser(shell, 0x1000_0000, [1], in: CallContext(pid: 86))
        for address: UInt64 in [0x40_0000_0000, 0x80_0000_0000] {
            _ = machine.kernel.loadUser(shell, address, bytes: 1, in: CallContext(pid: 86))
        }
        let space = machine.kernel.processes[shell].space
        #expect(space.mappedPages == 821 && space.residentPages == 1)
        let descriptor = try #require(CallRegistry.byName["alloc_page"])
        var arguments = CallArguments()
        arguments.set(0, word: UInt64(GFPFlags.kernel.union(.noWarn).rawValue))
        var lines: [String] = []
        for _ in 0..<40_000 where machine.kernel.process(86) != nil {
            let context = CallContext(pid: 86)
            lines = Array(machine.kernel.apply(descriptor, arguments, in: context).log)
        }

        let recorded = try MemInfoBlock.log(named: "bad-oom.case-90.txt")
        let tables = space.tableCount
        for line in recorded where line.hasPrefix("oom-kill:") || line.hasPrefix("sh invoked") {
            #expect(lines.contains(line))
        }
        for line in recorded where line.hasPrefix("[     86]") || line.hasPrefix("Out of memory") {
            let own = line.replacing("28672", with: "\(tables * 4096)")
                .replacing("pgtables:28kB", with: "pgtables:\(tables * 4)kB")
            #expect(lines.contains(own))
        }
        #expect(lines.contains("Tasks state (memory values in pages):"))
        #expect(lines.contains("Mem-Info:"))
    }

    @Test func `the process whose end frees most is killed, and the request is served`() throws {
        var machine = try ReclaimMachine()
        let small = try machine.kernel.createProcess(named: "small", parent: 1, cpu: 0).get()
        let large = try machine.kernel.createProcess(named: "large", parent: 1, cpu: 0).get()
        for (pid, pages) in [(small, 10), (large, 1_000)] {
            let place = try machine.place(pid)
            machine.map(place, 0x1000_0000, pages: UInt64(pages))
            for page in 0..<UInt64(pages) {
                let address = 0x1000_0000 + page * 4096
                _ = machine.kernel.storeUser(place, address, [1], in: CallContext(pid: pid))
            }
        }

        var taken = 0
        while machine.kernel.process(large) != nil, taken < 40_000 {
            let page = machine.kernel.allocPages(order: 0, flags: .kernel)
            try #require(page != nil)
            taken += 1
        }
        let violations = machine.kernel.checkInvariants(misuse: false)

        let alive = machine.kernel.pids
        let log = machine.kernel.log.lines
        #expect(alive == [1, small])
        #expect(machine.event(.oomKill) == 1)
        #expect(log.contains { $0.hasPrefix("Out of memory: Killed process \(large)") })
        #expect(violations == [])
    }

    @Test func `oom_score_adj keeps a process, or offers it`() throws {
        var machine = try ReclaimMachine()
        let kept = try machine.kernel.createProcess(named: "kept", parent: 1, cpu: 0).get()
        let offered = try machine.kernel.createProcess(named: "offered", parent: 1, cpu: 0).get()
        try machine.call("oom_score_adj", UInt64(kept), 0xffff_fc18)
        try machine.call("oom_score_adj", UInt64(offered), 1000)
        let place = try machine.place(kept)
        machine.map(place, 0x1000_0000, pages: 500)
        for page in 0..<UInt64(500) {
            _ = machine.kernel.storeUser(place, 0x1000_0000 + page * 4096, [1], in: .standard)
        }

        var taken = 0
        while machine.kernel.process(offered) != nil, taken < 40_000 {
            _ = machine.kernel.allocPages(order: 0, flags: .kernel)
            taken += 1
        }

        let alive = machine.kernel.pids
        #expect(alive == [1, kept])
    }

    @Test func `with nobody to kill the machine panics`() throws {
        var machine = try ReclaimMachine()

        _ = exhaust(&machine, .kernel)

        let isPanicked = machine.kernel.isPanicked
        let lines = machine.kernel.log.lines
        #expect(isPanicked)
        #expect(lines.contains("Out of memory and no killable processes..."))
        #expect(lines.last == "Kernel panic - not syncing: System is deadlocked on memory")
    }

    @Test(
        "requests that may fail kill nobody",
        arguments: [
            (GFPFlags.kernel.union(.noRetry), 0), (.kernel.union(.retryMayFail), 0), (.kernel, 4),
            (.noWait, 0), (.atomic, 0), (.kernel.union(.thisNode), 0), (.kernel.union(.dma), 0),
        ]
    )
    func nobodyIsKilled(flags: GFPFlags, order: Int) throws {
        var machine = try ReclaimMachine()
        _ = try machine.kernel.createProcess(named: "victim", parent: 1, cpu: 0).get()

        let count = exhaust(&machine, flags.union(.noWarn), order: order)

        #expect(count > 0)
        let isPanicked = machine.kernel.isPanicked
        #expect(machine.event(.oomKill) == 0)
        #expect(!isPanicked)
    }

    @Test func `without __GFP_IO nothing is swapped, without __GFP_FS shrinkers that need it rest`()
        throws
    {
        var machine = try ReclaimMachine(swap: 32)
        machine.map(0, 0x1000_0000, pages: 2_000)
        for page in 0..<UInt64(2_000) {
            _ = machine.kernel.storeUser(0, 0x1000_0000 + page * 4096, [1], in: .standard)
        }
        let created = try machine.call("kmem_cache_create", 4_000, text: "inodes").result.value
        guard case .pointer(let cache) = created else {
            Issue.record("no cache")
            return
        }
        let found = machine.kernel.cache(.address(cache))
        let place = try #require(found)
        for _ in 0..<200 {
            _ = machine.kernel.allocateObject(
                from: Int(place.rawValue),
                flags: .kernel,
                in: .standard
            )
        }
        let shrinker = Shrinker(
            name: "sb",
            cache: Int(place.rawValue),
            seeks: 2,
            batch: 16,
            needsFS: true
        )
        _ = machine.kernel.register(shrinker)
        let quiet: GFPFlags = [.directReclaim, .noWarn, .retryMayFail]

        _ = exhaust(&machine, quiet)
        let withoutIO = (machine.event(.pswpout), machine.kernel.shrinkers[0].freedObjects)
        _ = exhaust(&machine, quiet.union(.io))
        let withIO = (machine.event(.pswpout), machine.kernel.shrinkers[0].freedObjects)
        _ = exhaust(&machine, quiet.union([.io, .fs]))
        let withFS = machine.kernel.shrinkers[0].freedObjects

        #expect(withoutIO == (0, 0))
        #expect(withIO.0 > 0 && withIO.1 == 0)
        let violations = machine.kernel.checkInvariants(misuse: false)
        #expect(withFS == 200)
        #expect(violations == [])
    }

    @Test func `kswapd works off a boost, and keeps the zone above its high mark`() throws {
        var machine = try ReclaimMachine()
        try machine.call("page_cache_read", 200 << 20, text: "/large")
        // Another class's block is broken: the marks rise until kswapd has run.
        let zone = machine.kernel.pages.zones.count - 1
        machine.kernel.pages.zones[zone].watermarks.boost = 512
        machine.kernel.pages.wakeKswapd(boosted: 1 << UInt64(zone))
        let node = machine.kernel.pages.zones[zone].node

        try machine.call("sync")
        let boost = machine.kernel.pages.zones[zone].watermarks.boost

        let isBalanced = machine.kernel.isBalanced(node, order: 0, upTo: .device)
        #expect(boost == 0)
        #expect(isBalanced)
        #expect(machine.event(.pageoutrun) > 0)
        #expect(machine.event(.pgstealKswapd) > 0)
    }
}
