import Testing

@testable import KernelHeap

/// What a run is judged by.
@Suite("Verdict")
struct VerdictTests {
    private static let kernelFlags: UInt64 = 0xcc0

    private func part(_ name: String, of verdict: VerdictView) throws -> VerdictPart {
        try #require(verdict.parts.first { $0.name == name }, "\(name)")
    }

    @Test func `a machine that gives everything back is sound`() throws {
        let machine = try CallMachine()
        let object = try machine.call("kmalloc", 192, .word(Self.kernelFlags)).word
        let block = try machine.call("__get_free_pages", .word(Self.kernelFlags), 3).word
        let area = try machine.call("vmalloc", 10_000).word
        let pid = Int(try machine.call("process_create", "user").word)
        try machine.call("mmap", [0x40_0000, 8_192, 3, 0x32], pid: pid)
        try machine.call("user_write", [0x40_0000, .bytes([1])], pid: pid)
        try machine.call("kfree", .word(object))
        try machine.call("free_pages", .word(block), 3)
        try machine.call("vfree", .word(area))

        let alive = machine.verdict()
        try machine.call("process_exit", [0], pid: pid)

        #expect(alive.isOK, "\(alive.parts)")
        #expect(machine.verdict().isOK)
    }

    @Test func `what is still held is a leak, with the call that allocated it`() throws {
        let machine = try CallMachine()
        let object = try machine.call("kmalloc", 192, .word(Self.kernelFlags))
        let area = try machine.call("vmalloc", 10_000)
        let block = try machine.call("__get_free_pages", .word(Self.kernelFlags), 2)
        let large = try machine.call("kmalloc", 16_384, .word(Self.kernelFlags))

        let leaks = try part("leaks", of: machine.verdict())

        #expect(leaks.total == 4)
        #expect(leaks.items.map(\.kind) == ["object", "area", "pages", "pages"])
        #expect(
            leaks.items.map(\.call)
                == [object.sequence, area.sequence, block.sequence, large.sequence]
        )
        let held = machine.held()
        #expect(held.map(\.address).sorted() == [object, area, block, large].map(\.word).sorted())
        #expect(held.map(\.size) == [192, 12_288, 16_384, 16_384])
    }

    @Test func `since leaves out what earlier calls did`() throws {
        let machine = try CallMachine()
        let old = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        try machine.call("kfree", .word(old))
        try machine.call("kfree", .word(old))
        let kept = try machine.call("kmalloc", 96, .word(Self.kernelFlags))

        let all = machine.verdict()
        let later = machine.verdict(since: 3)
        let none = machine.verdict(since: kept.sequence)

        #expect(try part("warnings", of: all).counts.map(\.kind) == ["double_free"])
        #expect(try part("warnings", of: later).total == 0)
        #expect(try part("leaks", of: later).items.map(\.call) == [kept.sequence])
        #expect(none.isOK && !later.isOK)
    }

    @Test(
        "pages are known by their calls, wherever they went",
        arguments: ["", "page_owner=on", "init_on_alloc=1"]
    )
    func pagesByCall(options: String) throws {
        let machine = try CallMachine(options)
        let old = try machine.call("alloc_pages", .word(Self.kernelFlags), 1)
        let split = try machine.call("alloc_pages_exact", 12_288, .word(Self.kernelFlags))
        let order3 = try machine.call("__get_free_pages", .word(Self.kernelFlags), 3)
        let freed = try machine.call("alloc_pages", .word(Self.kernelFlags), 0)
        try machine.call("__free_pages", .word(freed.word), 0)
        let again = try machine.call("alloc_pages", .word(Self.kernelFlags), 0)

        let all = try part("leaks", of: machine.verdict()).items.compactMap(\.call)
        let later = try part("leaks", of: machine.verdict(since: old.sequence))
        let last = try part("leaks", of: machine.verdict(since: freed.sequence))

        let exact = Array(repeating: split.sequence, count: 3)
        let newer = [order3.sequence, again.sequence]
        #expect(all.sorted() == [old.sequence] + exact + newer)
        #expect(later.items.compactMap(\.call).sorted() == exact + newer)
        #expect(last.items.map(\.call) == [again.sequence])
        #expect(last.items.allSatisfy { $0.kind == "pages" })
    }

    @Test func `what a pointer leads to is held but not unreferenced`() throws {
        let machine = try CallMachine()
        let table = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        let kept = try machine.call("kmalloc", 128, .word(Self.kernelFlags)).word
        let lost = try machine.call("kmalloc", 256, .word(Self.kernelFlags))
        let ignored = try machine.call("kmalloc", 512, .word(Self.kernelFlags)).word
        let block = try machine.call("__get_free_pages", .word(Self.kernelFlags), 0)
        let area = try machine.call("vmalloc", 8_192)
        try machine.call("kmemleak_not_leak", .word(table))
        try machine.call("kmemleak_ignore", .word(ignored))
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: kept >> ($0 * 8)) }
        try machine.call("kernel_write", .word(table), .bytes(bytes))

        let held = try part("leaks", of: machine.verdict())
        let lone = try part("leaks", of: machine.verdict(leaks: .unreferenced))

        #expect(held.total == 6)
        #expect(lone.items.map(\.call) == [lost.sequence, area.sequence, block.sequence])
    }

    @Test func `the kernel's own reports count once each`() throws {
        let machine = try CallMachine("slub_debug=FZPU")
        try machine.call("kernel_read", 8, 1)
        let object = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        try machine.call("kfree", .word(object))
        try machine.call("kfree", .word(object))

        let reports = try part("reports", of: machine.verdict())

        #expect(reports.counts.map(\.kind) == ["oops", "bug"])
        #expect(reports.counts.map(\.count) == [1, 1])
        #expect(reports.items.first?.text.hasPrefix("BUG: kernel NULL pointer") == true)
        #expect(reports.items.map(\.call) == [1, 4])
    }

    @Test func `a lock that nobody gave back and a sleeper in its shadow are contexts`() throws {
        let machine = try CallMachine()
        try machine.call("spin_lock", "own")
        let object = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        try machine.call("kfree", .word(object))

        let held = try part("contexts", of: machine.verdict())
        try machine.call("spin_unlock", "own")
        let given = try part("contexts", of: machine.verdict())

        #expect(held.counts.map(\.kind) == ["wrong_context", "lock_held"])
        #expect(given.counts.map(\.kind) == ["wrong_context"])
    }

    @Test func `a copy that stopped short is unlooked at until somebody looks`() throws {
        let machine = try CallMachine()
        let buffer = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        let copy = try machine.call("copy_from_user", .word(buffer), 0x1000, 16)

        let before = try part("unlooked", of: machine.verdict())
        try machine.call("check_result", .word(copy.sequence))
        let after = try part("unlooked", of: machine.verdict())

        #expect(before.items.map(\.kind) == ["unchecked_result"])
        #expect(before.items.map(\.call) == [copy.sequence])
        #expect(after.total == 0)
    }

    @Test func `lists are cut and totals are not`() throws {
        let machine = try CallMachine()
        for _ in 0..<50 { try machine.call("kmalloc", 32, .word(Self.kernelFlags)) }

        let leaks = try part("leaks", of: machine.verdict(limit: 7))

        #expect(leaks.total == 50 && leaks.items.count == 7)
        #expect(leaks.counts.map(\.count) == [50])
    }

    @Test func `more misuse than is remembered is counted by kind, and the first stays`() throws {
        let machine = try CallMachine()
        let object = try machine.call("kmalloc", 64, .word(Self.kernelFlags)).word
        let freed = try machine.call("kfree", .word(object))
        for _ in 0..<1_500 { try machine.call("kernel_read", .word(object), 8) }
        let last = try machine.call("kfree", .word(object + 8))

        let warnings = try part("warnings", of: machine.verdict(limit: 2_000))
        let later = try part("warnings", of: machine.verdict(since: last.sequence - 1))
        let reports = try part("reports", of: machine.verdict())

        #expect(warnings.total == 1_501 && reports.counts.allSatisfy { $0.kind == "bug" })
        #expect(warnings.counts.map(\.kind) == ["use_after_free", "invalid_free"])
        #expect(warnings.counts.map(\.count) == [1_500, 1])
        #expect(warnings.forgotten + UInt64(warnings.items.count) == 1_501)
        #expect(warnings.items.first?.call == freed.sequence + 1)
        #expect(warnings.items.last?.call == last.sequence)
        #expect(later.items.map(\.call) == [last.sequence] && later.total == 1)
    }

    @Test(
        "a cache that shares one of the boot's leaves nothing behind",
        arguments: [UInt64(32), 64, 192, 512, 1_024]
    )
    func sharedCache(size: UInt64) throws {
        let machine = try CallMachine()
        let cache = try machine.call("kmem_cache_create", "q", .word(size), 0, 0x2000).word
        let object = try machine.call("kmem_cache_alloc", .word(cache), .word(Self.kernelFlags))
        let held = try part("leaks", of: machine.verdict())
        try machine.call("kmem_cache_free", .word(cache), .word(object.word))
        try machine.call("kmem_cache_destroy", .word(cache))

        #expect(held.items.contains { $0.call == object.sequence })
        #expect(machine.verdict().isOK)
    }

    @Test(
        "accesses to user memory that fail unseen",
        arguments: [
            ("get_user", [0x1000, 8]), ("put_user", [7, 0x1000, 4]), ("clear_user", [0x1000, 64]),
            ("__clear_user", [0x1000, 64]),
        ] as [(String, [UInt64])]
    )
    func unseenFailure(name: String, words: [UInt64]) throws {
        let machine = try CallMachine()
        let failed = try machine.call(name, words.map { .word($0) })
        let before = try part("unlooked", of: machine.verdict())
        try machine.call(name, words.map { .word($0) })
        try machine.call("check_result")
        try machine.call("check_result", .word(failed.sequence))

        #expect(before.items.map(\.kind) == ["unchecked_result"])
        #expect(before.items.map(\.call) == [failed.sequence])
        #expect(try part("unlooked", of: machine.verdict()).total == 0)
    }

    @Test("groups of what is held", arguments: AllocationGroup.Key.allCases)
    func groups(key: AllocationGroup.Key) throws {
        let machine = try CallMachine()
        for size in [UInt64(64), 64, 1_024] {
            try machine.call("kmalloc", .word(size), .word(Self.kernelFlags))
        }
        try machine.call("kzalloc", 64, .word(Self.kernelFlags))

        let groups = machine.groups(by: key)

        let expected: [(FactValue, UInt64, UInt64)] =
            switch key {
            // The largest first, then by the slabs in which they lie.
            case .call:
                [(.count(3), 1, 1_024), (.count(1), 1, 64), (.count(2), 1, 64), (.count(4), 1, 64)]
            case .function: [(.text("kmalloc"), 3, 1_152), (.text("kzalloc"), 1, 64)]
            case .cache: [(.text("kmalloc-1k"), 1, 1_024), (.text("kmalloc-64"), 3, 192)]
            case .size: [(.count(1_024), 1, 1_024), (.count(64), 3, 192)]
            // Ages 3, 2, 1 and 0: the first is above 2.
            case .age:
                [(.count(1), 1, 1_024), (.count(4), 1, 64), (.count(2), 1, 64), (.count(0), 1, 64)]
            }
        #expect(groups.map(\.key) == expected.map(\.0))
        #expect(groups.map(\.count) == expected.map(\.1))
        #expect(groups.map(\.bytes) == expected.map(\.2))
    }
}

extension CallMachine {
    fileprivate func verdict(
        since: UInt64 = 0,
        leaks rule: VerdictScope.LeakRule = .held,
        limit: Int = 100
    ) -> VerdictView {
        kernel.verdict(VerdictScope(since: since, leakRule: rule), limit: limit)
    }

    fileprivate func held() -> [OutstandingAllocation] { kernel.outstandingAllocations() }

    fileprivate func groups(by key: AllocationGroup.Key) -> [AllocationGroup] {
        kernel.allocationGroups(AllocationFilter(), by: key, order: .bytes)
    }
}
