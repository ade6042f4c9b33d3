/// The software TLBs: translations of single pages, one table for each CPU.
///
///     entries   | CPU 0: 256 places for user pages, 256 for the kernel's | CPU 1 | …
///     tags      page's address | generation          a flush counts the generation on
///
/// A tag holds the page's address and, where that has its lowest bits, a generation, so that a flush
/// costs nothing. Addresses of the kernel's half have a generation of their own, and a change of
/// process keeps those. The running CPU's generations are at hand; those of the others wait in
/// `others`. Memory comes at the first use.
struct TranslationBuffer: ~Copyable {
    struct Entry: ColumnElement {
        var tag: UInt64 = 0
        var frame: UInt32 = 0
        var rights: UInt32 = 0
    }

    /// A page that a TLB has.
    struct Cached {
        var frame: UInt32
        var rights: PageRights
    }

    /// Places of one CPU: a copy between user space and the kernel has room for both sides.
    static let entryCount = 2 * halfCount
    private static let halfCount = 256
    /// Bits of a tag that are the generation.
    private static let generationMask: UInt64 = 0xfff

    private struct Generations {
        var lower: UInt64 = 1
        var upper: UInt64 = 1
    }

    private var entries = OwnedBuffer<Entry>(zeroed: 0)
    /// First address of the kernel's half.
    private let upperStart: UInt64
    /// The CPU that runs.
    private(set) var cpu = 0
    /// Where its places begin.
    private var base = 0
    private var own = Generations()
    /// Of every CPU that has run, the running one's being stale; empty while only CPU 0 has.
    private var others: [Generations] = []

    /// A TLB that knows nothing yet, of a processor whose addresses have so many bits.
    init(addressBits: UInt64) {
        // 3 GiB, or above all addresses of user space.
        upperStart = addressBits == 48 ? 1 << 63 : 0xc000_0000
    }

    private init(copyOf other: borrowing TranslationBuffer) {
        entries = other.entries.copy()
        upperStart = other.upperStart
        cpu = other.cpu
        base = other.base
        own = other.own
        others = other.others
    }

    func copy() -> TranslationBuffer { TranslationBuffer(copyOf: self) }

    var heldBytes: Int {
        entries.heldBytes + others.count * MemoryLayout<Generations>.stride
    }

    /// Another CPU runs from now on.
    mutating func run(on newCPU: Int) {
        guard newCPU != cpu, (0..<Kernel.maximumCPUs).contains(newCPU) else { return }
        while others.count <= max(cpu, newCPU) { others.append(Generations()) }
        others[cpu] = own
        own = others[newCPU]
        cpu = newCPU
        base = newCPU * Self.entryCount
    }

    @inline(__always)
    private func tag(_ address: UInt64, _ generations: Generations) -> UInt64 {
        address & ~Self.generationMask
            | (address >= upperStart ? generations.upper : generations.lower)
    }

    /// A page's number picks the place in its half.
    @inline(__always)
    private func place(_ address: UInt64) -> Int {
        Int(truncatingIfNeeded: address >> 12) & (Self.halfCount - 1)
            | (address >= upperStart ? Self.halfCount : 0)
    }

    /// The frame of an address where it is known and the access allowed.
    ///
    /// Only canonical addresses are known.
    @inline(__always)
    func frame(_ address: UInt64, for access: PageAccess) -> UInt32? {
        guard entries.count > base else { return nil }
        let entry = entries[base &+ place(address)]
        guard entry.tag == tag(address, own), entry.rights >> UInt32(access.rawValue) & 1 != 0
        else { return nil }
        return entry.frame
    }

    /// What a CPU has of a page, for a look at stale entries.
    ///
    /// - Parameters:
    ///   - address: canonical.
    ///   - cpu: whose TLB; nil for the running one's.
    /// - Returns: nil where the page is not there.
    func cached(_ address: UInt64, cpu: Int? = nil) -> Cached? {
        let number = cpu ?? self.cpu
        guard number == self.cpu || others.indices.contains(number) else { return nil }
        let start = number * Self.entryCount
        guard start < entries.count else { return nil }
        let entry = entries[start + place(address)]
        let generations = number == self.cpu ? own : others[number]
        guard entry.tag == tag(address, generations) else { return nil }
        return Cached(
            frame: entry.frame,
            rights: PageRights(rawValue: UInt8(truncatingIfNeeded: entry.rights))
        )
    }

    mutating func insert(_ address: UInt64, _ frame: UInt32, _ rights: PageRights) {
        if entries.count <= base { entries.extend(to: base + Self.entryCount) }
        entries[base + place(address)] = Entry(
            tag: tag(address, own),
            frame: frame,
            rights: UInt32(rights.rawValue)
        )
    }

    /// The running CPU forgets one page: `invlpg`.
    mutating func flushOwn(page address: UInt64) {
        guard cached(address) != nil else { return }
        entries[base + place(address)] = Entry()
    }

    /// Every CPU forgets one page: the running one tells the others by an interrupt.
    mutating func flush(page address: UInt64) {
        var index = place(address)
        while index < entries.count {
            if (entries[index].tag ^ address) & ~Self.generationMask == 0 {
                entries[index] = Entry()
            }
            index += Self.entryCount
        }
    }

    /// The running CPU forgets the lower half: what a load of CR3 does to pages that are not global.
    mutating func flushOwnLower() { own.lower = next(own.lower) }

    /// The running CPU forgets everything.
    mutating func flushOwnAll() {
        own.lower = next(own.lower)
        own.upper = next(own.upper)
    }

    /// Every CPU forgets the lower half.
    mutating func flushLower() {
        own.lower = next(own.lower)
        for place in others.indices { others[place].lower = next(others[place].lower) }
    }

    /// Every CPU forgets everything: `flush_tlb_all()`.
    mutating func flushAll() {
        flushOwnAll()
        for place in others.indices {
            others[place].lower = next(others[place].lower)
            others[place].upper = next(others[place].upper)
        }
    }

    /// After 4,095 flushes the numbers begin again, and what has an old one is cleared.
    private mutating func next(_ generation: UInt64) -> UInt64 {
        guard generation < Self.generationMask else {
            for place in entries.indices { entries[place] = Entry() }
            return 1
        }
        return generation + 1
    }
}
