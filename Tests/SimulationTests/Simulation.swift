import Foundation

/// How long and from which seeds the simulations run.
enum Simulation {
    /// `KHEAPD_SIMULATION_STEPS` lengthens a hunt.
    static let steps = number("KHEAPD_SIMULATION_STEPS").map(Int.init) ?? 150
    /// `KHEAPD_SIMULATION_TRACE=1` prints each call before it runs: the last line names a trap.
    static let isTraced = number("KHEAPD_SIMULATION_TRACE") == 1
    /// Seeds that always run, and one that does not: `KHEAPD_SIMULATION_SEED`, or the clock's.
    static let seeds: [UInt64] = {
        let fresh = number("KHEAPD_SIMULATION_SEED") ?? UInt64(Date().timeIntervalSince1970)
        print("simulation: fresh seed \(fresh)")
        return [1, 2, fresh]
    }()

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
