import Testing

@testable import KernelHeap

@Suite("KASAN: bytes that nobody wrote")
struct UninitializedValueTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    private func use(_ address: UInt64, _ length: UInt64) throws -> CallOutcome {
        try machine.call("kernel_read", .word(address), .word(length), 1)
    }

    //   kmalloc-64   | written 4 | 60 that nobody wrote |     → a decision on the first 8
    @Test func `a decision on bytes that nobody wrote is reported`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.write(object, 4) == [])

        let outcome = try use(object, 8)

        #expect(outcome.warnings.map(\.name) == ["uninitialized_value"])
        let head = outcome.log.first { $0.hasPrefix("BUG: KMSAN:") }
        #expect(head == "BUG: KMSAN: uninit-value in kernel_read+0x0/0x0")
        #expect(outcome.log.contains("Uninit was created at:"))
        #expect(outcome.log.contains("Bytes 4-7 of 8 are uninitialized"))
        let address = String(object, radix: 16)
        #expect(outcome.log.contains("Memory access of size 8 starts at \(address)"))
    }

    @Test func `bytes that somebody wrote, or that are only looked at, are not reported`() throws {
        let object = try machine.kmalloc(64)
        let cleared = try machine.pointer("kzalloc", 64, 0xcc0)
        #expect(try machine.write(object, 4) == [])

        #expect(try use(object, 4).warnings == [])
        #expect(try use(cleared, 64).warnings == [])
        #expect(try machine.call("kernel_read", .word(object), 64).warnings == [])
    }

    @Test func `memory that is freed and allocated again is as nobody wrote it`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.write(object, 64) == [])
        let cache = try machine.pointer("kmem_cache_create", "again", 64, 0, 0)
        let first = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)
        #expect(try machine.write(first, 64) == [])
        try machine.call("kmem_cache_free", .word(cache), .word(first))
        try machine.call("kmem_cache_shrink", .word(cache))
        let second = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)

        #expect(second == first)
        #expect(try use(object, 64).warnings == [])
        #expect(try use(second, 1).warnings.map(\.name) == ["uninitialized_value"])
    }

    // kmsan_slab_alloc() and kmsan_slab_free() leave objects alone that readers may still look at.
    @Test func `objects of an RCU cache come back as their last owner left them`() throws {
        let flag: UInt64 = 0x8_0000
        let cache = try machine.pointer("kmem_cache_create", "rcu", 64, 0, .word(flag))
        let object = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)
        #expect(try use(object, 8).warnings.map(\.name) == ["uninitialized_value"])
        #expect(try machine.write(object, 40) == [])
        try machine.call("kmem_cache_free", .word(cache), .word(object))

        let again = try machine.pointer("kmem_cache_alloc", .word(cache), 0xcc0)

        #expect(again == object)
        #expect(try use(again, 40).warnings == [])
        #expect(try use(again + 40, 8).warnings.map(\.name) == ["uninitialized_value"])
    }

    @Test func `what krealloc copied counts as written`() throws {
        let object = try machine.kmalloc(64)
        #expect(try machine.write(object, 64) == [])

        let larger = try machine.pointer("krealloc", .word(object), 200, 0xcc0)

        #expect(try use(larger, 64).warnings == [])
        #expect(try use(larger + 60, 8).log.contains("Bytes 4-7 of 8 are uninitialized"))
    }

    @Test func `bytes that nobody wrote and that go to user space are a leak`() throws {
        let object = try machine.kmalloc(64)
        let user = try machine.call("mmap", 0, 4_096, 3, 0x22, 0, 0)
        guard case .pointer(let base) = user.result.value else { return }
        #expect(try machine.write(object, 63) == [])

        let part = try machine.call("copy_to_user", .word(base), .word(object), 63)
        let whole = try machine.call("copy_to_user", .word(base), .word(object), 64)

        #expect(part.warnings == [])
        #expect(whole.warnings.map(\.name) == ["information_leak"])
        #expect(whole.log.contains("BUG: KMSAN: kernel-infoleak in _copy_to_user+0x0/0x0"))
        #expect(whole.log.contains("Byte 63 of 64 is uninitialized"))
        let target = String(repeating: "0", count: 4) + String(base, radix: 16)
        #expect(whole.log.contains("Data copied to user address \(target)"))
    }
}
