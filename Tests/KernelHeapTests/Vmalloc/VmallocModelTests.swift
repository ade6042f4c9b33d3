import TestSupport
import Testing

@testable import KernelHeap

@Suite("vmalloc: against a naive model")
struct VmallocModelTests {
    @Test("addresses, pages and bytes are the model's", arguments: UInt64(1)...4)
    func random(seed: UInt64) throws {
        var run = try ModelRun(seed: seed)

        for step in 0..<200 { try run.step("seed \(seed), step \(step)") }
        let violations = run.machine.violations
        try run.freeAll()

        #expect(run.differences == [])
        #expect(violations == [])
        #expect(run.machine.violations == [])
        // A purge returns the address space, and every page but those of tables is free again.
        #expect(run.machine.kernel.vmalloc.gaps.ranges() == run.gapsAtStart)
        #expect(run.pagesInUse == run.pagesAtStart)
        #expect(run.machine.kernel.vmalloc.lazyPages == 0)
    }

    @Test func `a fork goes its own way`() throws {
        var run = try ModelRun(seed: 77)
        for step in 0..<100 { try run.step("step \(step)") }
        let before = run.machine.kernel.vmalloc.busy.ranges()
        let held = try run.machine.call("vmalloc", 8_192).word
        try run.machine.call("kernel_write", .word(held), .bytes([1, 2, 3]))

        let fork = run.machine.fork()
        try fork.call("kernel_write", .word(held), .bytes([9]))
        try fork.call("vfree", .word(held))
        for _ in 0..<50 { try fork.call("vmalloc", 20_000) }
        try fork.call("vm_unmap_aliases")
        let bytes = try run.machine.read(held, 3)
        try run.machine.call("vfree", .word(held))

        #expect(bytes == [1, 2, 3])
        #expect(run.machine.kernel.vmalloc.busy.ranges() == before)
        #expect(fork.kernel.vmalloc.busy.count == before.count + 50)
        #expect(run.machine.violations == [])
        #expect(fork.violations == [])
    }

    @Test func `the tree is balanced and ordered whatever comes and goes`() {
        var random = SeededRandom(seed: 5)
        var tree = VmapTree()
        var model: [UInt64: UInt64] = [:]
        for step in 0..<4_000 {
            let start = UInt64(random.below(600)) * 16
            if model[start] != nil {
                tree.remove(tree.containing(start))
                model[start] = nil
            } else {
                let end = start + UInt64(1 + random.below(16))
                tree.insert(VmapNode(start..<end))
                model[start] = end
            }
            guard step % 50 == 0 else { continue }
            var violations = Violations()
            tree.checkInvariants("tree", &violations)
            let expected = model.sorted { $0.key < $1.key }.map { $0.key..<$0.value }
            #expect(violations.texts == [], "step \(step)")
            #expect(tree.ranges() == expected, "step \(step)")
        }
    }
}

/// Random calls on a machine, with the addresses that a list of ranges would choose.
private struct ModelRun {
    let machine: CallMachine
    let gapsAtStart: [Range<UInt64>]
    let pagesAtStart: Int
    private(set) var differences: [String] = []
    private var random: SeededRandom
    /// Busy and lazily freed ranges, ascending.
    private var taken: [Range<UInt64>]
    private var lazy: [Range<UInt64>] = []
    private var held: [(address: UInt64, bytes: UInt64, mark: UInt8, free: String)] = []
    private let pages: [UInt64]

    private static let start: UInt64 = 0xffff_c900_0000_0000

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        var description = MachineDescription()
        description.memoryBytes = 512 << 20
        machine = try CallMachine(description)
        let outcome = try machine.call("alloc_pages_bulk_array", 0xcc0, 8)
        guard case .list(let list)? = outcome.fact("page_array") else {
            throw VmallocRecordingGap()
        }
        pages = list.map { if case .address(let address) = $0 { address } else { 0 } }
        try machine.call("vm_unmap_aliases")
        gapsAtStart = machine.kernel.vmalloc.gaps.ranges()
        taken = machine.kernel.vmalloc.busy.ranges()
        pagesAtStart = Self.pagesInUse(machine)
    }

    struct VmallocRecordingGap: Error {}

    var pagesInUse: Int { Self.pagesInUse(machine) }

    private static func pagesInUse(_ machine: CallMachine) -> Int {
        (0..<machine.kernel.pages.map.capacity).count {
            let page = machine.kernel.pages.map[$0]
            return page.kind == .allocated && !page.isPageTable
        }
    }

    mutating func step(_ what: String) throws {
        switch random.below(10) {
        case 0..<4: try allocate("vmalloc", UInt64(1 + random.below(40_000)), what)
        case 4: try allocate("vzalloc", UInt64(1 + random.below(3 << 20)), what)
        case 5: try map(what)
        case 6: if random.oneIn(5) { try purge() }
        default: if !held.isEmpty { try free(random.below(held.count), what) }
        }
    }

    private mutating func allocate(_ name: String, _ size: UInt64, _ what: String) throws {
        let bytes = (size + 4_095) & ~4_095
        let expected = take(bytes + 4_096)
        // An array of more than one page of pointers has an area of its own.
        let array = bytes / 4_096 * 8
        if array > 4_096 { _ = take((array + 4_095) & ~4_095 + 4_096) }
        let address = try machine.call(name, .word(size)).word
        check(address, expected, "\(what) \(name) \(size)")
        let mark = UInt8(1 + random.below(255))
        try machine.call("memset", .word(address), .word(UInt64(mark)), .word(bytes))
        held.append((address, bytes, mark, "vfree"))
    }

    private mutating func map(_ what: String) throws {
        let list = Array(pages.prefix(1 + random.below(8)))
        let expected = take(UInt64(list.count + 1) << 12)
        let address = try machine.call("vmap", .words(list)).word
        check(address, expected, "\(what) vmap \(list.count)")
        held.append((address, UInt64(list.count) << 12, 0, "vunmap"))
    }

    private mutating func free(_ index: Int, _ what: String) throws {
        let area = held.remove(at: index)
        if area.mark != 0 {
            // First, last and one byte between them are still the owner's.
            for offset in [0, area.bytes / 2, area.bytes - 1] {
                let byte = try machine.read(area.address + offset, 1)
                if byte != [area.mark] { differences.append("\(what): byte \(offset) is \(byte)") }
            }
        }
        let beyond = try machine.call("kernel_read", .word(area.address + area.bytes), 1)
        if beyond.word != 0 { differences.append("\(what): the guard page is mapped") }
        try machine.call(area.free, .word(area.address))
        // What waits stays taken: too few pages here for the worker to be called.
        if lazy.isEmpty { lazy = [area.address..<area.address + area.bytes + 4_096] }
    }

    private mutating func purge() throws {
        try machine.call("vm_unmap_aliases")
        taken = machine.kernel.vmalloc.busy.ranges()
        lazy = []
    }

    /// The lowest addresses of the area that are not taken.
    private mutating func take(_ size: UInt64) -> UInt64 {
        if machine.kernel.vmalloc.lazyPages == 0 && !lazy.isEmpty {
            taken = machine.kernel.vmalloc.busy.ranges()
            lazy = []
        }
        var address = Self.start
        var place = 0
        for (index, range) in taken.enumerated() {
            place = index
            if range.lowerBound >= address + size { break }
            address = max(address, range.upperBound)
            place = index + 1
        }
        taken.insert(address..<address + size, at: place)
        return address
    }

    private mutating func check(_ found: UInt64, _ expected: UInt64, _ what: String) {
        if found != expected {
            differences.append(
                "\(what): \(String(found, radix: 16)), not \(String(expected, radix: 16))"
            )
        }
    }

    mutating func freeAll() throws {
        while !held.isEmpty { try free(held.count - 1, "end") }
        try machine.call("vm_unmap_aliases")
    }
}
