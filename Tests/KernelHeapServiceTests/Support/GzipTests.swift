import Testing

@testable import KernelHeapService

@Suite("gzip")
struct GzipTests {
    // The head, an empty block, then checksum and length, which are 0.
    @Test func `nothing becomes the shortest file`() {
        #expect(
            Gzip.compress([]) == [
                0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ]
        )
    }

    // The block is what zlib makes of the byte with fixed codes.
    @Test func `a literal stands in the fixed code, and its checksum behind`() {
        #expect(
            Gzip.compress([0x61]) == [
                0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0x4b, 0x04, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0,
                0, 0,
            ]
        )
    }

    @Test func `the checksum is that of the standard`() {
        #expect(CRC32.of(Array("123456789".utf8)) == 0xcbf4_3926)
    }

    @Test func `what repeats itself shrinks, what does not grows by an eighth at most`() {
        let repeated = [UInt8](repeating: 7, count: 100_000)
        var state: UInt32 = 1
        let noise = (0..<10_000).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }

        #expect(Gzip.compress(repeated).count < 1_000)
        #expect(Gzip.compress(noise).count < 11_300)
    }

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
        #expect(plain.headers["content-encoding"] == nil)
        #expect(short.headers["content-encoding"] == nil)
    }
}
