import Testing

@testable import KernelHeap

@Suite("Simulation: owners of pages")
struct PageOwnerSessionTests {
    @Test("every page is whose it was given to", arguments: Simulation.seeds)
    func allocations(seed: UInt64) throws {
        let shape = MachineShape("owners, 2 CPUs") {
            $0.cpus = 2
            $0.bootOptions = "page_owner=on"
        }
        let run = try SoundRun(shape, seed: seed)
        var model = PageOwnerModel(run.calls.kernel)
        for step in 0..<Simulation.steps {
            try run.step()
            let wrong = model.follow(run.calls.kernel)
            try #require(wrong.prefix(3) == [], "seed \(seed), step \(step)")
        }
        try run.finish()
        let wrong = model.follow(run.calls.kernel)

        #expect(wrong == [], "seed \(seed)")
        #expect(model.compared > Simulation.steps)
        #expect(run.calls.violations(misuse: false) == [], "seed \(seed)")
    }

    @Test(
        "pages that compaction moves and reclaim takes keep the right owners",
        arguments: Simulation.seeds.prefix(2)
    )
    func reclaim(seed: UInt64) throws {
        var run = try ReclaimRun(
            seed: seed,
            profile: "linux-6.1-x86_64",
            bootOptions: "page_owner=on"
        )
        var model = PageOwnerModel(run.kernel)
        try run.openFiles()
        for step in 0..<Simulation.steps / 5 {
            try run.step()
            if step % 6 == 5 { try run.call("compact_memory") }
            let wrong = model.follow(run.kernel)
            try #require(wrong.prefix(3) == [], "seed \(seed), step \(step)")
        }

        #expect(model.moved > 0, "seed \(seed)")
        let violations = run.kernel.checkInvariants(misuse: false)
        #expect(violations == [], "seed \(seed)")
    }
}
