import KernelHeap
import Testing

@Suite("kmem_cache: creating and destroying")
struct CacheLifeTests {
    @Test func `a created cache hands out objects of its own and goes with all its pages`() throws {
        let machine = try CallMachine("slub_nomerge")
        let s = try machine.call("kmem_cache_create", "lab", 200).word
        let before = machine.slabPages
        var objects: [UInt64] = []
        for _ in 0..<100 {
            objects.append(try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word)
        }
        let held = try machine.cache("lab")
        for object in objects { try machine.call("kmem_cache_free", .word(s), .word(object)) }
        let outcome = try machine.call("kmem_cache_destroy", .word(s))

        #expect(s >> 32 == 0xffff_8880)
        #expect(Set(objects).count == 100)
        #expect(held.liveObjects == 100 && held.counts.slabs == 5)
        #expect(held.address?.rawValue == s)
        #expect(outcome.fact("outcome") == .text("destroyed"))
        #expect(outcome.log.isEmpty)
        #expect(machine.slabPages == before)
        #expect(!machine.hasCache("lab"))
        #expect(machine.violations == [])
    }

    @Test func `caches that are alike are one, until the last creator destroys it`() throws {
        let machine = try CallMachine()
        let first = try machine.call("kmem_cache_create", "lab-a", 1_000)
        let second = try machine.call("kmem_cache_create", "lab-b", 1_000)
        let shared = try machine.cache("lab-b")
        let size = try machine.call("kmem_cache_size", .text("lab-b")).word

        let one = try machine.call("kmem_cache_destroy", "lab-b")
        let left = try machine.cache("lab-b")
        let two = try machine.call("kmem_cache_destroy", "lab-a")

        #expect(first.word == second.word && first.word != 0)
        #expect(shared.names == ["lab-a", "lab-b"] && shared.detail.aliasCount == 1)
        #expect(size == 1_000)
        #expect(one.fact("outcome") == .text("shared"))
        // The link under /sys stays as long as the cache, as in 6.1.
        #expect(left.detail.aliasCount == 0 && left.counts.name == "lab-a")
        #expect(two.fact("outcome") == .text("destroyed"))
        #expect(!machine.hasCache("lab-a"))
        #expect(!machine.hasCache("lab-b"))
    }

    @Test func `a cache like one of the boot's joins it`() throws {
        let machine = try CallMachine()

        let s = try machine.call("kmem_cache_create", "lab", 64, 0, 0).word
        let cache = try machine.cache("lab")
        let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word

        #expect(s != 0 && object != 0)
        #expect(cache.counts.name == "vmap_area" && cache.address?.rawValue == s)
    }

    @Test func `a second cache of one name is made, and the name means the newer one`() throws {
        let machine = try CallMachine("slub_nomerge")
        let older = try machine.call("kmem_cache_create", "lab-dup", 64)
        let newer = try machine.call("kmem_cache_create", "lab-dup", 128)
        let size = try machine.call("kmem_cache_size", "lab-dup").word

        try machine.call("kmem_cache_destroy", .word(newer.word))
        let left = try machine.call("kmem_cache_size", "lab-dup").word

        #expect(older.word != newer.word && newer.word != 0)
        #expect(older.log.isEmpty && newer.log.isEmpty)
        #expect(size == 128 && left == 64)
    }

    @Test func `with user tracking a second cache of one name is remarked, as recorded`() throws {
        let machine = try CallMachine("slub_nomerge slub_debug=FZPU")
        try machine.call("kmem_cache_create", "lab-dup", 64)

        let newer = try machine.call("kmem_cache_create", "lab-dup", 64)

        let line = "debugfs: Directory 'lab-dup' with parent 'slab' already present!"
        #expect(newer.word != 0 && Array(newer.log) == [line])
    }

    @Test func `what no slab can hold is refused with the recorded line`() throws {
        let machine = try CallMachine("slub_nomerge")

        let huge = try machine.call("kmem_cache_create", "lab-huge", .word(8 << 20))
        let flag = try machine.call("kmem_cache_create", "lab", 64, 0, 0x200_0000)
        let none = try machine.call("kmem_cache_create", "", 64)
        let long = try machine.call(
            "kmem_cache_create",
            .text(String(repeating: "x", count: 256)),
            64
        )

        #expect(huge.word == 0)
        #expect(
            Array(huge.log) == ["kmem_cache_create_usercopy(lab-huge) failed with error -22"]
        )
        #expect(flag.word == 0 && none.word == 0 && long.word == 0)
        #expect(flag.log.count == 1 && none.log.count == 1 && long.log.count == 1)
        #expect(!machine.isPanicked)
    }

    @Test func `SLAB_PANIC makes a failure the end of the machine`() throws {
        let machine = try CallMachine()

        let outcome = try machine.call("kmem_cache_create", "lab", .word(8 << 20), 0, 0x4_0000)

        #expect(machine.isPanicked)
        #expect(outcome.log.first?.hasPrefix("Kernel panic - not syncing: ") == true)
    }

    @Test func `names cannot pass for lines or columns of a text`() throws {
        let machine = try CallMachine("slub_nomerge")

        let outcome = try machine.call(
            "kmem_cache_create",
            "evil\nslab 1\\",
            .word(8 << 20)
        )

        let name = #"evil\012slab\0401\134"#
        #expect(
            Array(outcome.log) == ["kmem_cache_create_usercopy(\(name)) failed with error -22"]
        )
    }

    @Test func `a machine has room for so many caches, and destroyed ones make room`() throws {
        let machine = try CallMachine("slub_nomerge")
        var last: UInt64 = 0
        var count = 0
        while count < 5_000 {
            let s = try machine.call("kmem_cache_create", .text("lab-\(count)"), 64)
            guard s.word != 0 else {
                #expect(s.log.last?.hasSuffix("failed with error -12") == true)
                break
            }
            last = s.word
            count += 1
        }

        try machine.call("kmem_cache_destroy", .word(last))
        let again = try machine.call("kmem_cache_create", "again", 64).word
        let object = try machine.call("kmem_cache_alloc", .word(again), 0xcc0).word

        #expect(count == 2_048 - 199)
        #expect(again != 0 && object != 0)
        #expect(machine.violations == [])
    }

    @Test func `caches that come and go use no more places or memory`() throws {
        let machine = try CallMachine("slub_nomerge")
        var held = 0
        for round in 0..<3_000 {
            let s = try machine.call("kmem_cache_create", .text("lab-\(round)"), 500).word
            let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
            try machine.call("kmem_cache_free", .word(s), .word(object))
            try machine.call("kmem_cache_destroy", .word(s))
            if round == 100 { held = machine.heldBytes }
        }

        // Every call is remembered in a byte, in chunks of 2 KiB, and where the clock jumped in 16.
        #expect(machine.heldBytes <= held + 1_024 + (4 + 16) * 3_000 + 2_048)
        #expect(machine.cacheNames.count == 199)
        #expect(machine.violations == [])
    }

    @Test func `the caches that the machine itself needs stay`() throws {
        let machine = try CallMachine()

        for name in [
            "kmem_cache", "kmem_cache_node", "kmalloc-64", "kmalloc-cg-1k", "dma-kmalloc-8",
        ] {
            let outcome = try machine.call("kmem_cache_destroy", .text(name))
            #expect(outcome.fact("outcome") == .text("refused"), "\(name)")
        }
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let nothing = try machine.call("kmem_cache_destroy", 0)

        #expect(object != 0)
        #expect(nothing.log.isEmpty)
    }

    @Test func `a cache that does not exist is said so, and a wild pointer faults`() throws {
        let machine = try CallMachine()

        let name = try machine.call("kmem_cache_alloc", "no-such", 0xcc0)
        let wild = try machine.call("kmem_cache_alloc", .word(0x1234), 0xcc0)
        let s = try machine.call("kmem_cache_create", "lab", 3_000).word
        try machine.call("kmem_cache_destroy", .word(s))
        let gone = try machine.call("kmem_cache_alloc", .word(s), 0xcc0)

        #expect(name.word == 0 && name.fact("unknown_cache") == .text("no-such"))
        #expect(wild.log.first?.hasPrefix("BUG: unable to handle page fault") == true)
        #expect(gone.word == 0 && gone.fact("unknown_cache") == .address(s))
    }
}
