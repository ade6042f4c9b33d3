import KernelHeap
import Testing

/// What a kernel without debugging lets pass still happens, and is named besides.
@Suite("Checkers: misuse without debugging")
struct MisuseWarningTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine("slab_freelist_hardened=0") }

    private func kmalloc(_ size: UInt64 = 64) throws -> UInt64 {
        try machine.call("kmalloc", .word(size), 0xcc0).word
    }

    @discardableResult
    private func kfree(_ address: UInt64) throws -> CallOutcome {
        try machine.call("kfree", .word(address))
    }

    @Test func `sound calls are not warned about`() throws {
        let object = try kmalloc()
        let stored = try machine.call("memset", .word(object), 0x5a, 64)
        let loaded = try machine.call("kernel_read", .word(object), 64)
        let freed = try kfree(object)
        let pages = try kmalloc(100_000)
        let whole = try kfree(pages)

        for outcome in [stored, loaded, freed, whole] { #expect(outcome.warnings.isEmpty) }
        #expect(try kfree(0).warnings.isEmpty)
        #expect(try kfree(16).warnings.isEmpty)
    }

    //  freelist after the frees:   first → second → first → …
    @Test func `an object freed twice is handed out twice`() throws {
        let first = try kmalloc()
        let second = try kmalloc()
        try kfree(first)
        try kfree(second)
        let again = try kfree(first)
        let owners = try (0..<3).map { _ in try machine.call("kmalloc", 64, 0xcc0) }

        #expect(again.warnings.map(\.name) == ["double_free"])
        #expect(again.warnings.first?.calls == [3])
        #expect(again.log.isEmpty)
        #expect(owners.map(\.word) == [first, second, first])
        #expect(owners[0].warnings.isEmpty)
        #expect(owners[1].warnings.isEmpty)
        #expect(owners[2].warnings.map(\.name) == ["shared_object"])
        #expect(owners[2].warnings.first?.calls == [6])
    }

    @Test func `the hardened kernel's own BUG comes with the warning`() throws {
        let hardened = try CallMachine()
        let object = try hardened.call("kmalloc", 64, 0xcc0).word
        try hardened.call("kfree", .word(object))
        let again = try hardened.call("kfree", .word(object))

        #expect(again.log.contains { $0.contains("kernel BUG at mm/slub.c") })
        #expect(again.warnings.map(\.name) == ["double_free"])
        #expect(again.warnings.first?.calls == [2])
    }

    @Test func `an address inside an object is freed and handed out as it was freed`() throws {
        let object = try kmalloc()
        let freed = try kfree(object + 8)
        let next = try machine.call("kmalloc", 64, 0xcc0)

        #expect(freed.warnings.map(\.name) == ["invalid_free"])
        #expect(freed.warnings.first?.calls == [1])
        #expect(next.word == object + 8)
        #expect(next.warnings.map(\.name) == ["stray_allocation"])
        #expect(next.fact("stray") == .boolean(true))
    }

    @Test func `an overflow changes the neighbour and names it`() throws {
        let object = try kmalloc()
        let neighbour = try kmalloc()
        try #require(neighbour == object + 64)
        let stored = try machine.call("memset", .word(object), 0x41, 68)

        let warning = try #require(stored.warnings.first)
        #expect(stored.warnings.count == 1)
        guard case .outOfBounds(let place, let access, let overrun) = warning else {
            Issue.record("\(warning)")
            return
        }
        #expect(place.index == 0)
        #expect(access.length == 68)
        #expect(access.isWrite)
        #expect(overrun.address.rawValue == neighbour)
        #expect(overrun.length == 4)
        #expect(overrun.objects == 1)
        #expect(overrun.hit?.index == 1)
        #expect(overrun.hit?.isAllocated == true)
        #expect(warning.calls == [1, 2])
        #expect(try machine.read(neighbour, 5) == [0x41, 0x41, 0x41, 0x41, 0])
    }

    @Test func `loads and stores of a freed object are named, and done`() throws {
        let object = try kmalloc()
        try kfree(object)
        let stored = try machine.call("kernel_write", .word(object), .bytes([1, 2]))
        let loaded = try machine.call("kernel_read", .word(object), 2)

        #expect(stored.warnings.map(\.name) == ["use_after_free"])
        #expect(stored.warnings.first?.calls == [2])
        #expect(loaded.warnings.map(\.name) == ["use_after_free"])
        #expect(loaded.fact("data") == .bytes([1, 2]))
    }

    @Test func `pages that went back are named, too`() throws {
        let block = try kmalloc(16_384)
        try kfree(block)
        let loaded = try machine.call("kernel_read", .word(block + 4_096), 8)
        let again = try kfree(block)

        #expect(loaded.warnings.map(\.name) == ["use_after_free"])
        #expect(again.warnings.map(\.name) == ["wrong_memory"])
    }

    @Test(
        "kfree of what is no object",
        arguments: [0x7fff_0000, 0xffff_c900_0000_0000] as [UInt64]
    )
    func unmapped(address: UInt64) throws {
        let freed = try kfree(address)

        #expect(freed.warnings.map(\.name) == ["wrong_memory"])
        #expect(!freed.log.isEmpty)
    }

    @Test func `kfree of a page works as in the kernel, with a warning`() throws {
        let page = try machine.call("__get_free_pages", 0xcc0, 0).word
        let large = try kmalloc(16_384)
        let freed = try kfree(page)
        let inside = try kfree(large + 64)

        #expect(freed.warnings.map(\.name) == ["wrong_memory"])
        #expect(inside.warnings.map(\.name) == ["wrong_memory"])
    }

    @Test func `an object of another cache goes back to its own`() throws {
        let object = try kmalloc()
        let freed = try machine.call("kmem_cache_free", "kmalloc-128", .word(object))

        #expect(freed.warnings.map(\.name) == ["wrong_cache"])
        #expect(freed.log.contains { $0.contains("Wrong slab cache. kmalloc-128") })
        #expect(try kmalloc() == object)
    }

    @Test func `krealloc and kfree_sensitive look at what they are given`() throws {
        let object = try kmalloc()
        try kfree(object)
        let kept = try machine.call("krealloc", .word(object), 32, 0xcc0)
        let cleared = try machine.call("kfree_sensitive", .word(object))

        #expect(kept.warnings.map(\.name) == ["use_after_free"])
        #expect(cleared.warnings.map(\.name) == ["double_free"])
    }

    @Test func `one call names sixteen and counts the rest`() throws {
        let made = try machine.call("kmem_cache_alloc_bulk", "kmalloc-64", 0xcc0, 40)
        guard case .list(let list)? = made.fact("p") else {
            Issue.record("no objects")
            return
        }
        let objects = list.compactMap { if case .address(let word) = $0 { word } else { nil } }
        try machine.call("kmem_cache_free_bulk", "kmalloc-64", .words(objects))
        let again = try machine.call("kmem_cache_free_bulk", "kmalloc-64", .words(objects))

        #expect(objects.count == 40)
        #expect(again.warnings.count == 16)
        #expect(again.omittedWarnings == 24)
    }

    @Test func `a warning is not carried into the next call`() throws {
        let object = try kmalloc()
        try kfree(object)
        let again = try kfree(object + 1)
        let sound = try machine.call("ksize", .word(object))

        #expect(again.warnings.count == 1)
        #expect(sound.warnings.isEmpty)
    }
}
