/// Which bytes of pages nobody has written since a caller got them.
///
///     frame   written, or nobody follows it | nothing of it is written | parts of it are: see `parts`
///
/// Kept beside the bytes of memory, where every store passes whoever makes it, so that a page is the
/// same under all its addresses. Pages of slabs, of user space and of tables count as written, and
/// so does a page whenever it changes hands. On a machine without the address sanitizer this is
/// empty and off.
struct UnwrittenFrames: ~Copyable {
    private enum State {
        static let written: UInt8 = 0
        static let unwritten: UInt8 = 1
        static let partly: UInt8 = 2
    }

    /// Partly written frames that are followed, at most; others count as written.
    private static let partlyWrittenLimit = 65_536

    let isOn: Bool
    private var states: ChunkedColumn<UInt8>
    /// By the frames' physical addresses.
    private var parts = WrittenBytes(capacity: partlyWrittenLimit)

    init() {
        isOn = false
        states = ChunkedColumn(count: 1)
    }

    init(frames: Int) {
        isOn = true
        states = ChunkedColumn(count: frames)
    }

    private init(forkOf other: inout UnwrittenFrames) {
        isOn = other.isOn
        states = other.states.fork()
        parts = other.parts
    }

    mutating func fork() -> UnwrittenFrames {
        isOn ? UnwrittenFrames(forkOf: &self) : UnwrittenFrames()
    }

    var heldBytes: Int { isOn ? states.heldBytes + parts.heldBytes : 0 }

    /// A caller got pages as their last owners left them.
    mutating func begin(_ pfn: UInt32, pages: Int) {
        for frame in Int(pfn)..<Int(pfn) + pages where frame < states.capacity {
            if states[frame] == State.partly { parts.end(UInt64(frame) << 12) }
            states[frame] = State.unwritten
        }
    }

    /// Pages are written, or change hands.
    mutating func end(_ pfn: UInt32, pages: Int) {
        let limit = min(Int(pfn) + pages, states.capacity)
        var frame = Int(pfn)
        while frame < limit {
            guard states.hasChunk(containing: frame) else {
                frame = states.nextChunk(after: frame)
                continue
            }
            if states[frame] == State.partly { parts.end(UInt64(frame) << 12) }
            if states.elementOrZero(frame) != State.written { states[frame] = State.written }
            frame += 1
        }
    }

    /// Somebody stores into a frame.
    @inline(__always)
    mutating func write(_ pfn: UInt32, offset: Int, count: Int) {
        guard isOn, states.elementOrZero(Int(pfn)) != State.written else { return }
        writeFollowed(pfn, offset: offset, count: count)
    }

    @inline(never)
    private mutating func writeFollowed(_ pfn: UInt32, offset: Int, count: Int) {
        guard count > 0 else { return }
        if count >= PageContents.pageBytes { return end(pfn, pages: 1) }
        let start = UInt64(pfn) << 12
        if states[Int(pfn)] == State.unwritten {
            parts.begin(start, size: UInt64(PageContents.pageBytes))
        }
        let first = start + UInt64(offset)
        parts.write(start, first..<first + UInt64(count))
        states[Int(pfn)] = parts.hasGaps(start) ? State.partly : State.written
    }

    /// Bytes that nobody had written were copied to a part of a frame.
    mutating func forget(_ pfn: UInt32, _ range: Range<Int>) {
        guard isOn, Int(pfn) < states.capacity, states[Int(pfn)] != State.unwritten else { return }
        let start = UInt64(pfn) << 12
        parts.forget(start, start + UInt64(range.lowerBound)..<start + UInt64(range.upperBound))
        states[Int(pfn)] = parts.hasGaps(start) ? State.partly : State.written
    }

    /// The unwritten parts of a range of a frame, as offsets in it.
    func gaps(_ pfn: UInt32, _ range: Range<Int>) -> [Range<Int>] {
        guard isOn, !range.isEmpty else { return [] }
        switch states.elementOrZero(Int(pfn)) {
        case State.written: return []
        case State.unwritten: return [range]
        default:
            let start = UInt64(pfn) << 12
            let place = start + UInt64(range.lowerBound)..<start + UInt64(range.upperBound)
            return parts.unwritten(start, place).map {
                Int($0.lowerBound - start)..<Int($0.upperBound - start)
            }
        }
    }
}
