/// What is written in physical memory; pages that nobody wrote hold zeros and cost nothing.
///
/// Freeing a page leaves its bytes: the next owner finds them, as on a real machine.
struct PageContents: ~Copyable {
    static let pageBytes = 4_096

    private var store = PageStore()
    /// What of it nobody has written since callers got it.
    var unwritten = UnwrittenFrames()

    init() {}

    private init(forkOf other: inout PageContents) {
        store = other.store.fork()
        unwritten = other.unwritten.fork()
    }

    mutating func fork() -> PageContents { PageContents(forkOf: &self) }

    /// Whether nobody wrote anything yet.
    var isEmpty: Bool { store.isEmpty }
    var heldBytes: Int { store.heldBytes + unwritten.heldBytes }

    /// Appends `count` bytes of a frame to `target`.
    func read(_ pfn: UInt32, offset: Int, count: Int, into target: inout [UInt8]) {
        unsafe store.withPage(Int(pfn)) { page in
            guard let page = unsafe page else {
                target.append(contentsOf: repeatElement(0, count: count))
                return
            }
            unsafe target.append(contentsOf: page[offset..<offset + count])
        }
    }

    /// A word of up to 8 bytes, lowest byte first; it ends within the frame.
    func word(_ pfn: UInt32, offset: Int, bytes count: Int) -> UInt64 {
        unsafe store.withPage(Int(pfn)) { page in
            guard let page = unsafe page else { return 0 }
            return unsafe Self.word(page, offset, bytes: count)
        }
    }

    /// Whether somebody wrote into a frame.
    func isWritten(_ pfn: UInt32) -> Bool { store.isPresent(Int(pfn)) }

    /// Calls a closure with the words of a part of a frame; not at all where nobody wrote anything.
    @inline(__always)
    func forEachWord(
        _ pfn: UInt32,
        _ range: Range<Int>,
        bytes count: Int,
        _ body: (UInt64) -> Void
    ) {
        unsafe store.withPage(Int(pfn)) { page in
            guard let page = unsafe page else { return }
            var place = range.lowerBound
            while place + count <= range.upperBound {
                body(unsafe Self.word(page, place, bytes: count))
                place += count
            }
        }
    }

    /// Stores such a word.
    mutating func setWord(_ pfn: UInt32, offset: Int, bytes count: Int, to word: UInt64) {
        unwritten.write(pfn, offset: offset, count: count)
        unsafe store.withMutablePage(Int(pfn)) { page in
            unsafe Self.store(word, to: page, offset, bytes: count)
        }
    }

    /// Reads the words of a whole frame, lowest byte first.
    ///
    /// - Returns: nil where nobody wrote anything: all are 0.
    func words(_ pfn: UInt32, bytes count: Int) -> [UInt64]? {
        unsafe store.withPage(Int(pfn)) { page in
            guard let page = unsafe page else { return nil }
            return stride(from: 0, to: Self.pageBytes, by: count).map { place in
                unsafe Self.word(page, place, bytes: count)
            }
        }
    }

    /// Writes the words of a whole frame; there are as many as it holds.
    mutating func setWords(_ pfn: UInt32, bytes count: Int, to words: [UInt64]) {
        guard words.count * count == Self.pageBytes else { return }
        unwritten.write(pfn, offset: 0, count: Self.pageBytes)
        unsafe store.withMutablePage(Int(pfn)) { page in
            for (place, word) in words.enumerated() {
                unsafe Self.store(word, to: page, place * count, bytes: count)
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
        unwritten.write(pfn, offset: offset, count: source.count)
        unsafe store.withMutablePage(Int(pfn)) { page in
            unsafe source.withUnsafeBytes { source in
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: page[offset...])
                unsafe target.copyMemory(from: source)
            }
        }
    }

    /// Sets bytes of a frame to one value.
    mutating func fill(_ pfn: UInt32, offset: Int, count: Int, with value: UInt8) {
        unwritten.write(pfn, offset: offset, count: count)
        if value == 0 && !isWritten(pfn) { return }
        if value == 0 && count == Self.pageBytes { return store.forget(Int(pfn)) }
        unsafe store.withMutablePage(Int(pfn)) { page in
            let part = unsafe UnsafeMutableRawBufferPointer(
                rebasing: page[offset..<offset + count]
            )
            unsafe part.initializeMemory(as: UInt8.self, repeating: value)
        }
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
        unwritten.write(target, offset: targetOffset, count: count)
        let (from, to) = (Int(source), Int(target))
        if !store.copyBytes(of: from, sourceOffset, to: to, targetOffset, count: count) {
            fill(target, offset: targetOffset, count: count, with: 0)
        }
    }

    /// Clears whole pages: `clear_highpage()` for each.
    @inline(__always)
    mutating func clear(_ pfn: UInt32, pages: Int) {
        if unwritten.isOn { unwritten.end(pfn, pages: pages) }
        guard !isEmpty else { return }
        for offset in 0..<pages { store.forget(Int(pfn) + offset) }
    }
}
