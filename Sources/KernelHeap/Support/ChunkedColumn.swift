internal import Synchronization

/// A column of plain values that costs nothing where it was never written, and forks cheaply.
///
///     table   [ 0 | •1 | 0 | • | … ]      one word per chunk: 0, or an address and the owner bit
///                   |       |
///                   v       v
///     chunks     count,   count,          2 KiB of elements behind a count of sharers
///                [ … ]    [ … ]
///
/// An absent chunk reads as zero bytes. The owner bit says "mine alone, may be written"; it is
/// clear for shared chunks, so a write is load, test, store. A fork shares every chunk, clears the
/// owner bits on both sides, and copies a chunk at its first write: see `docs/decisions`.
///
/// This type, `PageStore` and `OwnedBuffer` hold all unsafe memory of the engine; indices are
/// checked.
@safe
struct ChunkedColumn<Element: ColumnElement>: ~Copyable, @unchecked Sendable {
    // Unchecked: chunks are written only by their single owner; shared ones are read-only, and
    // their count is atomic.
    private var table: UnsafeMutablePointer<UInt>
    private var tableCount: Int
    /// What absent chunks read as: a chunk of zeros behind a header of zeros.
    private let zeros = unsafe UInt(bitPattern: zeroChunk)
    /// Chunks that exist, in order of creation: what a fork and a deinit must visit.
    private var present: [UInt32] = []

    /// Bytes of elements in a chunk.
    private static var chunkBytes: Int { 2048 }
    @inline(__always)
    private static var shift: Int {
        (chunkBytes / MemoryLayout<Element>.stride).trailingZeroBitCount
    }
    @inline(__always)
    private static var mask: Int { (1 << shift) - 1 }
    /// The count of sharers stands before the elements, at the alignment of a cache line's half.
    private static var headerBytes: Int { 16 }

    /// A column of `count` zero elements.
    ///
    /// The element's stride must be a power of two.
    init(count: Int) {
        assert(MemoryLayout<Element>.stride.nonzeroBitCount == 1)
        tableCount = (count + Self.mask) >> Self.shift
        unsafe table = zeroedMemory(count: tableCount, of: UInt.self)
    }

    private init(sharing table: UnsafeMutablePointer<UInt>, count: Int, present: [UInt32]) {
        unsafe self.table = unsafe table
        tableCount = count
        self.present = present
    }

    deinit {
        for index in present { unsafe Self.release(table[Int(index)]) }
        unsafe releaseMemory(table, count: tableCount)
    }

    /// How many elements fit; indices at and beyond it trap.
    var capacity: Int { tableCount << Self.shift }

    /// Host memory held, shared chunks counted in full.
    var heldBytes: Int {
        present.count * (Self.chunkBytes + Self.headerBytes + 4) + min(tableCount * 8, 4096)
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        // An address, so that a caller loads the fields that it names and no others.
        unsafeAddress {
            let entry = unsafe table[checked(index)]
            let elements = unsafe Self.elements(entry == 0 ? zeros : entry)
            return unsafe UnsafePointer(elements + (index & Self.mask))
        }
        unsafeMutableAddress {
            let slot = checked(index)
            var entry = unsafe table[slot]
            if entry & 1 == 0 { entry = own(slot) }
            return unsafe Self.elements(entry) + (index & Self.mask)
        }
    }

    /// The element, or zero bytes beyond the column's end.
    @inline(__always)
    func elementOrZero(_ index: Int) -> Element {
        let slot = index >> Self.shift
        guard UInt(bitPattern: slot) < UInt(bitPattern: tableCount) else { return Element() }
        let entry = unsafe table[slot]
        return unsafe Self.elements(entry == 0 ? zeros : entry)[index & Self.mask]
    }

    /// Whether the chunk of an element was ever written.
    func hasChunk(containing index: Int) -> Bool { unsafe table[checked(index)] != 0 }

    /// The first element of the next chunk.
    func nextChunk(after index: Int) -> Int { (index | Self.mask) + 1 }

    /// Reads the elements of one chunk through a buffer; nil where the chunk is absent.
    func withChunk<Result>(
        containing index: Int,
        _ body: (UnsafeBufferPointer<Element>?) -> Result
    ) -> Result {
        let entry = unsafe table[checked(index)]
        guard entry != 0 else { return body(nil) }
        return unsafe body(
            UnsafeBufferPointer(start: Self.elements(entry), count: Self.mask + 1)
        )
    }

    /// Folds the elements of a range, passing over chunks that were never written.
    func reduce<Result>(
        _ range: ClosedRange<Int>,
        _ initial: Result,
        _ combine: (Result, Element) -> Result
    ) -> Result {
        var result = initial
        var index = range.lowerBound
        while index <= range.upperBound {
            if unsafe table[checked(index)] == 0 {
                index = (index | Self.mask) + 1
            } else {
                result = combine(result, self[index])
                index += 1
            }
        }
        return result
    }

    /// Tells every element with its index, passing over chunks that were never written.
    func forEachWritten(_ body: (Int, Element) -> Void) {
        var index = 0
        while index < capacity {
            if unsafe table[checked(index)] == 0 {
                index = (index | Self.mask) + 1
            } else {
                body(index, self[index])
                index += 1
            }
        }
    }

    /// Makes room for more elements; at least doubles, so that growing is cheap in sum.
    mutating func grow(toAtLeast count: Int) {
        let needed = (count + Self.mask) >> Self.shift
        guard needed > tableCount else { return }
        let larger = max(needed, tableCount * 2)
        let memory = unsafe zeroedMemory(count: larger, of: UInt.self)
        for index in present { unsafe memory[Int(index)] = table[Int(index)] }
        unsafe releaseMemory(table, count: tableCount)
        unsafe table = memory
        tableCount = larger
    }

    /// A second column with the same content; both copy a chunk when they first write to it.
    mutating func fork() -> ChunkedColumn {
        let copy = unsafe zeroedMemory(count: tableCount, of: UInt.self)
        for index in present {
            let shared = unsafe table[Int(index)] & ~1
            unsafe Self.counter(shared).pointee.add(1, ordering: .relaxed)
            unsafe table[Int(index)] = shared
            unsafe copy[Int(index)] = shared
        }
        return unsafe ChunkedColumn(sharing: copy, count: tableCount, present: present)
    }

    @inline(__always)
    private func checked(_ index: Int) -> Int {
        let slot = index >> Self.shift
        precondition(UInt(bitPattern: slot) < UInt(bitPattern: tableCount), "column index")
        return slot
    }

    /// Makes the chunk of a slot exist and be ours alone.
    @inline(never)
    private mutating func own(_ slot: Int) -> UInt {
        let old = unsafe table[slot]
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: Self.headerBytes + Self.chunkBytes,
            alignment: 16
        )
        unsafe memory.initializeMemory(as: Atomic<Int>.self, to: Atomic(1))
        let entry = UInt(bitPattern: memory) | 1
        let content = unsafe memory + Self.headerBytes
        if old == 0 {
            unsafe content.initializeMemory(as: UInt8.self, repeating: 0, count: Self.chunkBytes)
            present.append(UInt32(truncatingIfNeeded: slot))
        } else {
            unsafe content.copyMemory(from: Self.elements(old), byteCount: Self.chunkBytes)
            Self.release(old)
        }
        unsafe table[slot] = entry
        return entry
    }

    @inline(__always)
    private static func elements(_ entry: UInt) -> UnsafeMutablePointer<Element> {
        // The entry is never 0 here: 0 is tested before, and memory is never at address 0.
        unsafe UnsafeMutablePointer(
            bitPattern: (entry & ~1) &+ UInt(bitPattern: headerBytes)
        ).unsafelyUnwrapped
    }

    private static func counter(_ entry: UInt) -> UnsafeMutablePointer<Atomic<Int>> {
        unsafe UnsafeMutablePointer(bitPattern: entry & ~1).unsafelyUnwrapped
    }

    private static func release(_ entry: UInt) {
        let counter = unsafe counter(entry)
        let left = unsafe counter.pointee.subtract(1, ordering: .acquiringAndReleasing).newValue
        if left == 0 { unsafe UnsafeMutableRawPointer(counter).deallocate() }
    }
}

/// Shared by all columns of the process, never written, never given back.
nonisolated(unsafe) private let zeroChunk = UnsafeRawPointer(
    // Immutable memory: any thread may read it.
    unsafe zeroedMemory(count: 2048 + 16, of: UInt8.self)
)

/// A value that a column may hold: `init()` is its all-zero pattern.
protocol ColumnElement: BitwiseCopyable {
    init()
}

extension UInt8: ColumnElement {}
extension UInt16: ColumnElement {}
extension UInt32: ColumnElement {}
extension UInt64: ColumnElement {}
