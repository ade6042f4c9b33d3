import KernelHeap
import Testing

@Suite("kmem_cache: objects")
struct CacheObjectTests {
    @Test(arguments: [32_768, 65_536, 131_072] as [UInt64])
    func `a red zone before objects is as large as their alignment`(align: UInt64) throws {
        let machine = try CallMachine("slub_debug=FZ")
        let cache = try machine.call("kmem_cache_create", "wide", 100, .word(align)).word

        let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word
        let before = try machine.call("kernel_read", .word(object - align), .word(align))
        let own = try machine.call("kernel_read", .word(object), 100)

        #expect(object % align == 0)
        #expect(before.fact("data") == .bytes([UInt8](repeating: 0xcc, count: Int(align))))
        #expect(own.word == 100)
    }

    @Test func `a constructor runs once per object of a new slab, not per allocation`() throws {
        let machine = try CallMachine()
        let pattern = [UInt8](repeating: 0xc5, count: 24)
        let s = try machine.call("kmem_cache_create", "lab", 24, 0, 0, .bytes(pattern)).word
        let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
        let fresh = try machine.read(object, 24)
        let neighbour = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
        try machine.call("kernel_write", .word(object), .bytes([1, 2, 3]))
        try machine.call("kmem_cache_free", .word(s), .word(object))

        let again = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word

        #expect(fresh == pattern)
        #expect(try machine.read(neighbour, 24) == pattern)
        #expect(again == object)
        // The free pointer lies behind the object, so nothing but the owner changed it.
        #expect(try machine.read(again, 24) == [1, 2, 3] + pattern.dropFirst(3))
        #expect(try machine.cache("lab").detail.geometry.offset == 24)
        #expect(try machine.cache("lab").detail.constructor == "ctor+0x0/0x10")
    }

    @Test func `cleared memory from a cache with a constructor warns once, as recorded`() throws {
        let machine = try CallMachine()
        let s = try machine.call("kmem_cache_create", "lab", 64, 0, 0, .bytes([7])).word

        let first = try machine.call("kmem_cache_zalloc", .word(s), 0xcc0)
        let second = try machine.call("kmem_cache_zalloc", .word(s), 0xcc0)

        #expect(
            first.log.contains("WARNING: CPU: 0 PID: 1 at mm/slub.c:2001 ___slab_alloc+0x365/0x990")
        )
        #expect(second.log.isEmpty)
        #expect(try machine.read(first.word, 1) == [0])
    }

    @Test(
        "boot options leave constructed and typesafe objects alone",
        arguments: ["init_on_alloc=1", "init_on_free=1"]
    )
    func initialisation(option: String) throws {
        let machine = try CallMachine(option)
        for (name, flags, constructor) in [
            ("built", UInt64(0), CallMachine.Argument.bytes([7, 7])),
            ("typesafe", 0x8_0000, .absent),
        ] {
            let s = try machine.call(
                "kmem_cache_create",
                .text(name),
                64,
                0,
                .word(flags),
                constructor
            ).word
            let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
            try machine.call("kernel_write", .word(object), .bytes([1, 2, 3]))
            try machine.call("kmem_cache_free", .word(s), .word(object))
            let again = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word

            #expect(again == object)
            #expect(try machine.read(again, 3) == [1, 2, 3], "\(name)")
        }
        let plain = try machine.call("kmem_cache_create", "plain", 640).word
        let object = try machine.call("kmem_cache_alloc", .word(plain), 0xcc0).word
        try machine.call("kernel_write", .word(object), .bytes([1, 2, 3]))
        try machine.call("kmem_cache_free", .word(plain), .word(object))
        let again = try machine.call("kmem_cache_alloc", .word(plain), 0xcc0).word

        #expect(again == object)
        #expect(try machine.read(again, 640) == [UInt8](repeating: 0, count: 640))
    }

    @Test func `an object of another cache is warned about and goes to its own`() throws {
        let machine = try CallMachine("slub_nomerge")
        let plain = try machine.call("kmem_cache_create", "lab-plain", 100).word
        let other = try machine.call(
            "kmem_cache_create_usercopy",
            "lab-usercopy",
            100,
            0,
            0,
            16,
            32
        ).word
        let object = try machine.call("kmem_cache_alloc", .word(plain), 0xcc0).word
        let wrong = try machine.call("kmem_cache_free", .word(other), .word(object))
        let kmalloc = try machine.call("kmalloc", 64, 0xcc0).word
        let foreign = try machine.call("kmem_cache_free", .word(plain), .word(kmalloc))

        let block = Array(wrong.log)
        #expect(
            block == [
                "------------[ cut here ]------------",
                "cache_from_obj: Wrong slab cache. lab-usercopy but object is from lab-plain",
                "WARNING: CPU: 0 PID: 1 at mm/slab.h:665 cache_from_obj+0xa1/0x120",
                "---[ end trace 0000000000000000 ]---",
            ]
        )
        #expect(
            foreign.log.contains(
                "cache_from_obj: Wrong slab cache. lab-plain but object is from kmalloc-64"
            )
        )
        #expect(try machine.cache("lab-plain").liveObjects == 0)
        #expect(try machine.cache("kmalloc-64").liveObjects == 0)
        #expect(machine.violations == [])
        let geometry = try machine.cache("lab-usercopy").detail.geometry
        #expect(geometry.usercopyOffset == 16 && geometry.usercopySize == 32)
    }

    @Test func `a window outside the object is dropped with a warning`() throws {
        let machine = try CallMachine()

        let outcome = try machine.call("kmem_cache_create_usercopy", "lab", 100, 0, 0, 90, 32)

        #expect(outcome.word != 0 && outcome.log.count == 3)
        #expect(try machine.cache("lab").detail.geometry.usercopySize == 0)
    }

    @Test func `pages and wild addresses are no objects`() throws {
        let machine = try CallMachine()
        let s = try machine.call("kmem_cache_create", "lab", 100).word
        let page = try machine.call("__get_free_page", 0xcc0).word

        let first = try machine.call("kmem_cache_free", .word(s), .word(page))
        let wild = try machine.call("kmem_cache_free", .word(s), 0)

        #expect(first.log.contains("virt_to_cache: Object is not a Slab page!"))
        #expect(wild.log.first?.hasPrefix("BUG: unable to handle page fault") == true)
        #expect(machine.violations == [])
    }

    @Test func `freeing an object twice in a row stops the kernel where it was recorded`() throws {
        let machine = try CallMachine()
        let s = try machine.call("kmem_cache_create", "lab", 100).word
        let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
        try machine.call("kmem_cache_free", .word(s), .word(object))

        let again = try machine.call("kmem_cache_free", .word(s), .word(object))

        #expect(again.log.contains("kernel BUG at mm/slub.c:419!"))
        #expect(again.log.contains("RIP: 0010:kmem_cache_free+0x2f7/0x310"))
    }

    @Test func `bulk allocation gives all or nothing, bulk freeing takes them back`() throws {
        let machine = try CallMachine("slub_nomerge")
        let s = try machine.call("kmem_cache_create", "lab", 100).word
        let many = try machine.call("kmem_cache_alloc_bulk", .word(s), 0xdc0, 1_000)
        guard case .list(let list)? = many.fact("p") else {
            Issue.record("no list")
            return
        }
        let objects = list.compactMap { if case .address(let word) = $0 { word } else { nil } }
        let live = try machine.cache("lab").liveObjects
        try machine.call("kmem_cache_free_bulk", .word(s), .words(objects))
        let empty = try machine.call("kmem_cache_free_bulk", .word(s), .words([]))

        #expect(many.word == 1_000 && Set(objects).count == 1_000)
        #expect(live == 1_000)
        #expect(try machine.cache("lab").liveObjects == 0)
        #expect(empty.log.count == 3)
        #expect(machine.violations == [])
    }

    @Test func `bulk allocation that runs out of memory keeps nothing`() throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        let machine = try CallMachine(description)
        let s = try machine.call("kmem_cache_create", "lab", .word(1 << 20)).word

        let outcome = try machine.call("kmem_cache_alloc_bulk", .word(s), 0xcc0, 100)

        #expect(outcome.word == 0 && outcome.fact("p") == .list([]))
        #expect(try machine.cache("lab").liveObjects == 0)
        #expect(machine.violations == [])
    }

    @Test func `bulk freeing leaves the freelist as one object after the other would`() throws {
        let machine = try CallMachine("slub_nomerge")
        let s = try machine.call("kmem_cache_create", "lab", 256).word
        var objects: [UInt64] = []
        for _ in 0..<8 {
            objects.append(try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word)
        }

        try machine.call("kmem_cache_free_bulk", .word(s), .words(objects))
        var again: [UInt64] = []
        for _ in 0..<8 {
            again.append(try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word)
        }

        // The last is freed first and so comes back last.
        #expect(again == objects)
    }
}
