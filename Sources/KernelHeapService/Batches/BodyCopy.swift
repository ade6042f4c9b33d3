/// A request's body for work that outlives the request, with the padding that the reader wants.
@safe
final class BodyCopy: Sendable {
    // Written once, before anybody else sees the copy.
    private nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
    let count: Int

    init(_ body: ByteSlice) {
        count = body.count
        unsafe bytes = .allocate(byteCount: body.count + JSONParser.padding, alignment: 16)
        unsafe body.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        for index in count..<count + JSONParser.padding { unsafe bytes[index] = 0 }
    }

    deinit { unsafe bytes.deallocate() }

    /// The bytes, valid as long as the copy.
    var slice: ByteSlice {
        unsafe ByteSlice(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
}
