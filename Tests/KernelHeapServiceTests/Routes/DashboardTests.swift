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

    @Test func `a file that the page has not is a 404`() throws {
        let answer = try service.send("GET", "/dashboard/index.php")

        #expect(answer.status == 404)
        #expect(answer.problem == "unknown-path")
    }
}
