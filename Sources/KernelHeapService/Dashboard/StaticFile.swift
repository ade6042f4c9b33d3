internal import HTTPServer

/// Bytes that are the same for the life of the process, with a tag by which clients know them.
struct StaticFile: Sendable {
    let contentType: StaticString
    let bytes: [UInt8]
    /// An ETag made of the bytes.
    let tag: String

    init(_ contentType: StaticString, _ bytes: [UInt8]) {
        self.contentType = contentType
        self.bytes = bytes
        tag = "\"" + String(StaticFile.digest(bytes), radix: 16) + "\""
    }

    init(json: consuming JSONWriter) {
        json.raw("\n")
        let bytes = unsafe json.finish().withUnsafeBytes { unsafe Array($0) }
        self.init("application/json", bytes)
    }

    /// The file, or that the client has it already.
    func response(
        to request: borrowing Request,
        headers: [(name: String, value: String)] = []
    ) -> Response {
        let headers = [("ETag", tag), ("Cache-Control", "no-cache")] + headers
        if request.header("If-None-Match") == tag {
            return Response(status: 304, headers: headers)
        }
        var body = ByteBuffer(capacity: bytes.count)
        body.append(bytes)
        return Response(
            status: 200,
            contentType: contentType,
            headers: headers,
            body: .bytes(body)
        )
    }

    /// FNV-1a of 64 bits: tells versions apart, resists nobody.
    private static func digest(_ bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
