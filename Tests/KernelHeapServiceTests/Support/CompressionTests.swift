import TestSupport
import Testing

@testable import KernelHeapService

@Suite("Compression")
struct CompressionTests {
    @Test(
        "gzip is given to who reads it",
        arguments: [
            ("gzip", true), ("deflate, gzip;q=0.5, br", true), ("gzip;q=0", false),
            ("gzip; q=0", false), ("br", false), ("", false), ("x-gzip", false),
        ]
    )
    func negotiation(header: String, isRead: Bool) {
        #expect(Service.readsGzip(header) == isRead)
    }

    @Test func `a long answer is compressed on request, a short one never`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let asks = ["Accept-Encoding": "gzip"]
        let long = try service.send("GET", session + "/functions", headers: asks)
        let plain = try service.send("GET", session + "/functions")
        let short = try service.send("GET", "/healthz", headers: asks)

        #expect(long.headers["content-encoding"] == "gzip")
        #expect(long.headers["vary"] == "Accept-Encoding")
        #expect(long.body.count * 3 < plain.body.count)
        #expect(try Inflate.contents(of: long.body) == plain.body)
        #expect(plain.headers["content-encoding"] == nil)
        #expect(short.headers["content-encoding"] == nil)
    }
}
