import KernelHeap
import TestSupport
import Testing

/// A machine that makes up the marks of checked slabs, against one that has them all in memory.
///
/// The second has every mark spelled out before each call, so that it stores and checks bytes as
/// the kernel does. Nobody may be able to tell the two apart.
@Suite("slub_debug: marks that are known without being stored")
struct IntactSlabTests {
    static let options = [
        "slub_debug=FZPU", "slub_debug=F", "slub_debug=Z", "slub_debug=P", "slub_debug=U",
        "slub_debug=FZ slab_freelist_random", "slub_debug=PU slab_freelist_hardened=0",
        "slub_debug=FPU init_on_free=1",
    ]

    @Test("no sequence of calls tells them apart", arguments: options, [1, 2, 3] as [UInt64])
    func areAlike(options: String, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let intact = try CallMachine(options)
        let spelled = try CallMachine(options)
        var pair = MachinePair(intact: intact, spelled: spelled)
        try pair.makeCaches()
        for step in 0..<600 {
            try pair.step(misuse: step > 300, &random)
        }
        #expect(pair.steps > 500)
        #expect(intact.slabPages == spelled.slabPages)
    }

    @Test func `a store into an object keeps the slab intact, one beside it does not`() throws {
        let machine = try CallMachine("slub_debug=FZPU")
        let object = try machine.call("kmalloc", 40, 0xcc0).word

        try machine.call("kernel_write", .word(object), .bytes([UInt8](repeating: 7, count: 40)))
        #expect(machine.intactSlabs == 1)
        #expect(
            try machine.read(object, 64).prefix(41) == [UInt8](repeating: 7, count: 40) + [0x6b]
        )

        try machine.call("kernel_write", .word(object + 64), .bytes([1]))
        #expect(machine.intactSlabs == 0)
        let outcome = try machine.call("kfree", .word(object))
        #expect(outcome.log.contains { $0.contains("Right Redzone overwritten") })
    }
}

/// Both machines, and what is allocated on them.
private struct MachinePair {
    let intact: CallMachine
    let spelled: CallMachine
    private(set) var steps = 0
    private var live: [(address: UInt64, cache: String?)] = []
    private var freed: [UInt64] = []

    init(intact: CallMachine, spelled: CallMachine) {
        self.intact = intact
        self.spelled = spelled
    }

    mutating func makeCaches() throws {
        try call("kmem_cache_create", "odd", 100, 0, 0)
        try call("kmem_cache_create", "typesafe", 72, 0, 0x8_0000)
        try call("kmem_cache_create", "made", 200, 0, 0, .bytes([1, 2, 3, 4]))
    }

    /// Runs a call on both; they must answer alike.
    @discardableResult
    private mutating func call(
        _ name: String,
        _ arguments: CallMachine.Argument...
    ) throws -> UInt64 {
        spelled.spellOutMarks()
        let one = try intact.call(name, arguments)
        let other = try spelled.call(name, arguments)
        try #require("\(one.result)" == "\(other.result)", "\(name) \(arguments)")
        try #require(Array(one.log) == Array(other.log), "\(name) \(arguments)")
        steps += 1
        return one.word
    }

    mutating func step(misuse: Bool, _ random: inout SeededRandom) throws {
        switch Int.random(in: 0..<(misuse ? 16 : 12), using: &random) {
        case 0...2:
            let size = [8, 24, 64, 90, 192, 700, 4_096].randomElement(using: &random) ?? 8
            let zero: UInt64 = Bool.random(using: &random) ? 0x100 : 0
            let address = try call("kmalloc", .word(UInt64(size)), .word(0xcc0 | zero))
            if address != 0 { live.append((address, nil)) }
        case 3...4:
            let cache = ["odd", "typesafe", "made"].randomElement(using: &random) ?? "odd"
            let address = try call("kmem_cache_alloc", .text(cache), 0xcc0)
            if address != 0 { live.append((address, cache)) }
        case 5...7:
            guard !live.isEmpty else { return }
            let index = Int.random(in: live.indices, using: &random)
            try free(live.remove(at: index))
        case 8...9:
            guard let object = live.randomElement(using: &random) else { return }
            let offset = UInt64.random(in: 0..<8, using: &random)
            let bytes = (0..<Int.random(in: 1...8, using: &random)).map { UInt8($0 + 1) }
            // Eight bytes are an object's own whatever its cache.
            try call("kernel_write", .word(object.address + offset % 4), .bytes([bytes[0]]))
            if misuse {
                try call("kernel_write", .word(object.address &+ offset), .bytes(bytes))
            }
        case 10...11: try look(&random)
        case 12:
            guard let object = live.randomElement(using: &random) else { return }
            let distance = UInt64.random(in: 0..<300, using: &random)
            try call("kernel_write", .word(object.address &+ distance), .bytes([0x41]))
        case 13:
            guard let address = freed.randomElement(using: &random) else { return }
            try call("kfree", .word(address))
        case 14:
            guard let object = live.randomElement(using: &random) else { return }
            try call("kfree", .word(object.address &+ 16))
        default:
            guard let address = freed.randomElement(using: &random) else { return }
            try call("kernel_write", .word(address), .bytes([0x42, 0x43]))
        }
    }

    private mutating func free(_ object: (address: UInt64, cache: String?)) throws {
        freed.append(object.address)
        if let cache = object.cache {
            try call("kmem_cache_free", .text(cache), .word(object.address))
        } else {
            try call("kfree", .word(object.address))
        }
    }

    /// Compares the bytes of the pages around an object, owned or given back.
    private mutating func look(_ random: inout SeededRandom) throws {
        let known = live.map(\.address) + freed
        guard let address = known.randomElement(using: &random) else { return }
        let page = address & ~0xfff
        spelled.spellOutMarks()
        for start in stride(from: page, to: page + 8_192, by: 1_024) {
            try #require(try intact.read(start, 1_024) == spelled.read(start, 1_024))
        }
    }
}
