/// A few plain values in memory of their own: zones, per-CPU lists, caches.
///
/// An array held by a struct pays a uniqueness check at each write; this has one owner by type.
@safe
struct OwnedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, which cannot be copied.
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count: Int

    /// A buffer of all-zero elements.
    ///
    /// Fresh memory is not written, so what is never used costs no resident page.
    init(zeroed count: Int) where Element: ColumnElement {
        self.count = count
        capacity = max(count, 1)
        unsafe base = zeroedMemory(count: capacity, of: Element.self)
    }

    init(_ elements: some Collection<Element>) {
        count = elements.count
        capacity = max(count, 1)
        unsafe base = zeroedMemory(count: capacity, of: Element.self)
        _ = unsafe UnsafeMutableBufferPointer(start: base, count: count).initialize(from: elements)
    }

    deinit { unsafe releaseMemory(base, count: capacity) }

    var indices: Range<Int> { 0..<count }
    var heldBytes: Int { capacity * MemoryLayout<Element>.stride }

    @inline(__always)
    subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "buffer index")
            return unsafe UnsafePointer(base + index)
        }
        unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "buffer index")
            return unsafe base + index
        }
    }

    mutating func append(_ element: Element) {
        if count == capacity {
            reserve(capacity * 2)
        }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    /// Makes zero elements up to a count.
    mutating func extend(to newCount: Int) where Element: ColumnElement {
        guard newCount > count else { return }
        reserve(newCount)
        count = newCount
    }

    private mutating func reserve(_ newCapacity: Int) {
        guard newCapacity > capacity else { return }
        let larger = unsafe zeroedMemory(count: newCapacity, of: Element.self)
        unsafe larger.moveInitialize(from: base, count: count)
        unsafe releaseMemory(base, count: capacity)
        unsafe base = larger
        capacity = newCapacity
    }

    func copy() -> OwnedBuffer {
        unsafe OwnedBuffer(UnsafeBufferPointer(start: base, count: count))
    }
}
