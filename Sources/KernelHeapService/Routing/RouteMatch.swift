/// A path taken apart: the resource and the parameters in it.
///
/// Works on the raw bytes of the request line. Ids, function names and view names need no percent
/// escapes, so an escaped one names nothing; paths of files and names of caches are decoded by their
/// route.
struct RouteMatch {
    var route: Route
    /// The session's id as it was written; empty outside a session.
    var session = ByteSlice()
    /// The function, the view, the cache, the scenario or the file's path.
    var name = ByteSlice()

    init(path: ByteSlice) {
        route = .unknown
        guard path.first == UInt8(ascii: "/") else { return }
        if path[0..<13] == "/v1/sessions/" {
            matchSession(path.dropFirst(13))
        } else if path == "/v1/sessions" {
            route = .sessions
        } else if path == "/" {
            route = .dashboard
        } else if path[0..<11] == "/dashboard/" {
            route = .dashboardFile
            name = path.dropFirst(11)
        } else if path == "/healthz" {
            route = .health
        } else if path == "/readyz" {
            route = .ready
        } else if path == "/metrics" {
            route = .metrics
        } else if path == "/openapi.yaml" {
            route = .contract
        } else if path == "/v1/profiles" {
            route = .profiles
        } else if path == "/v1/scenarios" {
            route = .scenarios
        } else if path[0..<14] == "/v1/scenarios/" {
            matchScenario(path.dropFirst(14))
        }
    }

    private mutating func matchScenario(_ rest: ByteSlice) {
        let end = rest.firstIndex(of: UInt8(ascii: "/"))
        name = rest[0..<(end ?? rest.count)]
        guard !name.isEmpty else { return }
        guard let end else {
            route = .scenario
            return
        }
        if rest.dropFirst(end + 1) == "sessions" { route = .scenarioSessions }
    }

    private mutating func matchSession(_ rest: ByteSlice) {
        let slash = UInt8(ascii: "/")
        guard let end = rest.firstIndex(of: slash) else {
            session = rest
            route = rest.isEmpty ? .unknown : .session
            return
        }
        guard end > 0 else { return }
        session = rest[0..<end]
        let resource = rest.dropFirst(end + 1)
        let split = resource.firstIndex(of: slash)
        let first = resource[0..<(split ?? resource.count)]
        let tail = resource.dropFirst((split ?? resource.count) + 1)
        if first == "calls" {
            route = split == nil ? .calls : .call
            if route == .call, tail.isEmpty || tail.firstIndex(of: slash) != nil {
                route = .unknown
            }
            name = tail
        } else if split != nil {
            matchFile(first, tail)
        } else if first == "functions" {
            route = .functions
        } else if first == "dmesg" {
            route = .dmesg
        } else if first == "events" {
            route = .events
        } else if first == "fork" {
            route = .fork
        } else if first == "validate" {
            route = .validate
        } else if first == "sweep" {
            route = .sweep
        } else if !first.isEmpty {
            route = .view
            name = first
        }
    }

    private mutating func matchFile(_ directory: ByteSlice, _ path: ByteSlice) {
        guard !path.isEmpty else { return }
        if directory == "proc" {
            route = .proc
        } else if directory == "sys" {
            route = .slabFiles
        } else if directory == "caches" {
            // A slash in a cache's name comes escaped.
            guard let end = path.firstIndex(of: UInt8(ascii: "/")), end > 0,
                path.dropFirst(end + 1) == "slabs"
            else { return }
            route = .cacheSlabs
            name = path[0..<end]
            return
        }
        name = path
    }
}
