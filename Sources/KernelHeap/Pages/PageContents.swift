/// What is written in physical memory; pages that nobody wrote hold zeros and cost nothing.
///
/// Freeing a page leaves its bytes: the next owner finds them, as on a real machine.
struct PageContents: ~Copyable {
    static let pageBytes = 4_096

    private var bytes = ChunkedColumn<PageBytes>(count: 16)
    /// Where a frame's bytes stand, as a place in `bytes` plus 1; 0 where nobody wrote any.
    private var slots = ChunkedColumn<UInt32>(count: 512)
    private var slotCount = 0
    private var freeSlots: [Int] = []

    init() {}

    private init(forkOf other: inout PageContents) {
        bytes = other.bytes.fork()
        slots = other.slots.fork()
        slotCount = other.slotCount
        freeSlots = other.freeSlots
    }

    mutating func fork() -> PageContents { PageContents(forkOf: &self) }

    /// Whether nobody wrote anything yet.
    var isEmpty: Bool { slotCount == freeSlots.count }
    var heldBytes: Int { bytes.heldBytes + slots.heldBytes + freeSlots.capacity * 8 }

    /// The place of a frame's bytes, or nil where nobody wrote any.
    @inline(__always)
    private func known(_ pfn: UInt32) -> Int? {
        let slot = slots.elementOrZero(Int(pfn))
        return slot == 0 ? nil : Int(slot) - 1
    }

    /// Appends `count` bytes of a frame to `target`.
    func read(_ pfn: UInt32, offset: Int, count: Int, into target: inout [UInt8]) {
        guard let slot = known(pfn) else {
            target.append(contentsOf: repeatElement(0, count: count))
            return
        }
        unsafe bytes.withChunk(containing: slot) { chunk in
            guard let chunk = unsafe chunk else {
                target.append(contentsOf: repeatElement(0, count: count))
                return
            }
            unsafe target.append(
                contentsOf: UnsafeRawBufferPointer(chunk)[offset..<offset + count]
            )
        }
    }

    /// A word of up to 8 bytes, lowest byte first; it ends within the frame.
    func word(_ pfn: UInt32, offset: Int, bytes count: Int) -> UInt64 {
        guard let slot = known(pfn) else { return 0 }
        return unsafe bytes.withChunk(containing: slot) { chunk in
            guard let chunk = unsafe chunk else { return 0 }
            return unsafe Self.word(UnsafeRawBufferPointer(chunk), offset, bytes: count)
        }
    }

    /// Whether somebody wrote into a frame.
    func isWritten(_ pfn: UInt32) -> Bool { known(pfn) != nil }

    /// Calls a closure with the words of a part of a frame; not at all where nobody wrote anything.
    @inline(__always)
    func forEachWord(
        _ pfn: UInt32,
        _ range: Range<Int>,
        bytes count: Int,
        _ body: (UInt64) -> Void
    ) {
        guard let slot = known(pfn) else { return }
        unsafe bytes.withChunk(containing: slot) { chunk in
            guard let chunk = unsafe chunk else { return }
            let raw = UnsafeRawBufferPointer(chunk)
            var place = range.lowerBound
            while place + count <= range.upperBound {
                body(unsafe Self.word(raw, place, bytes: count))
                place += count
            }
        }
    }

    /// Stores such a word.
    mutating func setWord(_ pfn: UInt32, offset: Int, bytes count: Int, to word: UInt64) {
        let slot = slot(of: pfn)
        unsafe bytes.withMutableChunk(containing: slot) { chunk in
            unsafe Self.store(
                word,
                to: UnsafeMutableRawBufferPointer(chunk),
                offset,
                bytes: count
            )
        }
    }

    /// Reads the words of a whole frame, lowest byte first.
    ///
    /// - Returns: nil where nobody wrote anything: all are 0.
    func words(_ pfn: UInt32, bytes count: Int) -> [UInt64]? {
        guard let slot = known(pfn) else { return nil }
        return unsafe bytes.withChunk(containing: slot) { chunk in
            guard let chunk = unsafe chunk else { return nil }
            let raw = UnsafeRawBufferPointer(chunk)
            return stride(from: 0, to: Self.pageBytes, by: count).map { place in
                unsafe Self.word(raw, place, bytes: count)
            }
        }
    }

    /// Writes the words of a whole frame; there are as many as it holds.
    mutating func setWords(_ pfn: UInt32, bytes count: Int, to words: [UInt64]) {
        let slot = slot(of: pfn)
        guard words.count * count == Self.pageBytes else { return }
        unsafe bytes.withMutableChunk(containing: slot) { chunk in
            let raw = UnsafeMutableRawBufferPointer(chunk)
            for (place, word) in words.enumerated() {
                unsafe Self.store(word, to: raw, place * count, bytes: count)
            }
        }
    }

    @inline(__always)
    private static func word(
        _ raw: UnsafeRawBufferPointer,
        _ place: Int,
        bytes count: Int
    ) -> UInt64 {
        switch count {
        case 8:
            return unsafe UInt64(
                littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            )
        case 4:
            return unsafe UInt64(
                UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            )
        default:
            var word: UInt64 = 0
            for byte in (0..<count).reversed() {
                unsafe word = word << 8 | UInt64(raw[place + byte])
            }
            return word
        }
    }

    @inline(__always)
    private static func store(
        _ word: UInt64,
        to raw: UnsafeMutableRawBufferPointer,
        _ place: Int,
        bytes count: Int
    ) {
        switch count {
        case 8:
            unsafe raw.storeBytes(
                of: word.littleEndian,
                toByteOffset: place,
                as: UInt64.self
            )
        case 4:
            let low = UInt32(truncatingIfNeeded: word).littleEndian
            unsafe raw.storeBytes(of: low, toByteOffset: place, as: UInt32.self)
        default:
            for byte in 0..<count {
                unsafe raw[place + byte] = UInt8(truncatingIfNeeded: word >> UInt64(byte * 8))
            }
        }
    }

    /// Writes bytes into a frame; they must end within it.
    mutating func write(_ pfn: UInt32, offset: Int, _ source: ArraySlice<UInt8>) {
        guard !source.isEmpty else { return }
        let slot = slot(of: pfn)
        unsafe bytes.withMutableChunk(containing: slot) { chunk in
            unsafe source.withUnsafeBytes { source in
                let raw = UnsafeMutableRawBufferPointer(chunk)
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[offset...])
                unsafe target.copyMemory(from: source)
            }
        }
    }

    /// Sets bytes of a frame to one value.
    mutating func fill(_ pfn: UInt32, offset: Int, count: Int, with value: UInt8) {
        if value == 0 && known(pfn) == nil { return }
        if value == 0 && count == Self.pageBytes {
            forget(pfn)
            return
        }
        fillBytes(slot(of: pfn), offset..<offset + count, with: value)
    }

    /// Copies bytes between frames; where nothing was written, zeros are copied without memory.
    @inline(__always)
    mutating func copy(
        from source: UInt32,
        _ sourceOffset: Int,
        to target: UInt32,
        _ targetOffset: Int,
        count: Int
    ) {
        guard let old = known(source) else {
            return fill(target, offset: targetOffset, count: count, with: 0)
        }
        let new = slot(of: target)
        bytes.copyBytes(of: old, sourceOffset, to: new, targetOffset, count: count)
    }

    private mutating func fillBytes(_ slot: Int, _ range: Range<Int>, with value: UInt8) {
        unsafe bytes.withMutableChunk(containing: slot) { chunk in
            let raw = UnsafeMutableRawBufferPointer(chunk)
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[range])
            unsafe part.initializeMemory(as: UInt8.self, repeating: value)
        }
    }

    /// Clears whole pages: `clear_highpage()` for each.
    @inline(__always)
    mutating func clear(_ pfn: UInt32, pages: Int) {
        guard !isEmpty else { return }
        for offset in 0..<pages { forget(pfn + UInt32(truncatingIfNeeded: offset)) }
    }

    @inline(__always)
    private mutating func slot(of pfn: UInt32) -> Int { known(pfn) ?? makeSlot(pfn) }

    @inline(never)
    private mutating func makeSlot(_ pfn: UInt32) -> Int {
        let slot: Int
        if let reused = freeSlots.popLast() {
            slot = reused
            fillBytes(slot, 0..<Self.pageBytes, with: 0)
        } else {
            slot = slotCount
            slotCount += 1
            if slotCount > bytes.capacity { bytes.grow(toAtLeast: slotCount) }
        }
        if Int(pfn) >= slots.capacity { slots.grow(toAtLeast: Int(pfn) + 1) }
        slots[Int(pfn)] = UInt32(truncatingIfNeeded: slot + 1)
        return slot
    }

    private mutating func forget(_ pfn: UInt32) {
        guard let slot = known(pfn) else { return }
        slots[Int(pfn)] = 0
        freeSlots.append(slot)
    }
}

/// The bytes of one page, which lie side by side in host memory.
struct PageBytes: ColumnElement {
    private var bytes = InlineArray<4096, UInt8>(repeating: 0)

    init() {}
}
