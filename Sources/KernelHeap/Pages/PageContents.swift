/// What is written in physical memory; pages that nobody wrote hold zeros and cost nothing.
///
/// Freeing a page leaves its bytes: the next owner finds them, as on a real machine.
struct PageContents: ~Copyable {
    static let pageBytes = 4_096

    private var bytes = ChunkedColumn<UInt8>(count: 1 << 16)
    /// Where a frame's bytes stand, as a page number of `bytes` plus 1; 0 where nobody wrote any.
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
        var position = slot * Self.pageBytes + offset
        let end = position + count
        while position < end {
            let inChunk = position & 2047
            let length = min(end - position, 2048 - inChunk)
            unsafe bytes.withChunk(containing: position) { chunk in
                guard let chunk = unsafe chunk else {
                    target.append(contentsOf: repeatElement(0, count: length))
                    return
                }
                unsafe target.append(contentsOf: chunk[inChunk..<inChunk + length])
            }
            position += length
        }
    }

    /// A word of 4 or 8 bytes, lowest byte first; it lies in one half of the frame.
    func word(_ pfn: UInt32, offset: Int, bytes count: Int) -> UInt64 {
        guard let slot = known(pfn) else { return 0 }
        let position = slot * Self.pageBytes + offset
        return unsafe bytes.withChunk(containing: position) { chunk in
            guard let chunk = unsafe chunk else { return 0 }
            var word: UInt64 = 0
            for place in (0..<count).reversed() {
                unsafe word = word << 8 | UInt64(chunk[position & 2047 + place])
            }
            return word
        }
    }

    /// Stores such a word.
    mutating func setWord(_ pfn: UInt32, offset: Int, bytes count: Int, to word: UInt64) {
        let position = slot(of: pfn) * Self.pageBytes + offset
        unsafe bytes.withMutableChunk(containing: position) { chunk in
            for place in 0..<count {
                unsafe chunk[position & 2047 + place] = UInt8(
                    truncatingIfNeeded: word >> UInt64(place * 8)
                )
            }
        }
    }

    /// Reads the words of a whole frame, lowest byte first.
    ///
    /// - Returns: nil where nobody wrote anything: all are 0.
    func words(_ pfn: UInt32, bytes count: Int) -> [UInt64]? {
        guard let slot = known(pfn) else { return nil }
        var words: [UInt64] = []
        words.reserveCapacity(Self.pageBytes / count)
        for position in [slot * Self.pageBytes, slot * Self.pageBytes + 2048] {
            unsafe bytes.withChunk(containing: position) { chunk in
                guard let chunk = unsafe chunk else {
                    words.append(contentsOf: repeatElement(0, count: 2048 / count))
                    return
                }
                let raw = UnsafeRawBufferPointer(chunk)
                for place in stride(from: 0, to: 2048, by: count) {
                    unsafe words.append(Self.word(raw, place, bytes: count))
                }
            }
        }
        return words
    }

    @inline(__always)
    private static func word(
        _ raw: UnsafeRawBufferPointer,
        _ place: Int,
        bytes count: Int
    ) -> UInt64 {
        if count == 8 {
            return unsafe UInt64(
                littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            )
        }
        return unsafe UInt64(
            UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        )
    }

    /// Writes the words of a whole frame; there are as many as it holds.
    mutating func setWords(_ pfn: UInt32, bytes count: Int, to words: [UInt64]) {
        let start = slot(of: pfn) * Self.pageBytes
        guard words.count * count == Self.pageBytes else { return }
        let half = words.count / 2
        for (position, part) in [(start, words[..<half]), (start + 2048, words[half...])] {
            unsafe bytes.withMutableChunk(containing: position) { chunk in
                let raw = UnsafeMutableRawBufferPointer(chunk)
                for (place, word) in part.enumerated() {
                    if count == 8 {
                        unsafe raw.storeBytes(
                            of: word.littleEndian,
                            toByteOffset: place * 8,
                            as: UInt64.self
                        )
                    } else {
                        let low = UInt32(truncatingIfNeeded: word).littleEndian
                        unsafe raw.storeBytes(of: low, toByteOffset: place * 4, as: UInt32.self)
                    }
                }
            }
        }
    }

    /// Writes bytes into a frame; they must end within it.
    mutating func write(_ pfn: UInt32, offset: Int, _ source: ArraySlice<UInt8>) {
        var position = slot(of: pfn) * Self.pageBytes + offset
        var rest = source
        while !rest.isEmpty {
            let inChunk = position & 2047
            let part = rest.prefix(2048 - inChunk)
            unsafe bytes.withMutableChunk(containing: position) { chunk in
                unsafe part.withUnsafeBytes { source in
                    let raw = UnsafeMutableRawBufferPointer(chunk)
                    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[inChunk...])
                    unsafe target.copyMemory(from: source)
                }
            }
            position += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    /// Sets bytes of a frame to one value.
    mutating func fill(_ pfn: UInt32, offset: Int, count: Int, with value: UInt8) {
        if value == 0 && known(pfn) == nil { return }
        if value == 0 && count == Self.pageBytes {
            forget(pfn)
            return
        }
        let start = slot(of: pfn) * Self.pageBytes + offset
        fillBytes(start..<start + count, with: value)
    }

    /// Copies bytes between frames; where nothing was written, zeros are copied without memory.
    mutating func copy(
        from source: UInt32,
        _ sourceOffset: Int,
        to target: UInt32,
        _ targetOffset: Int,
        count: Int
    ) {
        guard let sourceSlot = known(source) else {
            return fill(target, offset: targetOffset, count: count, with: 0)
        }
        var from = sourceSlot * Self.pageBytes + sourceOffset
        var to = slot(of: target) * Self.pageBytes + targetOffset
        let end = to + count
        while to < end {
            // A piece lies in one chunk on both sides.
            let room = min(2048 - from & 2047, 2048 - to & 2047)
            let length = min(room, end - to)
            bytes.copy(from: from, to: to, count: length)
            from += length
            to += length
        }
    }

    private mutating func fillBytes(_ range: Range<Int>, with value: UInt8) {
        var position = range.lowerBound
        while position < range.upperBound {
            let inChunk = position & 2047
            let length = min(range.upperBound - position, 2048 - inChunk)
            unsafe bytes.withMutableChunk(containing: position) { chunk in
                let part = unsafe UnsafeMutableBufferPointer(
                    rebasing: chunk[inChunk..<inChunk + length]
                )
                unsafe part.update(repeating: value)
            }
            position += length
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
            fillBytes(slot * Self.pageBytes..<(slot + 1) * Self.pageBytes, with: 0)
        } else {
            slot = slotCount
            slotCount += 1
            let end = (slot + 1) * Self.pageBytes
            if end > bytes.capacity { bytes.grow(toAtLeast: end) }
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
