internal import HTTPServer
internal import KernelHeap

extension NearestName {
    /// The same for bytes of a request, which are copied only where they may be a misspelling.
    static func find(_ written: ByteSlice, in names: [String]) -> [String] {
        written.count <= 64 ? find([UInt8](written), in: names) : []
    }
}
