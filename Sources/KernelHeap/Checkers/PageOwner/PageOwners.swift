/// Who allocated each page and who had it before: the boot option `page_owner=on`, 6.1.
///
/// Every page of a block has an entry, so that parts of a block may be freed or split off and are
/// still known. An entry that a new owner takes goes to the page's ring of earlier ones:
///
///     0 ..< frames           frame → owner                      for each frame ever allocated
///     frames ..< 5 frames    frame × 4 + count % 4 → owner      the last four before
///
/// An entry has 64 bytes, and they all stand in one column, which exists where it was written. A
/// machine without the option holds an empty value of this type; its page allocator tests `isOn`
/// and no more.
struct PageOwners: ~Copyable, Sendable {
    let isOn: Bool
    private let frames: Int
    private var entries: ChunkedColumn<PageOwner>
    /// Who runs now.
    var caller = PageOwner.Caller()

    /// Earlier owners that a page keeps.
    static let earlierLimit = 4

    init() {
        isOn = false
        frames = 0
        entries = ChunkedColumn(count: 1)
    }

    init(frames: Int) {
        isOn = true
        self.frames = frames
        entries = ChunkedColumn(count: frames * (1 + Self.earlierLimit))
        caller.command = CommandName("swapper/0")
    }

    private init(forkOf other: inout PageOwners) {
        isOn = other.isOn
        frames = other.frames
        entries = other.entries.fork()
        caller = other.caller
    }

    mutating func fork() -> PageOwners { isOn ? PageOwners(forkOf: &self) : PageOwners() }

    var heldBytes: Int { isOn ? entries.heldBytes : 0 }

    /// The owner of a frame; beyond memory, and without the option, nobody was seen.
    subscript(frame: UInt32) -> PageOwner {
        Int(frame) < frames ? entries[Int(frame)] : PageOwner()
    }

    /// Notes that a block was handed out: `__set_page_owner()`.
    ///
    /// - Parameters:
    ///   - first: its first frame.
    ///   - order: of the block.
    ///   - flags: of the request.
    @inline(never)
    mutating func noteAllocation(of first: UInt32, order: Int, _ flags: GFPFlags) {
        let new = PageOwner(order: order, flags, by: caller)
        for frame in block(first, order) {
            let old = entries[frame]
            var owner = new
            owner.keepFree(of: old)
            if old.isKnown {
                entries[place(of: frame, old.earlierCount)] = old
                owner.earlierCount = old.earlierCount &+ 1
            }
            entries[frame] = owner
        }
    }

    /// Notes that a block was given back: `__reset_page_owner()`.
    @inline(never)
    mutating func noteFree(of first: UInt32, order: Int) {
        for frame in block(first, order) { entries[frame].free(by: caller) }
    }

    /// Each page of a block is a block of its own from now on.
    mutating func split(_ first: UInt32, order: Int) {
        for frame in block(first, order) { entries[frame].split() }
    }

    /// Compaction has moved a page; the target's entry names compaction until now.
    mutating func move(from old: UInt32, to new: UInt32) {
        guard max(Int(old), Int(new)) < frames else { return }
        let owner = entries[Int(old)]
        entries[Int(new)].move(from: owner)
    }

    /// Owners of a frame before the one it names now, oldest first; at most `earlierLimit`.
    func earlierOwners(of frame: UInt32) -> [PageOwner] {
        let count = self[frame].earlierCount
        let kept = min(count, UInt32(Self.earlierLimit))
        return (0..<kept).map { entries[place(of: Int(frame), count &- kept &+ $0)] }
    }

    /// The first frame from one on that somebody was seen to allocate; untouched memory is passed
    /// over.
    ///
    /// - Parameters:
    ///   - frame: where to begin.
    ///   - end: the frame behind the last to look at.
    /// - Returns: nil where there is none.
    func firstKnown(from frame: Int, before end: Int) -> Int? {
        var frame = max(frame, 0)
        let end = min(end, frames)
        while frame < end {
            if entries.hasChunk(containing: frame) {
                if entries[frame].isKnown { return frame }
                frame += 1
            } else {
                frame = entries.nextChunk(after: frame)
            }
        }
        return nil
    }

    /// The frames of a block, cut to the machine's.
    private func block(_ first: UInt32, _ order: Int) -> Range<Int> {
        let start = min(Int(first), frames)
        return start..<min(start + 1 << order, frames)
    }

    /// Where a frame's owner of a number stands; numbers count from its first owner.
    private func place(of frame: Int, _ number: UInt32) -> Int {
        frames + frame * Self.earlierLimit + Int(number % UInt32(Self.earlierLimit))
    }
}
