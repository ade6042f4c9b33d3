public import KernelHeap

/// How far each class of request could go on one machine (`fallback/`).
public struct FallbackRecording: Sendable {
    /// One zone's counters at one moment, in pages.
    public struct Level: Sendable {
        public let zone: ZoneType
        public var exactFree: Int
        /// What the watermark test reads.
        public var statFree: Int
        public let pcp: Int
        public let boost: Int
        public let highAtomic: Int
    }

    /// A piece of a run: so many blocks came from one zone without a break.
    public struct Stretch: Sendable {
        public let zone: ZoneType
        public var count: Int
        /// The zones when another zone had served once, or at giving up.
        public var after: [Level] = []
    }

    /// What one class of request got until NULL.
    public struct Run: Sendable, CustomStringConvertible {
        public let flags: UInt32
        public let order: Int
        /// Interrupts were off: nothing else ran, and nothing was reclaimed.
        public let isAlone: Bool
        public var before: [Level] = []
        public var stretches: [Stretch] = []
        /// What other classes got of the same order after that, each given back at once.
        public var probes: [Probe] = []

        public var description: String { "0x\(String(flags, radix: 16)) order \(order)" }
        public var last: [Level] { stretches.last?.after ?? [] }
    }

    /// One request of another class; nil is NULL.
    public struct Probe: Sendable {
        public let name: String
        public let zone: ZoneType?
    }

    /// The zone that served a request on the idle machine.
    public struct Served: Sendable {
        public let flags: String
        public let order: Int
        public let zone: ZoneType
    }

    public private(set) var start: [ZoneState] = []
    public private(set) var served: [Served] = []
    public private(set) var runs: [Run] = []

    public static let names = ["1G", "5G", "5G-nomovable"]

    public init(named name: String) throws {
        let bytes = try Recording.bytes("fallback/fallback-\(name).txt")
        for line in RecordingLine.lines(of: bytes) where !line.isEmpty { try read(line) }
    }

    private mutating func read(_ line: RecordingLine) throws(RecordingLine.Unreadable) {
        switch line.keyword {
        case "ZONE":
            start.append(try ZoneState(opening: line))
        case "N":
            guard var state = start.popLast(), try state.take(line) else { throw line.unreadable }
            start.append(state)
        case "SERVE":
            served.append(
                Served(
                    flags: line.word(1),
                    order: try line.integer(of: "order"),
                    zone: try Self.zone(line, 4)
                )
            )
        case "FALL":
            let digits = try line.value(of: "gfp").dropFirst(2)
            guard let flags = UInt32(digits, radix: 16) else { throw line.unreadable }
            let isAlone = try line.value(of: "irqoff") == "1"
            let order = try line.integer(of: "order")
            runs.append(Run(flags: flags, order: order, isAlone: isAlone))
        case "Z", "SWITCH", "RUN", "PROBE":
            // Before the first run the idle zones are printed once.
            guard var run = runs.popLast() else { return }
            try Self.read(line, into: &run)
            runs.append(run)
        case "TOTAL": break
        default: throw line.unreadable
        }
    }

    private static func read(
        _ line: RecordingLine,
        into run: inout Run
    ) throws(RecordingLine.Unreadable) {
        switch line.keyword {
        case "RUN":
            run.stretches.append(
                Stretch(zone: try zone(line, 1), count: Int(try line.number(2)))
            )
        case "PROBE":
            let zone = line.word(3) == "NULL" ? nil : try zone(line, 3)
            run.probes.append(Probe(name: line.word(1), zone: zone))
        default:
            let place = line.keyword == "SWITCH" ? 4 : 1
            let level = try level(line, place + 1)
            switch line.word(place) {
            case "before": run.before.append(level)
            case "switch", "giveup":
                guard let last = run.stretches.indices.last else { throw line.unreadable }
                run.stretches[last].after.append(level)
            default: break
            }
        }
    }

    private static func zone(
        _ line: RecordingLine,
        _ place: Int
    ) throws(RecordingLine.Unreadable) -> ZoneType {
        guard let zone = ZoneType(name: line.word(place)) else { throw line.unreadable }
        return zone
    }

    private static func level(
        _ line: RecordingLine,
        _ place: Int
    ) throws(RecordingLine.Unreadable) -> Level {
        Level(
            zone: try zone(line, place),
            exactFree: try line.integer(of: "exact_free"),
            statFree: try line.integer(of: "stat_free"),
            pcp: try line.integer(of: "pcp"),
            boost: try line.integer(of: "boost"),
            highAtomic: try line.integer(of: "highatomic")
        )
    }
}
