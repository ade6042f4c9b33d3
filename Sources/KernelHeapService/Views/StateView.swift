internal import KernelHeap

/// A part of a machine that `GET /v1/sessions/{id}/{name}` shows.
///
/// A new view is a file with one `StateView`, and one word in `all`.
struct StateView: Sendable {
    let name: String
    /// Writes one JSON value.
    ///
    /// The query is as the client sent it.
    let write:
        @Sendable (
            _ kernel: borrowing Kernel, _ query: [UInt8], _ json: inout JSONWriter
        ) throws(Problem) -> Void

    static let all: [StateView] = [.zones, .caches]

    static let names = NameTable(all.map(\.name))
}
