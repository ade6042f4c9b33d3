internal import HTTPServer

/// Answers in fewer bytes, for clients that read gzip.
extension Service {
    /// Shorter ones gain little; longer ones would hold up the other connections of the thread.
    private static let compressedSizes = 2_048...262_144

    /// Compresses what a `GET` is answered with, where the client asks for it and it pays.
    func compress(_ response: inout Response, for request: borrowing Request) {
        guard request.method == .get, response.status == 200,
            Service.compressedSizes.contains(response.body.byteCount),
            let accepted = request.header("Accept-Encoding"), Service.readsGzip(accepted)
        else { return }
        let bytes = response.body.copiedBytes
        guard let compressed = Gzip.compress(bytes), compressed.count < bytes.count else { return }
        var body = ByteBuffer(capacity: compressed.count)
        body.append(compressed)
        response.body = .bytes(body)
        response.headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    }

    /// Whether `Accept-Encoding` names gzip, and not to refuse it.
    static func readsGzip(_ accepted: String) -> Bool {
        accepted.split(separator: ",").contains { entry in
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " } }
            guard parts.first == "gzip" else { return false }
            return !parts.dropFirst().contains {
                ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0)
            }
        }
    }
}
