import KernelHeapService
import Testing

@Suite("HTTP: the service as a whole")
struct ServerRoutesTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    @Test(
        "every path outside sessions answers",
        arguments: [
            ("/", "text/html; charset=utf-8"), ("/healthz", "text/plain; charset=utf-8"),
            ("/readyz", "text/plain; charset=utf-8"),
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
            ("/openapi.yaml", "application/yaml"), ("/v1/profiles", "application/json"),
        ]
    )
    func paths(path: String, type: String) throws {
        let answer = try service.send("GET", path)
        let head = try service.send("HEAD", path)

        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == type)
        #expect(!answer.body.isEmpty)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
    }

    @Test func `a method that a path lacks is a 405 with those that it has`() throws {
        let answer = try service.send("DELETE", "/v1/sessions")
        let options = try service.send("OPTIONS", "/v1/sessions")

        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "GET, HEAD, POST, OPTIONS")
        #expect(options.status == 204)
        #expect(options.headers["allow"] == "GET, HEAD, POST, OPTIONS")
    }

    @Test(
        "a path that names nothing is a 404",
        arguments: [
            "/v1", "/v1/", "/v1/session", "/v1/sessions/", "/v1/sessions/x", "/v1/sessions//calls",
            "/V1/sessions", "/healthz/", "/v1/sessions/%30", "/v1/sessions/x/calls/kmalloc/y",
        ]
    )
    func unknownPaths(path: String) throws {
        let answer = try service.send("GET", path)

        #expect(answer.status == 404)
        #expect(answer.headers["content-type"] == "application/problem+json")
    }

    @Test func `metrics count requests by route and status, and calls by function`() throws {
        let session = try service.boot()
        _ = try service.send("POST", session + "/calls/kmalloc", "size=8&flags=GFP_KERNEL")
        _ = try service.send("POST", session + "/calls/kmalloc", "size=8")
        let text = try service.send("GET", "/metrics").text
        let route = #"route="/v1/sessions/{id}/calls/{function}""#

        #expect(text.contains("kheapd_sessions 1\n"))
        #expect(text.contains("kheapd_requests_total{\(route),status=\"200\"} 1\n"))
        #expect(text.contains("kheapd_requests_total{\(route),status=\"422\"} 1\n"))
        #expect(text.contains("kheapd_calls_total{function=\"kmalloc\"} 1\n"))
        #expect(text.contains("kheapd_request_duration_seconds_count{\(route)} 2\n"))
    }

    @Test func `a session shows its functions, its files and its log`() throws {
        let session = try service.boot()
        let functions = try service.send("GET", session + "/functions")
        let text = try service.send("GET", session + "/proc/buddyinfo")
        let json = try service.send(
            "GET",
            session + "/proc/buddyinfo",
            headers: ["Accept": "application/json"]
        )
        let missing = try service.send("GET", session + "/proc/nothing")
        let log = try service.send("GET", session + "/dmesg")

        let kmalloc = functions.json["functions"].elements.first { $0["name"].text == "kmalloc" }
        #expect(kmalloc?["parameters"].elements.map { $0["name"].text } == ["size", "flags"])
        #expect(text.text.hasPrefix("Node 0, zone"))
        #expect(json.json["lines"].elements.first?.text.hasPrefix("Node 0, zone") == true)
        #expect(missing.status == 404)
        #expect(missing.problem == "unknown-file")
        #expect(log.status == 200)
    }

    @Test func `a body beyond the limit is a 413`() throws {
        let service = try ServiceFixture { $0.maximumBodyBytes = 100 }
        let session = try service.boot()
        let body = "size=1&flags=" + String(repeating: "0", count: 200)
        let answer = try service.send("POST", session + "/calls/kmalloc", body)

        #expect(answer.status == 413)
        #expect(answer.problem == "body-too-large")
    }
}
