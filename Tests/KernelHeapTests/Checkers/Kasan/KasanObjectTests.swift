import Testing

@testable import KernelHeap

@Suite("KASAN: objects")
struct KasanObjectTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    @Test(
        "an object may be touched to its last requested byte, and not one further",
        arguments: [1, 7, 8, 13, 63, 64, 65, 96, 100, 192, 1_000, 4_096, 8_192] as [UInt64]
    )
    func bounds(size: UInt64) throws {
        // Its slot's neighbour is an object, not another page.
        _ = try machine.kmalloc(size)
        let object = try machine.kmalloc(size)

        #expect(try machine.write(object, Int(size)) == [])
        #expect(try machine.read(object + size - 1, 1) == [])
        let behind = try machine.read(object + size - 1, 2)
        let inFront = try machine.read(object - 1, 1)

        #expect(behind.map(\.kind) == [.slabOutOfBounds])
        #expect(behind.first?.firstBad.rawValue == object + size)
        #expect(behind.first?.region == object..<object + room(size))
        #expect(inFront.map(\.kind) == [.slabOutOfBounds])
    }

    @Test func `a freed object is named with the calls that allocated and freed it`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.kfree(object) == [])

        let report = try #require(try machine.read(object + 8, 4).first)

        #expect(report.kind == .useAfterFree)
        #expect(report.allocation == MemoryTrack(call: 1, cpu: 0, pid: 1))
        #expect(report.release == MemoryTrack(call: 2, cpu: 0, pid: 1))
        #expect(report.biography.map(\.call) == [1, 2])
        #expect(report.shadow[2].bytes.contains(0xfb))
    }

    @Test func `a second free is reported and changes nothing`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.kfree(object) == [])

        let second = try machine.kfree(object)
        let third = try machine.kfree(object + 8)

        #expect(second.map(\.kind) == [.doubleFree])
        #expect(third.map(\.kind) == [.invalidFree])
        #expect(machine.calls.violations == [])
    }

    @Test func `an address inside an object cannot be freed, and the object stays`() throws {
        let object = try machine.kmalloc(64)

        let reports = try machine.kfree(object + 16)

        #expect(reports.map(\.kind) == [.invalidFree])
        #expect(try machine.write(object, 64) == [])
        #expect(try machine.kfree(object) == [])
    }

    @Test func `krealloc and ksize change which bytes may be touched`() throws {
        let object = try machine.kmalloc(40)
        let shorter = try machine.pointer("krealloc", .word(object), 24, 0xcc0)
        let behind = try machine.read(object + 24, 1)
        let room = try machine.call("ksize", .word(object))

        #expect(shorter == object)
        #expect(behind.map(\.kind) == [.slabOutOfBounds])
        #expect(room.result.value == .unsigned(64))
        #expect(try machine.write(object, 64) == [])
        #expect(try machine.read(object + 63, 2).count == 1)
    }

    @Test func `krealloc and ksize of a freed object do nothing but report`() throws {
        let object = try machine.kmalloc(40)
        #expect(try machine.kfree(object) == [])

        let moved = try machine.call("krealloc", .word(object), 400, 0xcc0)
        let size = try machine.call("ksize", .word(object))

        #expect(moved.result.value == .pointer(0))
        #expect(moved.kasan.map(\.kind) == [.useAfterFree])
        #expect(size.result.value == .unsigned(0))
        #expect(size.kasan.map(\.kind) == [.useAfterFree])
    }

    @Test func `memset, memcpy and memcmp are checked on each side`() throws {
        let short = try machine.kmalloc(20)
        let long = try machine.kmalloc(100)
        #expect(try machine.call("memset", .word(long), 0, 100).kasan == [])
        #expect(try machine.call("memset", .word(short), 0, 20).kasan == [])

        let load = try machine.call("memcpy", .word(long), .word(short), 21).kasan
        let set = try machine.call("memset", .word(short), 0, 21).kasan
        let compared = try machine.call("memcmp", .word(long), .word(short), 21).kasan
        let copied = try machine.call("kmemdup", .word(short), 21, 0xcc0).kasan

        #expect(load.map(\.access) == [.read])
        #expect(load.map(\.function) == ["memcpy"])
        #expect(set.map(\.access) == [.write])
        #expect(compared.map(\.firstBad.rawValue) == [short + 20])
        #expect(copied.map(\.function) == ["kmemdup"])
    }

    @Test func `objects of a cache that readers may see after they were freed are let alone`()
        throws
    {
        let cache = try machine.pointer("kmem_cache_create", "seen", 64, 0, 0x8_0000)
        let object = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)
        let freed = try machine.call("kmem_cache_free", .word(cache), .word(object))

        #expect(freed.kasan == [])
        #expect(try machine.read(object, 64) == [])
        #expect(try machine.read(object + 63, 2).map(\.kind) == [.slabOutOfBounds])
    }

    @Test func `addresses that have no shadow are named by what they are`() throws {
        let null = try machine.read(8, 8)
        let user = try machine.read(0x40_0000, 8)
        let wild = try machine.read(0x1234_5678_9abc_def0, 8)
        let wrapping = try machine.read(.max - 3, 8)

        #expect(null.map(\.kind) == [.nullDereference])
        #expect(user.map(\.kind) == [.userAccess])
        #expect(wild.map(\.kind) == [.wildAccess])
        #expect(wrapping.map(\.kind) == [.outOfBounds])
    }

    // mm/kasan/shadow.c: `if (!kasan_check_range(…)) return NULL;` before any byte moves, and the
    // source before the target.
    @Test func `memset and memcpy leave alone what they may not touch`() throws {
        let small = try machine.kmalloc(100)
        let other = try machine.kmalloc(100)
        #expect(try machine.write(small, 100) == [])

        let set = try machine.call("memset", .word(small), 0, 101)
        let copy = try machine.call("memcpy", .word(other), .word(small), 120)
        let back = try machine.calls.call("kernel_read", [.word(small), 100])

        #expect(set.kasan.map(\.kind) == [.slabOutOfBounds] && set.word == 0)
        #expect(copy.kasan.count == 1 && copy.kasan.first?.access == .read && copy.word == 0)
        #expect(back.fact("data") == .bytes([UInt8](repeating: 0x41, count: 100)))
    }

    @Test func `an object in quarantine is held by nobody`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.kfree(object) == [])

        let held = machine.calls.kernel.outstandingAllocations()
        let scan = try machine.call("kmemleak_scan", 0)

        #expect(held == [])
        #expect(scan.word == 0)
    }

    @Test func `a machine without the option reports nothing of the kind`() throws {
        let plain = try CallMachine()
        let outcome = try plain.call("kmalloc", 13, 0xcc0)
        guard case .pointer(let object) = outcome.result.value else { return }

        let read = try plain.call("kernel_read", .word(object), 16)

        #expect(read.warnings == [])
    }

    @Test(arguments: ["linux-6.1-i386", "linux-2.6-i386"])
    func `only the 64-bit profile can have it`(profile: String) {
        var description = MachineDescription()
        description.profile = profile
        description.memoryBytes = 64 << 20
        description.kasan = true

        #expect(throws: MachineError.self) { _ = try Kernel(description) }
    }
}

extension KasanObjectTests {
    /// The bytes of the kmalloc cache that serves a size: its power of two, 96 or 192.
    private func room(_ size: UInt64) -> UInt64 {
        let sizes: [UInt64] = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1_024, 2_048, 4_096, 8_192]
        return sizes.first { size <= $0 } ?? 0
    }
}
