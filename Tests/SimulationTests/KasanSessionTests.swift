import Testing

@testable import KernelHeap

@Suite("Simulation: the address sanitizer")
struct KasanSessionTests {
    @Test(
        "reports are those of the model, to the byte, and there are no others",
        arguments: [1, 3],
        Simulation.seeds
    )
    func reportsAreExact(cpus: Int, seed: UInt64) throws {
        let run = try KasanRun(cpus: cpus, seed: seed)
        for step in 0..<Simulation.steps * 4 {
            #expect(throws: Never.self, "\(cpus) CPUs, seed \(seed), step \(step)") {
                try run.step()
            }
        }

        #expect(run.reportCount > 0)
        #expect(run.accessCount > run.reportCount)
        #expect(run.calls.violations(misuse: false) == [], "\(cpus) CPUs, seed \(seed)")
    }

    @Test("a client without mistakes hears nothing", arguments: Simulation.seeds)
    func noFalseAlarms(seed: UInt64) throws {
        let shape = MachineShape("kasan, 2 CPUs") {
            $0.kasan = true
            $0.cpus = 2
        }
        let run = try SoundRun(shape, seed: seed)
        for _ in 0..<Simulation.steps * 4 { try run.step() }
        try run.finish()

        let reports = run.calls.kernel.misuseReports.reports
        #expect(reports.map(\.warning.sentence) == [], "seed \(seed)")
    }
}
