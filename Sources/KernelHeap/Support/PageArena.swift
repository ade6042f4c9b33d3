internal import Synchronization

/// One MiB of host memory, cut into pages.
///
///     | counts | page 1 | page 2 | … | page 255 |
///
/// It begins at a multiple of its size, so that a page's address leads to its arena. The first page
/// holds how many share each page, and in its own place how many hold the arena: a store that still
/// cuts pages from it, and every page that somebody has. Pages of one arena lie side by side, which
/// makes moving many of them as fast as moving one block. Pages that nobody touched are not
/// resident.
@safe
struct PageArena {
    static let pageBytes = 4_096
    static let byteCount = 1 << 20
    /// Pages that can be cut from one.
    static let pageCount = byteCount / pageBytes - 1

    private let base: UInt

    /// A fresh one, held by the store that asks.
    init() {
        unsafe base = UInt(
            bitPattern: alignedMemory(byteCount: Self.byteCount)
        )
        unsafe Self.counter(base).initialize(to: Atomic(1))
    }

    /// The one that a page lies in.
    init(ofPage address: UInt) { base = address & ~UInt(Self.byteCount - 1) }

    /// Cuts a page, of zeros; it has one holder.
    ///
    /// - Parameter index: from 0; each may be cut once, by the store that made the arena.
    /// - Returns: its address.
    func page(_ index: Int) -> UInt {
        precondition((0..<Self.pageCount).contains(index), "arena page")
        let address = base + UInt(index + 1) * UInt(Self.pageBytes)
        unsafe Self.counter(address).initialize(to: Atomic(1))
        unsafe Self.counter(base).pointee.add(1, ordering: .relaxed)
        return address
    }

    /// One more fork has a page.
    static func share(_ address: UInt) {
        unsafe counter(address).pointee.add(1, ordering: .relaxed)
    }

    /// Whether the caller, who has a page, is the only one.
    static func isSole(_ address: UInt) -> Bool {
        unsafe counter(address).pointee.load(ordering: .acquiring) == 1
    }

    /// A fork has a page no longer.
    ///
    /// - Returns: whether nobody else has it: it is the caller's, to use or to give back.
    static func leave(_ address: UInt) -> Bool {
        unsafe counter(address).pointee.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    /// Takes a page that `leave` left to the caller.
    static func take(_ address: UInt) {
        unsafe counter(address).pointee.store(1, ordering: .relaxed)
    }

    /// The store that cut pages from an arena does so no longer.
    func close() { drop(holders: 1) }

    /// Gives pages back that nobody has any more; an arena goes with its last page.
    ///
    /// - Parameter addresses: what `leave` left to the caller.
    static func giveBack(_ addresses: [UInt]) {
        var rest = addresses.sorted()[...]
        while let first = rest.first {
            let arena = PageArena(ofPage: first)
            let end = rest.firstIndex { PageArena(ofPage: $0).base != arena.base } ?? rest.endIndex
            arena.giveBack(rest[..<end])
            rest = rest[end...]
        }
    }

    private func giveBack(_ addresses: ArraySlice<UInt>) {
        // Who holds it all can be overtaken by nobody; else the host gets the pages alone.
        if unsafe Self.counter(base).pointee.load(ordering: .acquiring) != addresses.count {
            var rest = addresses
            while let first = rest.first {
                var length = 1
                while length < rest.count,
                    rest[rest.startIndex + length] == first + UInt(length * Self.pageBytes)
                {
                    length += 1
                }
                unsafe forgetMemory(Self.pointer(first), byteCount: length * Self.pageBytes)
                rest = rest.dropFirst(length)
            }
        }
        drop(holders: addresses.count)
    }

    private func drop(holders: Int) {
        let left = unsafe Self.counter(base).pointee
            .subtract(holders, ordering: .acquiringAndReleasing).newValue
        if left == 0 {
            unsafe releaseAlignedMemory(Self.pointer(base), byteCount: Self.byteCount)
        }
    }

    /// The count of a page; of an arena's base, that of the arena.
    private static func counter(_ address: UInt) -> UnsafeMutablePointer<Atomic<Int>> {
        let arena = address & ~UInt(byteCount - 1)
        let index = (address & UInt(byteCount - 1)) / UInt(pageBytes)
        return unsafe pointer(arena).assumingMemoryBound(to: Atomic<Int>.self) + Int(index)
    }

    private static func pointer(_ address: UInt) -> UnsafeMutableRawPointer {
        // Addresses of arenas and pages are never 0.
        unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    }
}
