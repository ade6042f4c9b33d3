import Foundation

/// Numbers that follow from a seed alone: SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// True once in `count` times.
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}

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
