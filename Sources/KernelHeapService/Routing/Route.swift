internal import HTTPServer

/// The resources of the service; the raw value is the row of a metrics table.
enum Route: UInt8, CaseIterable, Sendable {
    case dashboard, dashboardFile, health, ready, metrics, contract, profiles
    case scenarios, scenario, scenarioSessions
    case sessions, session, call, calls, functions, proc, slabFiles, dmesg, events, fork, validate
    case sweep
    case view, cacheSlabs
    case unknown

    /// The path with its parameters' names: the label of metrics.
    var template: StaticString {
        switch self {
        case .dashboard: "/"
        case .dashboardFile: "/dashboard/{file}"
        case .health: "/healthz"
        case .ready: "/readyz"
        case .metrics: "/metrics"
        case .contract: "/openapi.yaml"
        case .profiles: "/v1/profiles"
        case .scenarios: "/v1/scenarios"
        case .scenario: "/v1/scenarios/{name}"
        case .scenarioSessions: "/v1/scenarios/{name}/sessions"
        case .sessions: "/v1/sessions"
        case .session: "/v1/sessions/{id}"
        case .call: "/v1/sessions/{id}/calls/{function}"
        case .calls: "/v1/sessions/{id}/calls"
        case .functions: "/v1/sessions/{id}/functions"
        case .proc: "/v1/sessions/{id}/proc/{path}"
        case .slabFiles: "/v1/sessions/{id}/sys/{path}"
        case .dmesg: "/v1/sessions/{id}/dmesg"
        case .events: "/v1/sessions/{id}/events"
        case .fork: "/v1/sessions/{id}/fork"
        case .validate: "/v1/sessions/{id}/validate"
        case .sweep: "/v1/sessions/{id}/sweep"
        case .view: "/v1/sessions/{id}/{view}"
        case .cacheSlabs: "/v1/sessions/{id}/caches/{name}/slabs"
        case .unknown: "unknown"
        }
    }

    /// What the resource answers to, besides HEAD for GET, and OPTIONS.
    var methods: [Method] {
        switch self {
        case .call, .calls, .fork, .validate, .sweep, .scenarioSessions: [.post]
        case .sessions: [.get, .post]
        case .session: [.get, .patch, .delete]
        default: [.get]
        }
    }

    func allows(_ method: Method) -> Bool {
        switch method {
        case .options: true
        case .head: methods.contains(.get)
        default: methods.contains(method)
        }
    }

    /// The value of `Allow`.
    var allow: String {
        var names: [String] = []
        for method in methods {
            names.append(method.name)
            if method == .get { names.append("HEAD") }
        }
        return (names + ["OPTIONS"]).joined(separator: ", ")
    }
}

extension Method {
    /// The method as it stands in a request line.
    var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        }
    }
}
