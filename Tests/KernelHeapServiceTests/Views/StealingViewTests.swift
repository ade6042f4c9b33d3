import KernelHeap
import TestSupport
import Testing

/// A recorded run of three mobility classes over HTTP: `/proc/pagetypeinfo`, its JSON twin and the
/// view of zones tell of the same pageblocks before and after.
@Suite("HTTP: stolen pageblocks")
struct StealingViewTests {
    private let service: ServiceFixture
    private let trace: PageTrace

    init() throws {
        service = try ServiceFixture()
        trace = try PageTrace(named: "dma32-v8-s1")
    }

    @Test func `the text, its lines as JSON and the zones agree with the recording`() throws {
        let session = try service.boot(machine())
        let first = try #require(trace.lines.firstIndex { $0.state != nil })
        let state = try #require(trace.lines[first].state)

        try expect(session, shows: trace.start.view)
        let calls = trace.lines[..<first].compactMap { item($0.step) }
        let answer = try service.send(
            "POST",
            session + "/calls",
            calls.joined(separator: "\n"),
            headers: ["Content-Type": "application/x-ndjson"]
        )
        try expect(session, shows: state.view)

        #expect(calls.count > 2_000)
        #expect(answer.lines.count == calls.count)
        #expect(state.view.pageblocks != trace.start.view.pageblocks)
    }

    /// Compares all three with what was recorded of the zone.
    private func expect(_ session: String, shows recorded: ZoneView) throws {
        let path = session + "/proc/pagetypeinfo"
        let text = try service.send("GET", path).text
        let twin = try service.send("GET", path, headers: ["Accept": "application/json"]).json
        let zones = try service.send("GET", session + "/zones").json["zones"].elements
        let nodes = try ProcParser.pageTypeInfo(text)
        let shown = try #require(nodes[0].zones.first { $0.type == recorded.type })
        let zone = try #require(zones.first { $0["name"] == .string(recorded.type.name) })

        #expect(shown.freeBlocks == recorded.freeBlocks)
        #expect(shown.pageblocks == recorded.pageblocks)
        let lines = twin["lines"].elements.map { $0.text + "\n" }.joined()
        #expect(lines == text)
        for type in MigrateType.allCases {
            let place = Int(type.rawValue)
            #expect(
                zone["pageblocks"][type.name].number == Double(recorded.pageblocks[place])
            )
            let free = zone["free_blocks"].elements.map { $0["blocks"][type.name].number }
            #expect(free == recorded.freeBlocks.map { Double($0[place]) })
        }
    }

    /// A step as a line of a batch.
    private func item(_ step: PageTrace.Step) -> String? {
        switch step {
        case .allocate(let order, _, let type):
            let flags = trace.flags(type).rawValue
            return #"{"call":"alloc_pages","gfp_mask":\#(flags),"order":\#(order)}"#
        case .free(let order, let pfn):
            return #"{"call":"__free_pages","page":\#(pfn),"order":\#(order)}"#
        default: return nil
        }
    }

    /// The recorded start as a request for a session.
    private func machine() -> String {
        let zones = trace.zones.map { zone in
            let marks = zone.watermarks ?? WatermarksDescription(min: 0, low: 0, high: 0)
            var text = """
                {"node":0,"name":"\(zone.name.name)","start_pfn":\(zone.startPFN),\
                "spanned":\(zone.spanned),"present":\(zone.present),"managed":\(zone.managed),\
                "watermarks":{"min":\(marks.min),"low":\(marks.low),"high":\(marks.high),\
                "boost":\(marks.boost)},"lowmem_reserve":\(zone.lowmemReserve ?? [])
                """
            if let blocks = zone.pageblocks {
                let runs = blocks.map { run in
                    #"{"start_pfn":\#(run.startPFN),"count":\#(run.count),"#
                        + #""migratetype":"\#(run.migrateType.name)","lru_pages":\#(run.lruPages)}"#
                }
                text += #","pageblocks":[\#(runs.joined(separator: ","))]"#
            }
            if let lists = zone.freeLists {
                let rows = lists.map { list in
                    #"{"order":\#(list.order),"migratetype":"\#(list.migrateType.name)","#
                        + #""pfns":\#(list.pfns)}"#
                }
                text += #","free_lists":[\#(rows.joined(separator: ","))]"#
            }
            if let lists = zone.pcp?.first {
                let rows = lists.lists.map { #"{"index":\#($0.index),"pfns":\#($0.pfns)}"# }
                text += """
                    ,"pcp":[{"cpu":0,"batch":\(lists.batch ?? 1),"high":\(lists.high ?? 4),\
                    "free_factor":\(lists.freeFactor),"lists":[\(rows.joined(separator: ","))]}]
                    """
            }
            return text + "}"
        }
        return #"{"machine":{"zones":[\#(zones.joined(separator: ","))]}}"#
    }
}
