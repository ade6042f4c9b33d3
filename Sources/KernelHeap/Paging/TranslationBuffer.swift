/// The software TLB: translations of single pages, found by the low bits of their number.
///
/// A tag holds the page's number and a generation; a flush counts the generation on, and costs
/// nothing. Addresses of the upper half have a generation of their own, so that a change of process
/// keeps the kernel's. Memory comes at the first use.
struct TranslationBuffer: ~Copyable {
    struct Entry: ColumnElement {
        var tag: UInt64 = 0
        var frame: UInt32 = 0
        var rights: UInt32 = 0
    }

    static let entryCount = 256
    /// Bits of a tag that are the generation.
    private static let generationBits: UInt64 = 28

    private var entries = OwnedBuffer<Entry>(zeroed: 0)
    private var lowerGeneration: UInt64 = 1
    private var upperGeneration: UInt64 = 1

    init() {}

    private init(copyOf other: borrowing TranslationBuffer) {
        entries = other.entries.copy()
        lowerGeneration = other.lowerGeneration
        upperGeneration = other.upperGeneration
    }

    func copy() -> TranslationBuffer { TranslationBuffer(copyOf: self) }

    var heldBytes: Int { entries.heldBytes }

    @inline(__always)
    private func tag(_ address: UInt64) -> UInt64 {
        let isUpper = Int64(bitPattern: address) < 0
        let page = address >> 12 & 0xf_ffff_ffff
        return page << Self.generationBits | (isUpper ? upperGeneration : lowerGeneration)
    }

    /// The frame of an address where it is known and the access allowed.
    ///
    /// The address is canonical.
    @inline(__always)
    func frame(_ address: UInt64, for access: PageAccess) -> UInt32? {
        guard entries.count == Self.entryCount else { return nil }
        let entry = entries[Int(truncatingIfNeeded: address >> 12) & (Self.entryCount - 1)]
        guard entry.tag == tag(address), entry.rights >> UInt32(access.rawValue) & 1 != 0 else {
            return nil
        }
        return entry.frame
    }

    /// What is cached of a page, for a look at stale entries.
    func cached(_ address: UInt64) -> (frame: UInt32, rights: PageRights)? {
        guard entries.count == Self.entryCount else { return nil }
        let entry = entries[Int(truncatingIfNeeded: address >> 12) & (Self.entryCount - 1)]
        guard entry.tag == tag(address) else { return nil }
        return (entry.frame, PageRights(rawValue: UInt8(truncatingIfNeeded: entry.rights)))
    }

    mutating func insert(_ address: UInt64, _ frame: UInt32, _ rights: PageRights) {
        if entries.count == 0 { entries.extend(to: Self.entryCount) }
        let place = Int(truncatingIfNeeded: address >> 12) & (Self.entryCount - 1)
        entries[place] = Entry(tag: tag(address), frame: frame, rights: UInt32(rights.rawValue))
    }

    /// Forgets one page: `invlpg`.
    mutating func flush(page address: UInt64) {
        guard cached(address) != nil else { return }
        entries[Int(truncatingIfNeeded: address >> 12) & (Self.entryCount - 1)] = Entry()
    }

    /// Forgets the lower half: what a load of CR3 does to pages that are not global.
    mutating func flushLower() { lowerGeneration = next(lowerGeneration) }

    mutating func flushAll() {
        lowerGeneration = next(lowerGeneration)
        upperGeneration = next(upperGeneration)
    }

    /// After 2^28 flushes the numbers begin again, and what has an old one is cleared.
    private mutating func next(_ generation: UInt64) -> UInt64 {
        guard generation + 1 < 1 << Self.generationBits else {
            for place in entries.indices { entries[place] = Entry() }
            return 1
        }
        return generation + 1
    }
}
