internal import KernelHeap

extension StateView {
    /// `GET …/memory`: bytes of kernel or user memory, as a dump or as they are.
    static let memory = StateView(
        "memory",
        parameters: ["address", "length", "pid"]
    ) { (kernel, query) throws(Problem) in
        guard let address = try query.word("address") else {
            var problem = Problem(.missingField, "memory needs an address", at: "/address")
            problem.valid = ["address=0xffff888000100000"]
            throw problem
        }
        let length = Int(try query.number("length", default: 256, in: 1...65_536))
        let pid = try query.process(of: kernel) ?? 1
        let view = kernel.memoryView(
            at: LinearAddress(rawValue: address),
            length: length,
            pid: pid
        )
        if query.prefersBytes {
            // Bytes have no way to say where one is missing: they end before the first gap.
            guard let piece = view.pieces.first, piece.address.rawValue == address else {
                throw Problem(.invalidValue, "no memory is mapped there", at: "/address")
            }
            return ViewAnswer(bytes: piece.bytes)
        }
        var json = JSONWriter(capacity: 256 + length * 8)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("address", address: address)
            json.member("length", length)
            json.member("mapped", view.pieces.reduce(0) { $0 + $1.bytes.count })
            json.name("lines")
            json.raw("[")
            var isFirst = true
            for piece in view.pieces { json.dump(piece, &isFirst) }
            json.raw("]")
            json.member("unmapped", objects: view.gaps) { json, gap in
                json.member("address", address: gap.address.rawValue)
                json.member("length", gap.length)
                json.member("reason", gap.reason.rawValue)
            }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    /// Sixteen bytes a line, with the characters that they stand for.
    fileprivate mutating func dump(_ piece: MemoryView.Piece, _ isFirst: inout Bool) {
        for start in stride(from: 0, to: piece.bytes.count, by: 16) {
            let bytes = Array(piece.bytes[start..<min(start + 16, piece.bytes.count)])
            if !isFirst { raw(",") }
            isFirst = false
            object { json in
                json.member("address", address: piece.address.rawValue &+ UInt64(start))
                json.name("hex")
                json.hexadecimal(bytes)
                let shown = bytes.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: ".") }
                json.member("text", String(decoding: shown, as: UTF8.self))
            }
        }
    }
}
