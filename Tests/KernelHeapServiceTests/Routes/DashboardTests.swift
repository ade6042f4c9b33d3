import Testing

@Suite("HTTP: the page for people")
struct DashboardTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    @Test(
        "each file comes with its type",
        arguments: [
            ("/", "text/html; charset=utf-8"),
            ("/dashboard/app.js", "text/javascript; charset=utf-8"),
            ("/dashboard/api.js", "text/javascript; charset=utf-8"),
            ("/dashboard/style.css", "text/css; charset=utf-8"),
        ]
    )
    func files(path: String, type: String) throws {
        let answer = try service.send("GET", path)

        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == type)
        #expect(answer.headers["x-content-type-options"] == "nosniff")
        #expect(!answer.body.isEmpty)
    }

    @Test func `the page loads its own files only, and runs nothing inline`() throws {
        let answer = try service.send("GET", "/")
        let policy = try #require(answer.headers["content-security-policy"])

        #expect(policy.contains("default-src 'none'"))
        #expect(!policy.contains("unsafe"))
        #expect(!answer.text.contains("<style"))
        #expect(!answer.text.contains("style=\""))
        #expect(!answer.text.contains("onclick"))
        #expect(!answer.text.contains("://"))
    }

    @Test func `every file that a script imports is served`() throws {
        var wanted = ["app.js"]
        var seen: Set<String> = []
        while let name = wanted.popLast() {
            guard seen.insert(name).inserted else { continue }
            let answer = try service.send("GET", "/dashboard/" + name)
            #expect(answer.status == 200, "\(name)")
            wanted += answer.text.matches(of: /"\.\/([a-z0-9]+\.js)"/).map { String($0.1) }
        }

        #expect(seen.contains("memory.js"))
    }

    @Test func `a file that the client has is not sent again`() throws {
        let first = try service.send("GET", "/dashboard/app.js")
        let tag = try #require(first.headers["etag"])
        let again = try service.send(
            "GET",
            "/dashboard/app.js",
            headers: ["If-None-Match": tag]
        )

        #expect(again.status == 304)
        #expect(again.body.isEmpty)
    }

    @Test func `a file that the page has not is a 404`() throws {
        let answer = try service.send("GET", "/dashboard/index.php")

        #expect(answer.status == 404)
        #expect(answer.problem == "unknown-path")
    }
}
