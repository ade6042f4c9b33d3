import CAllocatorPeer
import KernelHeap

/// Times the engine's calls and the C library's malloc in turn, in one process.
///
/// Prints one line for each reading, `subject side value checksum`, separated by tabs; `engine/run.py` reads them,
/// makes ratios and writes the result file. Values are nanoseconds for each pair of calls, or as the subject says.
/// `--user` measures processes and copies only, `--pressure` a full machine beside an empty one, `--kasan` the address sanitizer beside none, `--leaks` scans for leaks. `--sessions MIB` measures sessions of that size instead, in a process of their own: their memory is read off it.
@main
struct EngineBenchmark {
    static func main() {
        let scale = Scale(arguments: CommandLine.arguments)
        do throws(MachineError) {
            if let memory = scale.sessionMebibytes {
                return try SessionBenchmark(scale: scale, memoryBytes: memory << 20).run()
            }
            if scale.measuresPressureOnly {
                for _ in 0..<scale.rounds { try PressureBenchmark(scale: scale).run() }
                return
            }
            if scale.measuresKasanOnly {
                for _ in 0..<scale.rounds { try KasanBenchmark(scale: scale).run() }
                return
            }
            if scale.measuresLeaksOnly {
                for _ in 0..<scale.rounds { try LeakBenchmark(scale: scale).run() }
                return
            }
            if scale.measuresUserOnly {
                for _ in 0..<scale.rounds { try UserBenchmark(scale: scale).run() }
                return
            }
            for round in 0..<scale.rounds {
                try CallBenchmark(scale: scale, round: round).run()
                try BuddyBenchmark(scale: scale, round: round).run()
                try GrowthBenchmark(scale: scale).run()
                try TranslationBenchmark(scale: scale).run()
                try VmallocBenchmark(scale: scale).run()
                try PressureBenchmark(scale: scale).run()
                try UserBenchmark(scale: scale).run()
                try KasanBenchmark(scale: scale).run()
                try LeakBenchmark(scale: scale).run()
            }
        } catch {
            print("error\t\(error.pointer)\t0\t\(error.message)")
        }
    }
}

/// How much work a run does.
struct Scale {
    let rounds: Int
    let pairs: UInt64
    let liveObjects: UInt64
    /// Live allocations and machine sizes that the cost of a call is measured at.
    let growth: [UInt64]
    let machines: [UInt64]
    let growthPairs: UInt64
    let sessions: Int
    let sessionMebibytes: UInt64?
    let measuresUserOnly: Bool
    let measuresPressureOnly: Bool
    let measuresKasanOnly: Bool
    let measuresLeaksOnly: Bool

    /// `--smoke` shrinks every loop to what shows that it still runs; `--rounds N` repeats.
    init(arguments: [String]) {
        let isSmoke = arguments.contains("--smoke")
        func value(of flag: String) -> String? {
            guard let index = arguments.firstIndex(of: flag), index + 1 < arguments.count else {
                return nil
            }
            return arguments[index + 1]
        }
        rounds = value(of: "--rounds").flatMap { Int($0) } ?? (isSmoke ? 1 : 7)
        sessionMebibytes = value(of: "--sessions").flatMap { UInt64($0) }
        measuresUserOnly = arguments.contains("--user")
        measuresPressureOnly = arguments.contains("--pressure")
        measuresKasanOnly = arguments.contains("--kasan")
        measuresLeaksOnly = arguments.contains("--leaks")
        pairs = isSmoke ? 10_000 : 5_000_000
        liveObjects = isSmoke ? 1_000 : 100_000
        growth = isSmoke ? [1_000] : [1_000, 10_000, 100_000, 1_000_000]
        machines = isSmoke ? [1 << 30] : [1 << 30, 1 << 35, 1 << 40]
        growthPairs = isSmoke ? 1_000 : 1_000_000
        sessions = isSmoke ? 20 : 2_000
    }
}

/// One reading, as a line of output.
///
/// - Parameters:
///   - subject: what was timed.
///   - side: whose it is: `kheapd` or `malloc`.
///   - value: in the subject's unit.
///   - checksum: of the work done, so that both sides can be seen to have done it.
func report(_ subject: String, _ side: String, _ value: Double, checksum: UInt64) {
    print("\(subject)\t\(side)\t\(value)\t\(checksum)")
}

/// Seconds that `work` took, and what it returned.
func timed<R>(_ work: () throws(MachineError) -> R) throws(MachineError) -> (seconds: Double, R) {
    let start = peer_seconds()
    let result = try work()
    return (peer_seconds() - start, result)
}
