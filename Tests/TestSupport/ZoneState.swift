public import KernelHeap

/// A zone as the recording module printed it: `ZONE`, `N`, `FL`, `PCP`, `PB`, `LRU` lines.
public struct ZoneState: Sendable {
    /// Why it was printed: `start`, `mid`, `end_nodrain`.
    public let label: String
    /// What a machine boots from to be in this state; CPU 0 has the only per-CPU lists.
    public private(set) var zone: ZoneDescription
    /// The counters that were printed with it.
    public private(set) var counters: ZoneCounters?
    public let statThreshold: Int
    /// The watermark of page promotion between memory tiers.
    public let promo: UInt64
    private var lru: [UInt64: UInt64] = [:]

    /// Starts a state at its `ZONE` line.
    init(opening line: RecordingLine) throws(RecordingLine.Unreadable) {
        let end = line.words.firstIndex { $0.starts(with: Array("name=".utf8)) } ?? 1
        label = (1..<max(1, end)).map { line.word($0) }.joined(separator: " ")
        guard let name = ZoneType(name: try line.value(of: "name")) else { throw line.unreadable }
        zone = ZoneDescription()
        zone.name = name
        zone.node = try line.integer(of: "node")
        zone.startPFN = try line.count(of: "start_pfn")
        zone.spanned = try line.count(of: "spanned")
        zone.present = try line.count(of: "present")
        zone.managed = try line.count(of: "managed")
        zone.watermarks = try WatermarksDescription(
            min: line.count(of: "min"),
            low: line.count(of: "low"),
            high: line.count(of: "high"),
            boost: line.count(of: "boost")
        )
        zone.lowmemReserve = try line.counts(of: "lowmem_reserve")
        zone.pageblocks = []
        zone.freeLists = []
        statThreshold = try line.integer(of: "stat_threshold")
        promo = try line.count(of: "promo")
        zone.pcp = [PerCPUPagesDescription(cpu: 0)]
    }

    /// Takes a further line of the state.
    ///
    /// - Returns: `false` where the line belongs to something else.
    mutating func take(_ line: RecordingLine) throws(RecordingLine.Unreadable) -> Bool {
        switch line.keyword {
        case "N":
            guard counters == nil else { return false }
            let read = try ZoneCounters(line)
            guard read.label == label else { return false }
            counters = read
            zone.pcp?[0].high = read.pcpHigh
            zone.pcp?[0].batch = read.pcpBatch
            zone.pcp?[0].freeFactor = read.pcpFreeFactor
        case "FL":
            zone.freeLists?.append(
                FreeListDescription(
                    order: Int(try line.number(1)),
                    migrateType: try Self.migrateType(line.number(2), line),
                    pfns: try line.numbers(from: 3)
                )
            )
        case "PCP":
            let list = PerCPUPagesDescription.List(
                index: Int(try line.number(1)),
                pfns: try line.numbers(from: 2)
            )
            zone.pcp?[0].lists.append(list)
        case "PB":
            for place in 1..<line.words.count {
                // Class -2 stands for a hole, which has no pages.
                if line.word(place).hasSuffix(":-2") { continue }
                let run = try Self.colons(line, place, 3)
                let type = try Self.migrateType(run[2], line)
                zone.pageblocks?.append(
                    PageblockRun(startPFN: run[0], count: run[1], migrateType: type)
                )
            }
        case "LRU":
            for place in 1..<max(1, line.words.count) {
                let pair = try Self.colons(line, place, 2)
                lru[pair[0]] = pair[1]
            }
            splitPageblockRuns()
        default: return false
        }
        return true
    }

    /// Gives every pageblock with pages on LRU lists a run of its own.
    private mutating func splitPageblockRuns() {
        var runs: [PageblockRun] = []
        for run in zone.pageblocks ?? [] {
            for block in 0..<run.count {
                // The first block of a zone may begin inside its pageblock.
                let start = block == 0 ? run.startPFN : (run.startPFN / 512 + block) * 512
                let pages = lru[start] ?? lru[start / 512 * 512] ?? 0
                if pages == 0, let last = runs.last, last.lruPages == 0, block > 0 {
                    runs[runs.count - 1].count += 1
                } else {
                    runs.append(
                        PageblockRun(
                            startPFN: start,
                            count: 1,
                            migrateType: run.migrateType,
                            lruPages: pages
                        )
                    )
                }
            }
        }
        zone.pageblocks = runs
    }

    /// The class with the kernel's number.
    static func migrateType(
        _ number: UInt64,
        _ line: RecordingLine
    ) throws(RecordingLine.Unreadable) -> MigrateType {
        guard let type = UInt8(exactly: number).flatMap(MigrateType.init(rawValue:)) else {
            throw line.unreadable
        }
        return type
    }

    private static func colons(
        _ line: RecordingLine,
        _ place: Int,
        _ count: Int
    ) throws(RecordingLine.Unreadable) -> [UInt64] {
        let numbers = line.word(place).split(separator: ":").compactMap { UInt64($0) }
        guard numbers.count == count else { throw line.unreadable }
        return numbers
    }
}

extension ZoneState {
    /// Every zone with memory of a booted machine (`boot/<setup>/freelists.txt`).
    ///
    /// Of several CPUs, the lists of CPU 0 alone were recorded.
    public static func boot(named name: String) throws -> [ZoneState] {
        var states: [ZoneState] = []
        for line in RecordingLine.lines(of: try Recording.bytes("boot/\(name)/freelists.txt")) {
            if line.isEmpty { continue }
            if line.keyword == "ZONE" {
                states.append(try ZoneState(opening: line))
            } else {
                guard var state = states.popLast(), try state.take(line) else {
                    throw line.unreadable
                }
                states.append(state)
            }
        }
        return states
    }
}

/// An `N` line: the counters of a zone at one moment.
public struct ZoneCounters: Hashable, Sendable {
    public let label: String
    /// `NR_FREE_PAGES` of the zone, without what the CPUs hold back.
    public let statFree: Int
    /// What CPU 0 has not yet added to `statFree`.
    public let statDifference: Int
    /// Pages on the per-CPU lists.
    public let pcpCount: UInt64
    public let pcpHigh: UInt64
    public let pcpBatch: UInt64
    public let pcpFreeFactor: UInt64
    public let boost: UInt64
    /// `nr_reserved_highatomic`, pages.
    public let reservedHighAtomic: UInt64
    /// The zone's flags as a number.
    public let flags: UInt64
    /// `nr_free` of every order, smallest first.
    public let freeBlocks: [UInt64]

    init(_ line: RecordingLine) throws(RecordingLine.Unreadable) {
        let end = line.words.firstIndex { $0.starts(with: Array("stat_free=".utf8)) } ?? 1
        label = (1..<max(1, end)).map { line.word($0) }.joined(separator: " ")
        statFree = try line.integer(of: "stat_free")
        statDifference = try line.integer(of: "diff")
        let pcp = try line.counts(of: "pcp", separator: "/")
        guard pcp.count == 4 else { throw line.unreadable }
        pcpCount = pcp[0]
        pcpHigh = pcp[1]
        pcpBatch = pcp[2]
        pcpFreeFactor = pcp[3]
        boost = try line.count(of: "boost")
        reservedHighAtomic = try line.count(of: "resv_ha")
        flags = try line.count(of: "flags")
        freeBlocks = try line.counts(of: "nf")
    }
}
