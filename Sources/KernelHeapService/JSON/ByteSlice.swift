internal import Glibc

/// Bytes that somebody else owns: a part of a request's path, a JSON key, a form field.
///
/// A slice is valid as long as its owner: the running handler's request, or the parser's current
/// document. It is never kept longer; what must live on is copied into a `String` or an array.
@safe
struct ByteSlice: Sendable {
    // Sendable: the bytes are only read, and the owner outlives every slice by the rule above.
    private nonisolated(unsafe) let base: UnsafePointer<UInt8>?
    let count: Int

    init() {
        unsafe base = nil
        count = 0
    }

    init(_ base: UnsafePointer<UInt8>?, count: Int) {
        unsafe self.base = base
        self.count = unsafe base == nil ? 0 : count
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.init(
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
            count: bytes.count
        )
    }

    var isEmpty: Bool { count == 0 }
    var first: UInt8? { isEmpty ? nil : self[0] }

    /// The byte at `index`; reading outside the slice gives 0.
    @inline(__always)
    subscript(index: Int) -> UInt8 {
        guard index >= 0, index < count, let base = unsafe base else { return 0 }
        return unsafe base[index]
    }

    /// The bytes from `start` up to `end`, cut to what there is.
    subscript(range: Range<Int>) -> ByteSlice {
        let lower = min(max(range.lowerBound, 0), count)
        let upper = min(max(range.upperBound, lower), count)
        guard let base = unsafe base else { return ByteSlice() }
        return unsafe ByteSlice(base + lower, count: upper - lower)
    }

    func dropFirst(_ length: Int) -> ByteSlice { self[min(max(length, 0), count)..<count] }

    /// The position of the first `byte` at or behind `start`.
    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start >= 0, start < count, let base = unsafe base,
            let found = unsafe memchr(base + start, Int32(byte), count - start)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    @inline(__always)
    static func == (left: ByteSlice, right: StaticString) -> Bool {
        guard left.count == right.utf8CodeUnitCount else { return false }
        guard let base = unsafe left.base else { return true }
        return unsafe memcmp(base, right.utf8Start, left.count) == 0
    }

    static func == (left: ByteSlice, right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        guard let base = unsafe left.base else { return true }
        return unsafe right.withUnsafeBytes { bytes in
            guard let other = bytes.baseAddress else { return true }
            return unsafe memcmp(base, other, left.count) == 0
        }
    }
}

extension String {
    /// The slice as text; bytes that are not UTF-8 become replacement characters.
    init(_ slice: ByteSlice) {
        self = unsafe slice.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Array where Element == UInt8 {
    init(_ slice: ByteSlice) {
        self = unsafe slice.withUnsafeBytes { unsafe Array($0) }
    }
}
