/// What is written in physical memory; pages that nobody wrote hold zeros and cost nothing.
///
/// Freeing a page leaves its bytes: the next owner finds them, as on a real machine.
struct PageContents: ~Copyable {
    static let pageBytes = 4_096

    private var bytes = ChunkedColumn<UInt8>(count: 1 << 16)
    /// Where a frame's bytes stand, as a page number of `bytes`.
    private var slots: [UInt32: Int] = [:]
    private var freeSlots: [Int] = []

    init() {}

    private init(forkOf other: inout PageContents) {
        bytes = other.bytes.fork()
        slots = other.slots
        freeSlots = other.freeSlots
    }

    mutating func fork() -> PageContents { PageContents(forkOf: &self) }

    /// Whether nobody wrote anything yet.
    var isEmpty: Bool { slots.isEmpty }
    var heldBytes: Int { bytes.heldBytes + slots.count * 24 }

    /// Appends `count` bytes of a frame to `target`.
    func read(_ pfn: UInt32, offset: Int, count: Int, into target: inout [UInt8]) {
        guard let slot = slots[pfn] else {
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
        guard let slot = slots[pfn] else { return 0 }
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

    /// Writes bytes into a frame; they must end within it.
    mutating func write(_ pfn: UInt32, offset: Int, _ source: ArraySlice<UInt8>) {
        var position = slot(of: pfn) * Self.pageBytes + offset
        var rest = source
        while !rest.isEmpty {
            let inChunk = position & 2047
            let part = rest.prefix(2048 - inChunk)
            unsafe bytes.withMutableChunk(containing: position) { chunk in
                for (index, byte) in part.enumerated() { unsafe chunk[inChunk + index] = byte }
            }
            position += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    /// Sets bytes of a frame to one value.
    mutating func fill(_ pfn: UInt32, offset: Int, count: Int, with value: UInt8) {
        if value == 0 && slots[pfn] == nil { return }
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
        guard slots[source] != nil else {
            return fill(target, offset: targetOffset, count: count, with: 0)
        }
        var buffer: [UInt8] = []
        buffer.reserveCapacity(count)
        read(source, offset: sourceOffset, count: count, into: &buffer)
        write(target, offset: targetOffset, buffer[...])
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
        guard !slots.isEmpty else { return }
        if pages > slots.count {
            for frame in slots.keys where frame >= pfn && Int(frame) < Int(pfn) + pages {
                forget(frame)
            }
            return
        }
        for offset in 0..<pages { forget(pfn + UInt32(truncatingIfNeeded: offset)) }
    }

    private mutating func slot(of pfn: UInt32) -> Int {
        if let slot = slots[pfn] { return slot }
        let slot: Int
        if let reused = freeSlots.popLast() {
            slot = reused
            fillBytes(slot * Self.pageBytes..<(slot + 1) * Self.pageBytes, with: 0)
        } else {
            slot = slots.count
            let end = (slot + 1) * Self.pageBytes
            if end > bytes.capacity { bytes.grow(toAtLeast: end) }
        }
        slots[pfn] = slot
        return slot
    }

    private mutating func forget(_ pfn: UInt32) {
        if let slot = slots.removeValue(forKey: pfn) { freeSlots.append(slot) }
    }
}
