import TestSupport
import Testing

@testable import KernelHeap

/// A machine with the sanitizer beside an array of truths for each of its regions, which says of
/// every byte whether somebody wrote it.
///
///     region    | written … | false false | true … |      as long as the memory really is
///     calls     kernel_write, memset, memcpy, memmove, krealloc, copy_from_user, copy_to_user
struct UnwrittenModel {
    struct Region {
        var address: UInt64
        /// The same memory under other addresses.
        var aliases: [UInt64] = []
        /// Bytes that were asked for.
        var size: Int
        var isWritten: [Bool]
        var free: String
        /// Of a block of pages.
        var order: UInt64 = 0
    }

    static let user: UInt64 = 0x1000_0000

    let machine: KasanMachine
    /// Ranges begin and end at multiples, so that few parts are unwritten at a time.
    let unit: Int
    var random: SeededRandom
    var regions: [Region] = []
    private(set) var reports = 0

    init(seed: UInt64, unit: Int) throws {
        machine = try KasanMachine()
        self.unit = unit
        random = SeededRandom(seed: seed)
        try machine.call("mmap", .word(Self.user), 65_536, 3, 0x32, 0, 0)
    }

    /// `kmalloc()`, `kzalloc()` or `krealloc()`'s new object.
    mutating func addObject(_ size: Int, _ function: String = "kmalloc") throws {
        let address = try machine.pointer(function, .word(UInt64(size)), 0xcc0)
        regions.append(
            Region(
                address: address,
                size: size,
                isWritten: Array(repeating: function == "kzalloc", count: room(size)),
                free: "kfree"
            )
        )
    }

    /// Bytes that `kmalloc()` gives for a request.
    private func room(_ size: Int) -> Int {
        let sizes = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1_024, 2_048, 4_096, 8_192]
        return sizes.first { $0 >= size } ?? (size + 4_095) / 4_096 * 4_096
    }

    /// `__get_free_pages()`.
    mutating func addPages(order: UInt64) throws {
        let address = try machine.pointer("__get_free_pages", 0xcc0, .word(order))
        add(address, 4_096 << order, "free_pages")
        regions[regions.count - 1].order = order
    }

    /// `vmalloc()`.
    mutating func addArea(_ size: Int) throws {
        add(try machine.pointer("vmalloc", .word(UInt64(size))), size, "vfree")
    }

    /// A page that `vmap()` shows twice more; it is kept.
    mutating func addAliasedPage() throws {
        try addPages(order: 0)
        let page = regions[regions.count - 1].address
        let descriptor = try machine.pointer("virt_to_page", .word(page))
        for _ in 0..<2 {
            let alias = try machine.pointer("vmap", .words([descriptor]), 1)
            regions[regions.count - 1].aliases.append(alias)
        }
    }

    private mutating func add(_ address: UInt64, _ size: Int, _ free: String) {
        let isWritten = Array(repeating: false, count: size)
        regions.append(Region(address: address, size: size, isWritten: isWritten, free: free))
    }

    mutating func freeOne() throws {
        guard !regions.isEmpty else { return }
        let place = random.below(regions.count)
        guard regions[place].aliases.isEmpty else { return }
        let region = regions.remove(at: place)
        let isBlock = region.free == "free_pages"
        let arguments = [Argument.word(region.address)] + (isBlock ? [.word(region.order)] : [])
        #expect(try machine.calls.call(region.free, arguments).warnings == [])
    }

    /// One call that stores, loads, copies or reports.
    mutating func step() throws {
        guard !regions.isEmpty else { return }
        let place = random.below(regions.count)
        let range = range(in: regions[place])
        let start = alias(of: regions[place]) + UInt64(range.lowerBound)
        let count = UInt64(range.count)
        switch random.below(8) {
        case 0:
            let bytes = [UInt8](repeating: 0x5a, count: range.count)
            try expectNothing("kernel_write", .word(start), .bytes(bytes))
            set(place, range, true)
        case 1:
            try expectNothing("memset", .word(start), 0, .word(count))
            set(place, range, true)
        case 2:
            try expectNothing("copy_from_user", .word(start), .word(Self.user), .word(count))
            set(place, range, true)
        case 3, 4: try copy(place, range, from: start)
        case 5 where regions[place].free == "kfree" && regions[place].size < 2_000:
            try reallocate(place)
        case 6:
            let outcome = try machine.call("kernel_read", .word(start), .word(count), 1)
            expect(outcome, place, range, start)
        default:
            let user = Argument.word(Self.user)
            let outcome = try machine.call("copy_to_user", user, .word(start), .word(count))
            expect(outcome, place, range, start)
        }
    }

    typealias Argument = CallMachine.Argument

    private func expectNothing(_ name: String, _ arguments: Argument...) throws {
        let outcome = try machine.calls.call(name, arguments)
        #expect(outcome.warnings == [], "\(name)")
    }

    private mutating func range(in region: Region) -> Range<Int> {
        let last = region.size / unit
        let first = random.below(last + 1) * unit
        let end = min(region.size, first + (1 + random.below(last + 1)) * unit)
        return first < end ? first..<end : 0..<min(unit, region.size)
    }

    private mutating func alias(of region: Region) -> UInt64 {
        random.pick(region.aliases + [region.address])
    }

    private mutating func set(_ place: Int, _ range: Range<Int>, _ isWritten: Bool) {
        for byte in range { regions[place].isWritten[byte] = isWritten }
    }

    /// `memcpy()` to another region, or `memmove()`, which may be in the same one.
    private mutating func copy(_ from: Int, _ range: Range<Int>, from source: UInt64) throws {
        let to = random.below(regions.count)
        let room = regions[to].size - range.count
        guard room >= 0 else { return }
        let start = random.below(room / unit + 1) * unit
        let target = alias(of: regions[to]) + UInt64(start)
        let function = from == to || random.oneIn(2) ? "memmove" : "memcpy"
        // Through aliases memmove() cannot see that the two overlap.
        if from == to, !regions[to].aliases.isEmpty { return }
        try expectNothing(function, .word(target), .word(source), .word(UInt64(range.count)))
        let known = Array(regions[from].isWritten[range])
        for (offset, isWritten) in known.enumerated() {
            regions[to].isWritten[start + offset] = isWritten
        }
    }

    private mutating func reallocate(_ place: Int) throws {
        let old = regions[place]
        let size = old.size + 1 + random.below(2 * old.size)
        let outcome = try machine.call("krealloc", .word(old.address), .word(UInt64(size)), 0xcc0)
        #expect(outcome.warnings == [])
        guard case .pointer(let address) = outcome.result.value else { return }
        let more = max(room(size) - old.isWritten.count, 0)
        regions[place].address = address
        regions[place].size = size
        regions[place].isWritten += Array(repeating: false, count: more)
    }

    /// A use of a range is reported where bytes are unwritten, and says which.
    private mutating func expect(
        _ outcome: CallOutcome,
        _ place: Int,
        _ range: Range<Int>,
        _ start: UInt64
    ) {
        let unwritten = range.filter { !regions[place].isWritten[$0] }
        var reported: [Int] = []
        for warning in outcome.warnings {
            switch warning {
            case .informationLeak(let leak), .uninitializedValue(let leak):
                for part in leak.ranges {
                    reported += part.map { Int($0 - start) + range.lowerBound }
                }
            default: Issue.record("\(warning.name)")
            }
        }
        if !unwritten.isEmpty { reports += 1 }
        #expect(reported == unwritten)
    }
}
