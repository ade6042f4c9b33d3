import TestSupport

/// Damages requests, from a seed.
struct RequestMutator {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// Damages one part of a request, or a few.
    mutating func damage(_ request: inout FuzzRequest) {
        for _ in 0...below(3) {
            switch below(request.body.isEmpty ? 4 : 10) {
            case 0: damageTarget(&request.target)
            case 1:
                request.method = pick([
                    "GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "get", "X",
                ])
            case 2, 3: request.headers.append(header())
            default: damageBody(&request.body)
            }
        }
        if below(3) == 0 { reframe(&request) }
    }

    private mutating func damageBody(_ body: inout [UInt8]) {
        let place = below(body.count)
        switch below(8) {
        case 0: body = Array(body.prefix(place))
        case 1:
            let opening = pick(["[", "{\"a\":", "[{\"a\":"])
            body.insert(
                contentsOf: Array(String(repeating: opening, count: 1 + below(3_000)).utf8),
                at: place
            )
        case 2: hugeNumber(&body)
        case 3:
            let bytes: [UInt8] = pick([
                [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
                [0],
            ])
            body.insert(contentsOf: bytes, at: place)
        case 4: repeatMember(&body)
        case 5: if !body.isEmpty { body[place] = UInt8.random(in: 0...255, using: &random) }
        case 6: body += body
        default:
            let text = pick([
                "\\ud800", "\\u0000", "null", "true", "\"", "{}", "$p", "%00", "&", "=",
            ])
            body.insert(contentsOf: Array(text.utf8), at: place)
        }
    }

    /// Puts a number that no type holds, or an edge of one, in the place of a run of digits.
    private mutating func hugeNumber(_ body: inout [UInt8]) {
        let starts = body.indices.filter { (48...57).contains(body[$0]) }
        guard !starts.isEmpty else { return }
        let start = pick(starts)
        let end = body[start...].firstIndex { !(48...57).contains($0) } ?? body.endIndex
        let number = pick([
            String(repeating: "9", count: 1 + below(400)), "18446744073709551615", "-1", "1e999",
            "18446744073709551616", "-9223372036854775809", "0.5", "1e-400", "-0", "00",
            "4294967296",
        ])
        body.replaceSubrange(start..<end, with: Array(number.utf8))
    }

    /// Gives the first member of the first object twice.
    private mutating func repeatMember(_ body: inout [UInt8]) {
        guard let start = body.firstIndex(of: UInt8(ascii: "{")),
            let end = body[start...].firstIndex(of: UInt8(ascii: ",")), start + 1 < end
        else { return }
        let member = Array(body[(start + 1)...end])
        for _ in 0...below(40) { body.insert(contentsOf: member, at: start + 1) }
    }

    private mutating func damageTarget(_ target: inout String) {
        let noise = pick([
            "%", "%zz", "%00", "%2f", "%ff", "?", "?a=b", "&&&", "=", "?limit=-1", "/", "//", "/..",
            "?address=0xffffffffffffffff&length=18446744073709551615", "#", " ", "\t",
            String(repeating: "a", count: 1 + below(5_000)), "?count=99999999999999999999", "é",
        ])
        let place = target.index(target.startIndex, offsetBy: below(target.count + 1))
        if below(3) == 0 { target.insert(contentsOf: noise, at: place) } else { target += noise }
    }

    private mutating func header() -> String {
        pick([
            "If-Match: \"18446744073709551616\"", "If-Match: x", "If-Match: \"999999\"",
            "Idempotency-Key: " + String(repeating: "k", count: below(400)), "Idempotency-Key: k1",
            "Last-Event-ID: -1", "Accept: application/json;q=9", "Accept: application/octet-stream",
            "Content-Type: application/x-ndjson", "Content-Type: multipart/form-data; boundary=",
            "Content-Type: text/plain; charset=utf-7", "Content-Encoding: gzip", "Range: bytes=0-",
            "Expect: 100-continue", "Connection: close", "Connection: upgrade", "Upgrade: h2c",
            "Origin: http://evil.example", "Host: evil.example",
            "X: " + String(repeating: "x", count: 9_000),
            " folded: line", "no colon", "X : y", "X:\u{1}", ": v", "Cookie: a=b; a=b",
            "Trailer: X",
            String(repeating: "A: b\r\n", count: below(300)) + "B: c",
        ])
    }

    /// Tells the end of the body in another way, or wrongly.
    private mutating func reframe(_ request: inout FuzzRequest) {
        let body = request.body
        var chunks = FuzzRequest.chunks(of: body, [1 + below(40)])
        let coding = "Transfer-Encoding: chunked"
        switch below(9) {
        case 0, 1: request.framing = .chunked((0...below(4)).map { _ in 1 + below(200) })
        case 2:
            chunks = Array(chunks.prefix(below(chunks.count)))
            request.framing = .raw(headers: [coding], body: chunks)
        case 3:
            let size = pick([
                "ffffffffffffffff", "10000000000000000", "-1", "7fffffff", "1;a=b", "x", "", "0x10",
            ])
            let opening = Array("\(size)\r\n".utf8)
            request.framing = .raw(headers: [coding], body: opening + chunks)
        case 4:
            request.framing = .raw(
                headers: [coding, "Content-Length: \(body.count)"],
                body: chunks
            )
        case 5:
            let lie = pick([
                "0", "1", "-1", "99999999999999999999", "9223372036854775807", "+5", "5 5", "",
            ])
            request.framing = .raw(headers: ["Content-Length: \(lie)"], body: body)
        case 6:
            let lengths = [body.count, body.count + 1 + below(3)].map { "Content-Length: \($0)" }
            request.framing = .raw(headers: lengths, body: body)
        case 7:
            let longer = "Content-Length: \(body.count + 1 + below(2_000))"
            request.framing = .raw(headers: [longer], body: body)
        default:
            let other = pick(["gzip", "identity", "gzip, chunked", "chunked, chunked", " "])
            request.framing = .raw(headers: ["Transfer-Encoding: \(other)"], body: chunks)
        }
    }
}
