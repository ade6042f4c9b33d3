import Testing

@testable import KernelHeap

@Suite("Simulation: sessions without mistakes")
struct SoundSessionTests {
    @Test(
        "nothing has two owners, bytes stay, and pages are conserved",
        arguments: MachineShape.all,
        Simulation.seeds
    )
    func sound(shape: MachineShape, seed: UInt64) throws {
        let run = try SoundRun(shape, seed: seed)
        let atBoot = totals(run.calls.kernel)
        for step in 0..<Simulation.steps {
            #expect(throws: Never.self, "\(shape.name), seed \(seed), step \(step)") {
                try run.step()
            }
            guard step % 50 == 49 || step + 1 == Simulation.steps else { continue }
            let violations = run.calls.violations(misuse: false)
            try #require(violations.isEmpty, "\(shape.name), seed \(seed), step \(step)")
            #expect(totals(run.calls.kernel) == atBoot, "seed \(seed), step \(step)")
        }
        try run.finish()

        #expect(run.calls.violations(misuse: false) == [], "\(shape.name), seed \(seed)")
        #expect(totals(run.calls.kernel) == atBoot, "\(shape.name), seed \(seed)")
    }

    /// Per zone the frames that something owns: free, kept, allocated or cut into slabs.
    private func totals(_ kernel: borrowing Kernel) -> [Int] {
        kernel.pages.zones.indices.map { kernel.pages.census(zone: $0).accounted }
    }
}
