import Testing

@testable import KernelHeapService

@Suite("Routing")
struct RoutingTests {
    @Test(
        "a path is taken apart",
        arguments: [
            ("/", Route.dashboard, "", ""), ("/healthz", .health, "", ""),
            ("/v1/sessions", .sessions, "", ""), ("/v1/sessions/x", .session, "x", ""),
            ("/v1/sessions/x/calls", .calls, "x", ""),
            ("/v1/sessions/x/calls/kmalloc", .call, "x", "kmalloc"),
            ("/v1/sessions/x/proc/buddyinfo", .proc, "x", "buddyinfo"),
            ("/v1/sessions/x/sys/kernel/slab/a/b", .slabFiles, "x", "kernel/slab/a/b"),
            ("/v1/sessions/x/zones", .view, "x", "zones"),
            ("/v1/sessions/x/events", .events, "x", ""),
            ("/v1/scenarios", .scenarios, "", ""), ("/v1/scenarios/a", .scenario, "", "a"),
            ("/v1/scenarios/a/sessions", .scenarioSessions, "", "a"),
            ("/v1/scenarios/", .unknown, "", ""), ("/v1/scenarios/a/b", .unknown, "", ""),
            ("/v1/sessions//calls", .unknown, "", ""), ("/v1/sessions/x/", .unknown, "x", ""),
            ("/v1/sessions/x/calls/", .unknown, "x", ""), ("", .unknown, "", ""),
            ("v1/sessions", .unknown, "", ""), ("/v1/sessions/x/zones/y", .unknown, "x", "y"),
        ]
    )
    func paths(path: String, route: Route, session: String, name: String) {
        withSlice(path) { slice in
            let match = RouteMatch(path: slice)

            #expect(match.route == route)
            if route != .unknown {
                #expect(String(match.session) == session)
                #expect(String(match.name) == name)
            }
        }
    }

    @Test func `every name of a table is found, and no other`() {
        let names = (0..<500).map { "name\($0 * 7)" }
        let table = NameTable(names)

        for (position, name) in names.enumerated() {
            #expect(withSlice(name) { table.position(of: $0) } == position)
        }
        #expect(withSlice("name3") { table.position(of: $0) } == nil)
        #expect(withSlice("") { table.position(of: $0) } == nil)
        #expect(withSlice("x") { NameTable([]).position(of: $0) } == nil)
    }

    @Test func `form fields are decoded, and broken escapes refused`() throws {
        var fields: [String] = []
        try withSlice("a=1&b=%41+%2B&&c&d==") { slice in
            try FormFields.forEach(slice) { (name, text) throws(Problem) in
                fields.append("\(String(name)):\(String(text))")
            }
        }

        #expect(fields == ["a:1", "b:A +", "c:", "d:="])
        for broken in ["a=%", "a=%4", "%zz=1"] {
            #expect(throws: Problem.self) {
                try withSlice(broken) { slice in
                    try FormFields.forEach(slice) { (_, _) throws(Problem) in }
                }
            }
        }
    }

    @Test func `every problem type is in the contract`() {
        let contract = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)

        for type in ProblemType.allCases {
            #expect(contract.contains("- /problems/\(type.rawValue)\n"))
        }
    }
}
