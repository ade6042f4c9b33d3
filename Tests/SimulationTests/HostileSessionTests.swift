import KernelHeap
import Testing

@Suite("Simulation: hostile sessions")
struct HostileSessionTests {
    @Test(
        "any call with any arguments leaves every structure sound",
        arguments: MachineShape.all,
        Simulation.seeds
    )
    func anyCall(shape: MachineShape, seed: UInt64) throws {
        let run = try CallRun(shape.description)
        var hostile = HostileCalls(seed: seed)
        for step in 0..<Simulation.steps {
            let call = hostile.next(cpus: shape.description.cpus)
            let outcome = run.run(call, explaining: step % 16 == 0)
            hostile.note(outcome)
            guard step % 50 == 49 || step + 1 == Simulation.steps else { continue }
            let violations = run.violations(misuse: true)
            try #require(violations.isEmpty, "\(shape.name), seed \(seed), step \(step)")
        }
        #expect(run.kernel.sequence == UInt64(Simulation.steps))
    }
}
