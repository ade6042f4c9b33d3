import Testing

@testable import KernelHeap

@Suite("Simulation: memory runs out beside a model of bytes")
struct ReclaimSessionTests {
    @Test(
        "no page is lost, no byte is lost, and what was swapped out comes back",
        arguments: Simulation.seeds.prefix(2),
        ["linux-6.1-x86_64", "linux-6.1-i386"]
    )
    func conservation(seed: UInt64, profile: String) throws {
        var run = try ReclaimRun(seed: seed, profile: profile)
        try run.openFiles()
        for step in 0..<Simulation.steps / 4 {
            try run.step()
            let place = "seed \(seed), \(profile), step \(step)"
            try #require(run.wrong.prefix(3) == [], "\(place)")
            let isPanicked = run.kernel.isPanicked
            try #require(!isPanicked, "\(place)")
            guard step % 10 == 9 else { continue }
            let violations = run.kernel.checkInvariants(misuse: false)
            try #require(violations == [], "\(place)")
        }
        try run.loadEverything()
        #expect(run.wrong == [], "seed \(seed), \(profile)")
        let counts = run.kernel.vmStatView().events
        #expect(counts[.pgstealFile] > 0, "seed \(seed), \(profile)")

        try run.endEverything()

        let violations = run.kernel.checkInvariants(misuse: false)
        let after = run.kernel.pages.ownPages()
        #expect(violations == [], "seed \(seed), \(profile)")
        #expect(after == run.freePagesBefore, "seed \(seed), \(profile)")
        let used = run.kernel.swap.totalPages - run.kernel.swap.freePages
        #expect(used == 0, "seed \(seed), \(profile)")
    }
}

extension ReclaimRun {
    /// Every page of every process, and every word of every file.
    mutating func loadEverything() throws {
        for pid in model.processes.keys.sorted() {
            for number in (model.processes[pid] ?? [:]).keys.sorted() {
                guard model.processes[pid] != nil else { break }
                try words(pid, number, model.expected(pid, number))
            }
        }
        for (file, contents) in model.files.enumerated() {
            for (number, words) in contents.words where number * 4096 + 8 <= contents.bytes {
                let outcome = try call("pread", descriptors[file], 8, number << 12)
                guard case .bytes(let bytes)? = outcome.fact("data") else { continue }
                if Self.word(bytes[...]) != words.head { wrong.append("file \(file), \(number)") }
            }
        }
    }

    /// Gives everything back that was asked for.
    mutating func endEverything() throws {
        for pid in model.processes.keys.sorted() where pid != 1 {
            try call("process_exit", pid: pid)
        }
        try call("munmap", Self.first << 12, UInt64(Self.window + 512) << 12)
        for address in held { try call("free_pages", address, 0) }
        for address in blocks { try call("free_pages", address, 9) }
        try call("sync")
        try call("drop_caches", 1)
        for descriptor in descriptors { try call("close", descriptor) }
        kernel.releaseUserSpace(0, cpu: 0)
    }
}
