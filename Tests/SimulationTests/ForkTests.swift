import KernelHeap
import Testing

@Suite("Simulation: forks and repetition")
struct ForkTests {
    private static let shapes = [MachineShape.booted[1], MachineShape.explicit[2]]

    /// Hostile calls from a seed, chosen without looking at any outcome after `noting` of them.
    private func calls(_ count: Int, seed: UInt64, cpus: Int) -> [RecordedCall] {
        var hostile = HostileCalls(seed: seed)
        return (0..<count).map { _ in hostile.next(cpus: cpus) }
    }

    @Test("equal calls on equal machines have equal outcomes", arguments: shapes, Simulation.seeds)
    func repetition(shape: MachineShape, seed: UInt64) throws {
        let first = try CallRun(shape.description)
        let second = try CallRun(shape.description)
        var hostile = HostileCalls(seed: seed)
        for step in 0..<Simulation.steps {
            let call = hostile.next(cpus: shape.description.cpus)
            let outcome = first.run(call, explaining: true)
            let again = second.run(call, explaining: true)
            hostile.note(outcome)
            try #require(outcome.everything == again.everything, "seed \(seed), step \(step)")
        }
        #expect(first.kernel.sequence == second.kernel.sequence)
    }

    @Test("a fork and its original do not see each other", arguments: shapes, Simulation.seeds)
    func forks(shape: MachineShape, seed: UInt64) throws {
        let cpus = shape.description.cpus
        let original = try CallRun(shape.description)
        for call in calls(Simulation.steps, seed: seed, cpus: cpus) { _ = original.run(call) }
        let fork = CallRun(forking: original)

        // The fork goes another way first; a machine that was never forked is the yardstick.
        for call in calls(60, seed: seed &+ 1, cpus: cpus) { _ = fork.run(call) }
        let alone = try CallRun(shape.description)
        for call in original.calls { _ = alone.run(call) }
        for (step, call) in calls(60, seed: seed &+ 2, cpus: cpus).enumerated() {
            let outcome = original.run(call, explaining: true)
            let expected = alone.run(call, explaining: true)
            try #require(outcome.everything == expected.everything, "seed \(seed), step \(step)")
        }
        #expect(original.violations(misuse: true) == [])
        #expect(fork.violations(misuse: true) == [])
    }

    @Test("a fork that runs the same calls ends equal", arguments: shapes, Simulation.seeds)
    func equalForks(shape: MachineShape, seed: UInt64) throws {
        let cpus = shape.description.cpus
        let original = try CallRun(shape.description)
        for call in calls(Simulation.steps, seed: seed, cpus: cpus) { _ = original.run(call) }
        let fork = CallRun(forking: original)

        for (step, call) in calls(60, seed: seed &+ 1, cpus: cpus).enumerated() {
            let outcome = original.run(call)
            let same = fork.run(call)
            try #require(outcome.everything == same.everything, "seed \(seed), step \(step)")
        }
        for frame in stride(from: UInt64(0), to: 4_096, by: 64) {
            let address = 0xffff_8880_0000_0000 + frame << 12
            let ours = try original.call("kernel_read", address, 16_384).everything
            let theirs = try fork.call("kernel_read", address, 16_384).everything
            try #require(ours == theirs, "frame \(frame)")
        }
    }
}
