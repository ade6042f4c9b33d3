/// Growable bytes outside Swift's arrays: responses are written into one and handed over.
///
/// A byte array costs a uniqueness check per append; this costs a compare and a store.
@safe
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, the buffer, which cannot be copied.
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    @inlinable public var count: Int { used }

    @inlinable
    public init(capacity: Int = 512) {
        self.capacity = max(capacity, 64)
        unsafe base = .allocate(byteCount: self.capacity, alignment: 16)
        used = 0
    }

    deinit { unsafe base.deallocate() }

    @inlinable
    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        if used == capacity { grow(by: 1) }
        unsafe base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Appends text that is ASCII or UTF-8 as it stands.
    @inlinable
    @inline(__always)
    public mutating func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) }
    }

    @inlinable
    public mutating func append(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    @inlinable
    @inline(__always)
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if capacity &- used < bytes.count { grow(by: bytes.count) }
        unsafe (base + used).copyMemory(from: source, byteCount: bytes.count)
        used &+= bytes.count
    }

    /// Appends an integer in decimal.
    public mutating func append(decimal value: some BinaryInteger) {
        append(String(value))
    }

    /// Forgets the content and keeps the memory.
    @inlinable
    public mutating func removeAll() { used = 0 }

    @inlinable
    public borrowing func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: used))
    }

    /// Gives the memory away: the caller deallocates it.
    consuming func release() -> (base: UnsafeMutableRawPointer, count: Int) {
        let result = unsafe (base, used)
        discard self
        return unsafe result
    }

    @usableFromInline
    @inline(never)
    mutating func grow(by extra: Int) {
        capacity = max(capacity * 2, used + extra)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe larger.copyMemory(from: base, byteCount: used)
        unsafe base.deallocate()
        unsafe base = larger
    }
}
