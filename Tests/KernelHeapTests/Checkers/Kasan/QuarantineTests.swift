import Testing

@testable import KernelHeap

@Suite("KASAN: quarantine")
struct QuarantineTests {
    @Test func `an object that was just freed is not given out again`() throws {
        let machine = try KasanMachine()
        let object = try machine.kmalloc(64)
        #expect(try machine.kfree(object) == [])

        let others = try (0..<200).map { _ in try machine.kmalloc(64) }

        #expect(!others.contains(object))
        #expect(try machine.read(object, 1).map(\.kind) == [.useAfterFree])
        #expect(machine.calls.violations == [])
    }

    // Memory of 96 MiB: 3 MiB in all, 1 MiB of them each CPU's.
    @Test func `the oldest objects leave when there is too much, and memory does not run out`()
        throws
    {
        let machine = try KasanMachine { $0.memoryBytes = 96 << 20 }
        let first = try machine.kmalloc(2_048)
        #expect(try machine.kfree(first) == [])
        var reused = false
        for _ in 0..<40_000 where !reused {
            let object = try machine.kmalloc(2_048)
            reused = object == first
            #expect(try machine.kfree(object) == [])
        }

        #expect(reused)
        #expect(machine.calls.quarantinedObjects * 4_096 <= 4 << 20)
        #expect(machine.calls.violations == [])
    }

    @Test func `objects in quarantine keep their cache only until it is destroyed`() throws {
        let machine = try KasanMachine()
        let cache = try machine.pointer("kmem_cache_create", "mine", 200, 0, 0)
        let object = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)
        try machine.call("kmem_cache_free", .word(cache), .word(object))
        let waiting = machine.calls.quarantinedObjects

        let destroyed = try machine.call("kmem_cache_destroy", .word(cache))

        #expect(waiting == 1)
        #expect(destroyed.log.isEmpty)
        #expect(!machine.calls.hasCache("mine"))
        #expect(machine.calls.violations == [])
    }

    @Test func `a fork has a quarantine of its own`() throws {
        let machine = try KasanMachine()
        let object = try machine.kmalloc(64)
        let fork = machine.calls.fork()
        #expect(try machine.kfree(object) == [])

        let there = try fork.call("kernel_read", .word(object), 64)

        #expect(there.kasan == [])
        #expect(try machine.read(object, 64).map(\.kind) == [.useAfterFree])
    }

    @Test func `queues hand over at a mebibyte, and batches go oldest first`() {
        var quarantine = Quarantine(cpus: 2)
        for object in 0..<UInt64(3) { quarantine.put(object, size: 1 << 19, cpu: 0) }
        quarantine.put(9, size: 64, cpu: 1)

        #expect(quarantine.bytes == 3 << 19)
        #expect(quarantine.isFull)
        let gone = quarantine.reduce(memory: 64 << 20)
        #expect(gone == [0, 1, 2])
        #expect(quarantine.count == 1)
        #expect(quarantine.remove(size: 64) { $0 == 9 } == [9])
        #expect(quarantine.count == 0)
    }

    // Sizes of slots by the sum of object, both tracks and redzone, aligned to the object's power of two.
    @Test(
        "redzones make the slots as large as a KASAN kernel has them",
        arguments: zip(
            [8, 16, 32, 64, 96, 128, 192, 256, 512, 1_024, 2_048, 4_096, 8_192] as [UInt64],
            [40, 32, 64, 128, 128, 256, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384]
        )
    )
    func slots(size: UInt64, slot: Int) throws {
        var options = SlabOptions(cpus: 1)
        options.isSanitized = true
        let request = try #require(BuiltinCaches.kmallocCaches(.normal).first { $0.size == size })

        let geometry = try #require(SlabGeometry(request: request, options: options))

        #expect(geometry.size == slot)
        #expect(geometry.flags.contains(.sanitized))
    }
}

extension CallMachine {
    /// Objects that wait before they may be given out again.
    var quarantinedObjects: Int { kernel.sanitizer.quarantine.count }
}
