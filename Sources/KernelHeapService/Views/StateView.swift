internal import HTTPServer
internal import KernelHeap

/// A part of a machine that `GET /v1/sessions/{id}/{name}` shows.
///
/// A new view is a file with one `StateView`, and one word in `all`.
struct StateView: Sendable {
    let name: String
    /// The fields that the query may have.
    let parameters: [String]
    /// Whether the answer may take so long that other sessions' requests must not wait behind it.
    let isLong: @Sendable (_ kernel: borrowing Kernel, _ query: ViewQuery) throws(Problem) -> Bool
    /// Reads the kernel and writes the answer.
    let answer:
        @Sendable (_ kernel: borrowing Kernel, _ query: ViewQuery) throws(Problem) -> ViewAnswer

    init(
        _ name: String,
        parameters: [String] = [],
        isLong:
            @escaping @Sendable (
                _ kernel: borrowing Kernel, _ query: ViewQuery
            ) throws(Problem) -> Bool = { _, _ in false },
        _ answer:
            @escaping @Sendable (
                _ kernel: borrowing Kernel, _ query: ViewQuery
            ) throws(Problem) -> ViewAnswer
    ) {
        self.name = name
        self.parameters = parameters
        self.isLong = isLong
        self.answer = answer
    }

    static let all: [StateView] = [
        zones, caches, processes, pages, pageMap, allocations, memory, translate, segments, layout,
        vmstat, fragmentation, biography, vmalloc, devices, highMemory, whatIs, cpus,
        reclaim, reports, cgroups, leaks, faultInjection, verdict, pageOwner,
    ]

    static let names = NameTable(all.map(\.name))
}

/// What a view answers with: JSON, or plain bytes.
struct ViewAnswer: ~Copyable {
    var body: ByteBuffer
    var contentType: StaticString

    /// JSON with the newline that makes it readable in a terminal.
    init(_ json: consuming JSONWriter) {
        json.raw("\n")
        body = json.finish()
        contentType = "application/json"
    }

    init(bytes: [UInt8]) {
        body = ByteBuffer(capacity: bytes.count)
        body.append(bytes)
        contentType = "application/octet-stream"
    }

    /// The bytes; the answer ends.
    consuming func finish() -> ByteBuffer { body }
}
