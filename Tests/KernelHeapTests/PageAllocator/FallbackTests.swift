import TestSupport
import Testing

@testable import KernelHeap

@Suite("Page allocator: how far each class of request goes")
struct FallbackTests {
    @Test("runs end where the recorded ones do, zone by zone", arguments: FallbackRecording.names)
    func goesAsFar(name: String) throws {
        let recording = try FallbackRecording(named: name)
        var compared = 0
        for run in recording.runs where run.isComparable {
            let plan = FallbackPlan(recording, run)
            var machine = try FallbackMachine(
                recording.start,
                plan.levels,
                flags: GFPFlags(rawValue: run.flags),
                order: run.order,
                own: plan.own
            )

            let difference = plan.run(on: &machine)

            #expect(difference == nil, "\(name), \(run)")
            compared += 1
        }
        #expect(compared >= 6)
    }

    @Test(
        "where a run ended every zone refuses it, and other classes get what they got",
        arguments: FallbackRecording.names
    )
    func refuses(name: String) throws {
        let recording = try FallbackRecording(named: name)
        var compared = 0
        for run in recording.runs
        where run.order == 0 && run.last.allSatisfy({ $0.highAtomic == 0 }) {
            // Over-full per-CPU lists give pages back at a probe, by the history of frees.
            let isOverfull = zip(recording.start, run.last).contains { state, level in
                UInt64(level.pcp) >= state.zone.pcp?.first?.high ?? 0
                    && run.stretches.contains { $0.zone == level.zone }
            }
            if isOverfull { continue }
            var machine = try FallbackMachine(
                recording.start,
                run.last,
                flags: GFPFlags(rawValue: run.flags),
                order: 0,
                own: Dictionary(
                    uniqueKeysWithValues: run.last.filter { $0.zone != .dma }.map {
                        ($0.zone, min($0.pcp, 62))
                    }
                )
            )

            #expect(machine.take() == nil, "\(name), \(run)")
            for probe in run.probes {
                let flags = try #require(Self.probes[probe.name])
                let zone = machine.probe(flags)
                #expect(zone == probe.zone, "\(name), \(run), \(probe.name)")
            }
            compared += 1
        }
        #expect(compared >= 10)
    }

    /// `__GFP_MEMALLOC` that cannot wait takes the reserve down to min, then all but the reserve.
    @Test func `the last reserves go as recorded`() throws {
        let recording = try FallbackRecording(named: "5G-nomovable")
        let run = try #require(recording.runs.first { $0.flags == GFPFlags.memAlloc.rawValue })
        let flags = GFPFlags(rawValue: run.flags)
        let levels = run.before.map { level in
            // Whole refills are left out: they change nothing but the count.
            var level = level
            let refills = level.zone == .dma ? 0 : (level.exactFree - 16_000) / 63
            level.exactFree -= refills * 63
            level.statFree -= refills * 63
            return level
        }
        var machine = try FallbackMachine(recording.start, levels, flags: flags, order: 0, own: [:])

        while machine.take() != nil {}

        for level in run.last {
            let free = machine.free(level.zone)
            let threshold = recording.start.first { $0.zone.name == level.zone }?.statThreshold ?? 0
            // The counter lags by up to its threshold; where in the lag a run ends is not recorded.
            #expect(abs((free?.exact ?? -1) - level.exactFree) <= threshold, "\(level)")
        }
    }

    @Test(arguments: [GFPFlags.atomic, .high])
    func `a high-order request below low sets its pageblock aside, a waiting one gets it back`(
        flags: GFPFlags
    ) throws {
        let recording = try FallbackRecording(named: "1G")
        let levels = recording.runs[0].before.map { level in
            var level = level
            level.exactFree = level.zone == .dma ? 0 : 1_212
            level.statFree = level.exactFree
            return level
        }
        var machine = try FallbackMachine(recording.start, levels, flags: flags, order: 3, own: [:])

        let first = machine.take()
        let reserved = machine.reserved(.dma32)
        let hasty = machine.probe(.kernel.union(.noRetry))
        let kept = machine.reserved(.dma32)
        let patient = machine.probe(.kernel)
        let left = machine.reserved(.dma32)

        #expect(first == .dma32)
        #expect(reserved == 512)
        #expect(hasty == nil)
        #expect(kept == 512)
        #expect(patient == .dma32)
        #expect(left == 0)
    }

    @Test(
        "the idle machine serves each class from the recorded zone",
        arguments: FallbackRecording.names
    )
    func serves(name: String) throws {
        let recording = try FallbackRecording(named: name)
        let table = GFPTable.linux61
        for served in recording.served {
            var number: UInt32 = 0
            for word in served.flags.split(separator: "|") {
                number |= try #require(table.value(of: word))
            }
            var machine = try FallbackMachine(
                recording.start,
                recording.runs[0].before,
                flags: table.flags(number: number),
                order: served.order,
                own: [:]
            )

            let zone = machine.take()

            #expect(zone == served.zone, "\(name), \(served)")
        }
        #expect(recording.served.count >= 40)
    }

    /// What the recording module asked for under its short names.
    private static let probes: [String: GFPFlags] = [
        "0": [],
        "GFP_NOWAIT": .noWait,
        "__GFP_HIGH": .high,
        "GFP_ATOMIC": .atomic,
        "__GFP_HIGH|NOMEMALLOC": [.atomic, .noMemAlloc],
        "__GFP_MEMALLOC": .memAlloc,
        "GFP_DMA": .dma,
        "GFP_DMA32": .dma32,
        "GFP_DMA|HIGH": [.dma, .high],
        "HIGHUSER_MOVABLE": .highUserMovable.subtracting(.reclaim),
    ]
}

extension FallbackRecording.Run {
    /// Whether the counters alone decide the run: nothing else ran, no other class's block was
    /// taken, which shows as a rising boost, and it took no page of the high-atomic reserve.
    ///
    /// Which frames were free decides the rest, and is not recorded.
    fileprivate var isComparable: Bool {
        // One that may reclaim, but gives up a large order after the first round, finds nothing there.
        let isDecided = isAlone || (order > 3 && flags & GFPFlags.noRetry.rawValue != 0)
        guard isDecided, order < 9, flags != GFPFlags.memAlloc.rawValue else { return false }
        return stretches.flatMap(\.after).allSatisfy { level in
            before.contains {
                $0.zone == level.zone && $0.boost == level.boost
                    && $0.highAtomic == level.highAtomic
            }
        }
    }
}

/// A recorded run cut short: of the first, long stretch in each zone only the end is run, for
/// whole refills of the per-CPU list change nothing but the count of free pages.
private struct FallbackPlan {
    private(set) var levels: [FallbackRecording.Level]
    private(set) var own: [ZoneType: Int] = [:]
    private var stretches: [FallbackRecording.Stretch]

    init(_ recording: FallbackRecording, _ run: FallbackRecording.Run) {
        levels = run.before
        stretches = run.stretches
        for (index, level) in run.before.enumerated() {
            let zone = recording.start.first { $0.zone.name == level.zone }?.zone
            let batch = Int(zone?.pcp?.first?.batch ?? 1)
            let usesLists = PerCPUPages.allows(order: run.order)
            let refill = usesLists && batch > 1 ? max(batch >> run.order, 2) : 1
            let blocks = stretches.reduce(0) { $0 + ($1.zone == level.zone ? $1.count : 0) }
            guard blocks > 0, let end = run.last.first(where: { $0.zone == level.zone }) else {
                continue
            }
            // What was taken came from the list and from refills; the last is used in part.
            let refilled = level.exactFree - end.exactFree
            let left = refilled > 0 ? min((refill - 1) << run.order, end.pcp) : 0
            let listed = max(0, (blocks << run.order) + left - refilled) >> run.order
            if usesLists { own[level.zone] = listed }
            // Zones that refill page by page are small, and run whole.
            guard refill > 1 || !usesLists,
                let first = stretches.firstIndex(where: { $0.zone == level.zone })
            else { continue }
            let skipped = max(0, stretches[first].count - listed - 1_000) / refill * refill
            stretches[first].count -= skipped
            levels[index].exactFree -= skipped << run.order
            levels[index].statFree -= skipped << run.order
        }
    }

    /// - Returns: how the machine differs from the recording, or nil.
    func run(on machine: inout FallbackMachine) -> String? {
        for (place, stretch) in stretches.enumerated() {
            for block in 0..<stretch.count {
                let zone = machine.take()
                if zone != stretch.zone {
                    let name = zone?.name ?? "NULL"
                    return "stretch \(place), \(stretch.count - block) before its end: \(name)"
                }
            }
        }
        if let zone = machine.take() { return "goes on in \(zone.name)" }
        for level in stretches.last?.after ?? [] {
            guard let free = machine.free(level.zone) else { return "no zone \(level.zone.name)" }
            if free.exact != level.exactFree || free.stat != level.statFree {
                return "\(level.zone.name) has \(free), recorded \(level)"
            }
        }
        return nil
    }
}
