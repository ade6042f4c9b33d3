import KernelHeap
import Testing

@Suite("Views: the slabs of a cache")
struct CacheSlabsTests {
    private func slabs(
        _ machine: CallMachine,
        _ name: String,
        limit: Int = 4_096
    ) throws
        -> [SlabView]
    {
        try machine.slabs(name, from: 0, limit: limit).slabs
    }

    //  kmalloc-64 after three calls:   | 0 | 1 | free | 3 … 63 free |     2 was freed last
    @Test func `the CPU's slab shows its slots and the freelist through them`() throws {
        let machine = try CallMachine()
        let objects = try (0..<3).map { _ in try machine.call("kmalloc", 50, 0xcc0).word }
        try machine.call("kfree", .word(objects[1]))
        let slab = try #require(try slabs(machine, "kmalloc-64").first)

        #expect(slab.holder == .cpu(0))
        #expect(slab.objects == 64)
        #expect(slab.isFrozen)
        #expect(slab.slots.count == 64)
        #expect(slab.slots[0].isAllocated)
        #expect(slab.slots[0].address.rawValue == objects[0])
        #expect(slab.slots[0].requested == 50)
        #expect(slab.slots[0].call == 1)
        #expect(slab.slots[0].function == "kmalloc")
        #expect(slab.slots[0].freelist == nil)
        #expect(!slab.slots[1].isAllocated)
        #expect(slab.slots[1].position == 0)
        #expect(slab.slots[1].function == "kfree")
        #expect(slab.slots[1].requested == nil)
        #expect(slab.slots[3].position == 1)
        #expect(slab.slots[3].call == nil)
        #expect(slab.freelists.first?.length == 62)
        #expect(slab.freelists.first?.end == .null)
        #expect(slab.usage.requested == 100)
        #expect(slab.usage.allocated == 128)
        #expect(slab.usage.free == 62 * 64)
        #expect(slab.usage.bytes == 4_096)
    }

    @Test func `holders: the CPU's slab, a full one, a partial one`() throws {
        let machine = try CallMachine()
        let objects = try (0..<64 * 3).map { _ in try machine.call("kmalloc", 64, 0xcc0).word }
        try machine.call("kfree", .word(objects[70]))
        let holders = try slabs(machine, "kmalloc-64").map(\.holder)

        #expect(holders == [.full, .cpuPartial(cpu: 0, position: 0), .cpu(0)])
    }

    @Test("every slot comes once, a few at a time", arguments: [1, 7, 63, 64, 65, 1_000])
    func pages(limit: Int) throws {
        let machine = try CallMachine()
        for _ in 0..<150 { try machine.call("kmalloc", 64, 0xcc0) }
        var seen: [UInt64] = []
        var cursor: UInt64? = 0
        while let from = cursor {
            let view = try machine.slabs("kmalloc-64", from: from, limit: limit)
            let slots = view.slabs.flatMap(\.slots)
            #expect(slots.count <= limit)
            seen += slots.map(\.address.rawValue)
            cursor = view.next
        }

        #expect(seen.count == 192)
        #expect(Set(seen).count == 192)
    }

    @Test func `a double free shows as a loop`() throws {
        let machine = try CallMachine("slab_freelist_hardened=0")
        let first = try machine.call("kmalloc", 64, 0xcc0).word
        let second = try machine.call("kmalloc", 64, 0xcc0).word
        for object in [first, second, first] { try machine.call("kfree", .word(object)) }
        let slab = try #require(try slabs(machine, "kmalloc-64").first)
        let list = try #require(slab.freelists.first)

        #expect(list.length == 2)
        #expect(list.end == .loop(index: 0))
        #expect(slab.slots[0].position == 0)
        #expect(slab.slots[1].position == 1)
        #expect(slab.slots[2].position == nil)
    }

    @Test func `a pointer written over leads the walk out of the slab`() throws {
        let machine = try CallMachine("slab_freelist_hardened=0")
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kfree", .word(object))
        let bytes = [UInt8](repeating: 0x41, count: 8)
        try machine.call("kernel_write", .word(object + 32), .bytes(bytes))
        let slab = try #require(try slabs(machine, "kmalloc-64").first)

        #expect(slab.isLinkedByBytes)
        let target = LinearAddress(rawValue: 0x4141_4141_4141_4141)
        #expect(slab.freelists.first?.end == .outside(target))
        #expect(slab.freelists.first?.length == 1)
    }

    @Test func `slub_debug's marks show what was written over`() throws {
        let machine = try CallMachine("slub_debug=FZP")
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let freed = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kfree", .word(freed))
        try machine.call("memset", .word(object + 64), 0, 1)
        try machine.call("memset", .word(freed + 3), 0, 2)
        let slots = try slabs(machine, "kmalloc-64").flatMap(\.slots)
        let mine = try #require(slots.first { $0.address.rawValue == object })
        let other = try #require(slots.first { $0.address.rawValue == freed })
        let wrong = (mine.marks + other.marks).filter { $0.overwritten != nil }

        #expect(wrong.map(\.name) == ["Right Redzone", "Poison"])
        #expect(wrong.map(\.overwritten) == [object + 64..<object + 65, freed + 3..<freed + 5])
        #expect(mine.marks.first?.value == 0xcc)
        #expect(other.marks.first?.value == 0xbb)
    }

    @Test(
        "cursors that nobody gave out end the list or go on behind it",
        arguments: [1, 63, 64, 0xffff, 0x1_0000, 1 << 40, 1 << 63, UInt64.max]
    )
    func strangeCursors(cursor: UInt64) throws {
        let machine = try CallMachine()
        for _ in 0..<3 { try machine.call("kmalloc", 64, 0xcc0) }
        let view = try machine.slabs("kmalloc-64", from: cursor, limit: .max)

        #expect(view.slabs.flatMap(\.slots).count <= 63)
        #expect(view.next == nil)
    }

    @Test func `a cache's sum is the sum of its slabs`() throws {
        let machine = try CallMachine()
        for index in 0..<300 as Range<UInt64> {
            try machine.call("kmalloc", .word(129 + index % 60), 0xcc0)
        }
        let all = try slabs(machine, "kmalloc-192")
        let usage = try #require(machine.usage("kmalloc-192"))

        #expect(usage.slabs == 15)
        #expect(usage.allocatedObjects == 300)
        #expect(usage.requested == 300 * 129 + 5 * (59 * 60 / 2))
        #expect(usage.allocated == 300 * 192)
        #expect(usage.bytes == 15 * 4_096)
        #expect(usage.requested == all.reduce(0) { $0 + $1.usage.requested })
        #expect(machine.usage("nothing") == nil)
    }
}
