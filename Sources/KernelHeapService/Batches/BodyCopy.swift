/// A request's body for work that outlives the request, with the padding that the reader wants.
///
/// Gives its bytes back to the budget they were taken from when the last holder lets go.
@safe
final class BodyCopy: Sendable {
    // Written once, before anybody else sees the copy.
    private nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
    let count: Int
    private let budget: ByteBudget

    /// Copies a body; nil where the budget does not allow it.
    init?(_ body: ByteSlice, from budget: ByteBudget) {
        guard budget.take(body.count) else { return nil }
        self.budget = budget
        count = body.count
        unsafe bytes = .allocate(byteCount: body.count + JSONParser.padding, alignment: 16)
        unsafe body.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        for index in count..<count + JSONParser.padding { unsafe bytes[index] = 0 }
    }

    deinit {
        unsafe bytes.deallocate()
        budget.give(count)
    }

    /// The bytes, valid as long as the copy.
    var slice: ByteSlice {
        unsafe ByteSlice(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
}
