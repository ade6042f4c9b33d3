import Testing

@testable import KernelHeap

@Suite("KASAN: locks in memory")
struct KasanLockTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    /// An object of zeros, which is a lock that nobody has, and that is freed.
    private func freedLock() throws -> UInt64 {
        let lock = try machine.pointer("kzalloc", 64, 0xcc0)
        #expect(try machine.kfree(lock) == [])
        return lock
    }

    @Test(
        "taking a lock in freed memory is a store of its word",
        arguments: ["spin_lock", "spin_lock_irq", "spin_lock_bh", "spin_lock_irqsave"]
    )
    func spinLock(name: String) throws {
        let lock = try freedLock()

        let outcome = try machine.call(name, .word(lock + 8))
        let report = try #require(outcome.kasan.first)

        #expect(outcome.kasan.count == 1)
        #expect(report.kind == .useAfterFree && report.access == .write && report.length == 4)
        #expect(report.function == "_raw_\(name)")
        #expect(report.address.rawValue == lock + 8)
        #expect(outcome.log.contains("BUG: KASAN: use-after-free in _raw_\(name)+0x0/0x0"))
        #expect(outcome.fact("taken") == .boolean(true))
    }

    @Test func `giving a lock back stores its lowest byte`() throws {
        let lock = try machine.pointer("kzalloc", 64, 0xcc0)
        #expect(try machine.call("spin_lock", .word(lock)).kasan == [])
        #expect(try machine.kfree(lock) == [])

        let kasan = try machine.call("spin_unlock", .word(lock)).kasan

        #expect(kasan.map(\.function) == ["_raw_spin_unlock"])
        #expect(kasan.map(\.length) == [1] && kasan.map(\.access) == [.write])
    }

    @Test func `a try looks before it stores, and a taken lock is only looked at`() throws {
        let lock = try freedLock()

        let taken = try machine.call("spin_trylock", .word(lock))
        let refused = try machine.call("spin_trylock", .word(lock))

        #expect(taken.word == 1 && refused.word == 0)
        #expect(taken.kasan.map(\.access) == [.read, .write])
        #expect(refused.kasan.map(\.access) == [.read])
        #expect(taken.kasan.map(\.function) == ["_raw_spin_trylock", "_raw_spin_trylock"])
    }

    @Test func `a lock that lies across its object's end is told at the first wrong byte`() throws {
        let object = try machine.pointer("kzalloc", 10, 0xcc0)

        let kasan = try machine.call("spin_lock_init", .word(object + 8)).kasan

        #expect(kasan.map(\.firstBad.rawValue) == [object + 10])
        #expect(kasan.map(\.function) == ["spin_lock_init"])
    }

    @Test func `a mutex in freed memory is told by what touches its owner`() throws {
        let lock = try freedLock()

        let taken = try machine.call("mutex_lock", .word(lock))
        let given = try machine.call("mutex_unlock", .word(lock))
        let tried = try machine.call("mutex_trylock", .word(lock))

        #expect(taken.kasan.map(\.function) == ["mutex_lock"])
        #expect(taken.kasan.map(\.length) == [8] && taken.kasan.map(\.access) == [.write])
        #expect(given.kasan.map(\.function) == ["mutex_unlock"])
        #expect(tried.kasan.map(\.access) == [.read, .write])
        #expect(tried.word == 1)
    }

    @Test func `locks in memory that is in use, and locks by name, are not told`() throws {
        let lock = try machine.pointer("kzalloc", 64, 0xcc0)

        for name in ["spin_lock_init", "spin_lock", "spin_unlock", "mutex_lock", "mutex_unlock"] {
            #expect(try machine.call(name, .word(lock)).warnings == [], "\(name)")
            #expect(try machine.call(name, "table").warnings == [], "\(name)")
        }
    }
}
