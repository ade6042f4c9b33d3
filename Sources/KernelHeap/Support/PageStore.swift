/// The bytes of pages by their number; pages that nobody wrote cost nothing, and forks are cheap.
///
///     groups    [ 0 | • | 0 | … ]     one word for 512 pages: 0, or where their entries are
///                     v
///     entries   [ 0 | •1 | • | … ]    one word for a page: 0, or an address and the owner bit
///                     |    |
///                     v    v
///     arenas        |page|page| …     side by side, in the order of their first writes
///
/// The owner bit says "mine alone, may be written". A fork shares every page and clears the bits on
/// both sides; who writes first copies, and who is left alone takes the page as it is.
///
/// Page numbers and ranges are checked.
@safe
struct PageStore: ~Copyable, @unchecked Sendable {
    // Unchecked: pages are written only by their single owner; shared ones are read-only, and their
    // counts are atomic. Groups have one owner.
    private var groups: UnsafeMutablePointer<UInt>
    private var groupCount: Int
    /// Groups that exist, in order of creation.
    private var present: [UInt32] = []
    /// Pages that somebody wrote.
    private var count = 0
    /// Pages of ours that hold nothing any more; their bytes are whatever they were.
    private var spare: [UInt] = []
    /// Where fresh pages come from, and how many have been cut from it.
    private var arena: PageArena?
    private var cutPages = 0

    private static var groupPages: Int { 512 }
    private static var pageBytes: Int { PageArena.pageBytes }

    init() { self.init(groupCount: 1) }

    private init(groupCount: Int) {
        self.groupCount = groupCount
        unsafe groups = zeroedMemory(count: groupCount, of: UInt.self)
    }

    deinit {
        var left = spare
        for group in present {
            let entries = unsafe Self.entries(groups[Int(group)])
            for place in 0..<Self.groupPages {
                let entry = unsafe entries[place]
                if entry != 0, PageArena.leave(entry & ~1) { left.append(entry & ~1) }
            }
            unsafe releaseMemory(entries, count: Self.groupPages)
        }
        unsafe releaseMemory(groups, count: groupCount)
        PageArena.giveBack(left)
        arena?.close()
    }

    /// Whether nobody wrote anything yet.
    var isEmpty: Bool { count == 0 }

    /// Host memory held, shared pages counted in full.
    var heldBytes: Int {
        (count + spare.count) * (Self.pageBytes + 8) + min(groupCount * 8, 4096)
            + present.count * (Self.groupPages * 8 + 4)
    }

    /// A second store with the same content; both copy a page when they first write to it.
    mutating func fork() -> PageStore {
        var other = PageStore(groupCount: groupCount)
        other.present = present
        other.count = count
        for group in present {
            let entries = unsafe Self.entries(groups[Int(group)])
            let copy = unsafe zeroedMemory(count: Self.groupPages, of: UInt.self)
            for place in 0..<Self.groupPages {
                let address = unsafe entries[place] & ~1
                guard address != 0 else { continue }
                PageArena.share(address)
                unsafe entries[place] = address
                unsafe copy[place] = address
            }
            unsafe other.groups[Int(group)] = UInt(bitPattern: copy)
        }
        return other
    }

    /// Whether somebody wrote into a page.
    @inline(__always)
    func isPresent(_ page: Int) -> Bool { entry(page) != 0 }

    /// Reads a page through a buffer; nil where nobody wrote any of it.
    @inline(__always)
    func withPage<Result>(
        _ page: Int,
        _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        let entry = entry(page)
        guard entry != 0 else { return body(nil) }
        return unsafe body(
            UnsafeRawBufferPointer(start: Self.bytes(entry), count: Self.pageBytes)
        )
    }

    /// Writes a page through a buffer; it holds zeros at first.
    @inline(__always)
    mutating func withMutablePage<Result>(
        _ page: Int,
        _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        var entry = entry(page)
        if entry & 1 == 0 { entry = own(page) }
        return unsafe body(
            UnsafeMutableRawBufferPointer(start: Self.bytes(entry), count: Self.pageBytes)
        )
    }

    /// Copies bytes from one page that somebody wrote to another, or within one.
    ///
    /// - Parameters:
    ///   - source: a page.
    ///   - start: where in it to begin, in bytes.
    ///   - target: the other page.
    ///   - place: where in that.
    ///   - count: bytes; they end within both pages.
    /// - Returns: false where nobody wrote into the source: nothing is copied.
    @inline(__always)
    mutating func copyBytes(
        of source: Int,
        _ start: Int,
        to target: Int,
        _ place: Int,
        count: Int
    ) -> Bool {
        let room = UInt(bitPattern: Self.pageBytes &- count)
        precondition(
            UInt(bitPattern: count) <= UInt(bitPattern: Self.pageBytes)
                && UInt(bitPattern: start) <= room && UInt(bitPattern: place) <= room,
            "page range"
        )
        guard entry(source) != 0 else { return false }
        var new = entry(target)
        if new & 1 == 0 { new = own(target) }
        // Read after the target is ours: it may be the source.
        let old = entry(source)
        unsafe (Self.bytes(new) + place).copyMemory(
            from: Self.bytes(old) + start,
            byteCount: count
        )
        return true
    }

    /// A page holds nothing from now on.
    mutating func forget(_ page: Int) {
        let entry = entry(page)
        guard entry != 0 else { return }
        unsafe Self.entries(groups[page / Self.groupPages])[page % Self.groupPages] = 0
        count -= 1
        let address = entry & ~1
        if PageArena.leave(address) { spare.append(address) }
    }

    /// A page's entry; 0 beyond the table, too.
    @inline(__always)
    private func entry(_ page: Int) -> UInt {
        let group = page >> 9
        guard UInt(bitPattern: group) < UInt(bitPattern: groupCount) else { return 0 }
        let entries = unsafe groups[group]
        guard entries != 0 else { return 0 }
        return unsafe Self.entries(entries)[page & (Self.groupPages - 1)]
    }

    /// Makes a page exist and be ours alone.
    @inline(never)
    private mutating func own(_ page: Int) -> UInt {
        precondition(page >= 0, "page number")
        let old = entry(page)
        let entries = unsafe entries(for: page)
        var address = old
        if old == 0 {
            address = freshPage(isZero: true)
            count += 1
        } else if !PageArena.isSole(old) {
            address = freshPage(isZero: false)
            unsafe Self.bytes(address).copyMemory(
                from: Self.bytes(old),
                byteCount: Self.pageBytes
            )
            if PageArena.leave(old) { spare.append(old) }
        }
        unsafe entries[page % Self.groupPages] = address | 1
        return address | 1
    }

    /// The entries around a page, made where there are none.
    private mutating func entries(for page: Int) -> UnsafeMutablePointer<UInt> {
        let group = page / Self.groupPages
        if group >= groupCount { grow(toAtLeast: group + 1) }
        let word = unsafe groups[group]
        if word != 0 { return unsafe Self.entries(word) }
        let fresh = unsafe zeroedMemory(count: Self.groupPages, of: UInt.self)
        unsafe groups[group] = UInt(bitPattern: fresh)
        present.append(UInt32(truncatingIfNeeded: group))
        return unsafe fresh
    }

    /// Makes room for more groups; at least doubles, so that growing is cheap in sum.
    private mutating func grow(toAtLeast needed: Int) {
        let larger = max(needed, groupCount * 2)
        let memory = unsafe zeroedMemory(count: larger, of: UInt.self)
        for group in present { unsafe memory[Int(group)] = groups[Int(group)] }
        unsafe releaseMemory(groups, count: groupCount)
        unsafe groups = memory
        groupCount = larger
    }

    /// A page with one holder: a spare one, or one cut from the arena.
    private mutating func freshPage(isZero: Bool) -> UInt {
        if let address = spare.popLast() {
            PageArena.take(address)
            if isZero {
                unsafe Self.bytes(address).initializeMemory(
                    as: UInt8.self,
                    repeating: 0,
                    count: Self.pageBytes
                )
            }
            return address
        }
        let source: PageArena
        if let arena, cutPages < PageArena.pageCount {
            source = arena
        } else {
            arena?.close()
            source = PageArena()
            arena = source
            cutPages = 0
        }
        let address = source.page(cutPages)
        cutPages += 1
        return address
    }

    @inline(__always)
    private static func entries(_ word: UInt) -> UnsafeMutablePointer<UInt> {
        // Words of groups are tested before: never 0 here.
        unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    @inline(__always)
    private static func bytes(_ entry: UInt) -> UnsafeMutableRawPointer {
        // Entries are tested before, and memory is never at address 0.
        unsafe UnsafeMutableRawPointer(bitPattern: entry & ~1).unsafelyUnwrapped
    }
}
