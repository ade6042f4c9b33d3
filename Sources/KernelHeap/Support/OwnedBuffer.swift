/// A few plain values in memory of their own: zones, per-CPU lists, caches.
///
/// An array held by a struct pays a uniqueness check at each write; this has one owner by type.
@safe
struct OwnedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, which cannot be copied.
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count: Int

    init(repeating element: Element, count: Int) {
        self.count = count
        capacity = max(count, 1)
        unsafe base = .allocate(capacity: capacity)
        unsafe base.initialize(repeating: element, count: count)
    }

    init(_ elements: some Collection<Element>) {
        count = elements.count
        capacity = max(count, 1)
        unsafe base = .allocate(capacity: capacity)
        _ = unsafe UnsafeMutableBufferPointer(start: base, count: count).initialize(from: elements)
    }

    /// Each element so many times in a row.
    init(repeatingEach elements: [Element], times: Int) {
        count = elements.count * times
        capacity = max(count, 1)
        unsafe base = .allocate(capacity: capacity)
        for (index, element) in elements.enumerated() {
            unsafe (base + index * times).initialize(repeating: element, count: times)
        }
    }

    deinit { unsafe base.deallocate() }

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
            capacity *= 2
            let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
            unsafe larger.moveInitialize(from: base, count: count)
            unsafe base.deallocate()
            unsafe base = larger
        }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    func copy() -> OwnedBuffer {
        unsafe OwnedBuffer(UnsafeBufferPointer(start: base, count: count))
    }
}
