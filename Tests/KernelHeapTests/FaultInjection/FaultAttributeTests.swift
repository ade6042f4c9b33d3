import Testing

@testable import KernelHeap

/// The knobs of `failslab`, `fail_page_alloc` and `fail_usercopy`, each by itself.
///
/// What must come out is worked out from `Documentation/fault-injection/fault-injection.rst`: a
/// letter for each request, `F` for one that failed.
@Suite("Fault injection: knobs")
struct FaultAttributeTests {
    private static let atomic: UInt64 = 0xa20
    private static let kernel: UInt64 = 0xcc0
    private static let forever = CallMachine.Argument.word(UInt64(bitPattern: -1))

    private func machine(_ bootOptions: String = "") throws -> CallMachine {
        try CallMachine(bootOptions)
    }

    /// One `kmalloc` after another.
    private func pattern(
        _ machine: CallMachine,
        _ count: Int,
        size: UInt64 = 64,
        flags: UInt64 = FaultAttributeTests.atomic
    ) throws -> String {
        var letters = ""
        for _ in 0..<count {
            let object = try machine.call("kmalloc", .word(size), .word(flags)).word
            letters += object == 0 ? "F" : "."
        }
        return letters
    }

    // kstrtoull() and kstrtoll() with base 0, kstrtobool().
    @Test(
        arguments: [
            (FaultKnob.probability, "010", 8), (.probability, "0x1F\n", 31), (.interval, "+7", 7),
            (.probability, "08", nil), (.probability, "-1", nil), (.probability, "", nil),
            (.probability, "1\n\n", nil), (.probability, "0x", nil), (.probability, "+-1", nil),
            (.times, "-1", UInt64.max), (.times, "-0x10\n", UInt64.max - 15), (.space, "12", 12),
            (.taskFilter, "Y\n", 1), (.cacheFilter, "0", 0), (.cacheFilter, "maybe", nil),
        ] as [(FaultKnob, String, UInt64?)]
    )
    func `a knob reads numbers as the kernel does`(knob: FaultKnob, text: String, word: UInt64?) {
        #expect(knob.word(text) == word)
    }

    @Test(
        "times counts failures down to none",
        arguments: [(CallMachine.Argument.absent, "F....."), (2, "FF...."), (0, "......")]
    )
    func times(times: CallMachine.Argument, expected: String) throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, times)

        #expect(try pattern(machine, 6) == expected)
    }

    @Test func `times of -1 has no end`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, Self.forever)

        let made = try pattern(machine, 40)
        let knobs = try machine.call("failslab")

        #expect(made == String(repeating: "F", count: 40))
        #expect(knobs.fact("times") == .number(-1))
    }

    @Test func `an interval of 3 lets every third request fail`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, 3, Self.forever)

        #expect(try pattern(machine, 9) == "..F..F..F")
    }

    //   space 200, objects of 64 bytes: 200 > 64, 136 > 64, 72 > 64, 8 is not
    @Test func `space is used up by the objects' sizes first`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, Self.forever, 200)

        let made = try pattern(machine, 6)
        let knobs = try machine.call("failslab")

        #expect(made == "...FFF")
        #expect(knobs.fact("space") == .number(8))
    }

    //   a block of 2^3 pages takes 8 of the space
    @Test func `space of pages counts pages`() throws {
        let machine = try machine()
        try machine.call("fail_page_alloc", 100, .absent, Self.forever, 17)

        var letters = ""
        for _ in 0..<4 {
            let page = try machine.call("alloc_pages", .word(Self.atomic), 3).word
            letters += page == 0 ? "F" : "."
        }

        #expect(letters == "..FF")
    }

    @Test func `the interval counts only what is left of the space`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, 2, Self.forever, 100)

        // 100 > 64 is served; then 36 is not more than 64, and every second one fails.
        #expect(try pattern(machine, 7) == "..F.F.F")
    }

    @Test func `probability is a share that the machine's seed decides`() throws {
        func run(seed: UInt64) throws -> String {
            var description = MachineDescription()
            description.seed = seed
            let machine = try CallMachine(description)
            try machine.call("failslab", 30, .absent, Self.forever)
            return try pattern(machine, 1_000)
        }

        let first = try run(seed: 7)
        let again = try run(seed: 7)
        let other = try run(seed: 8)

        #expect(first == again && first != other)
        // Four standard deviations around 300 of 1,000.
        #expect((242...358).contains(first.count { $0 == "F" }))
        #expect((242...358).contains(other.count { $0 == "F" }))
    }

    @Test func `a probability of 0 fails nothing and uses nothing up`() throws {
        let machine = try machine()
        try machine.call("failslab", 0, 2, 5, 100)

        let made = try pattern(machine, 8)
        let knobs = try machine.call("failslab")

        #expect(made == "........")
        #expect(knobs.fact("times") == .number(5) && knobs.fact("space") == .number(100))
    }

    @Test func `requests that may wait are left alone unless the knob is off`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, Self.forever)

        let before = try pattern(machine, 3, flags: Self.kernel)
        try machine.call("write_fault_knob", "failslab/ignore-gfp-wait", "N")
        let after = try pattern(machine, 3, flags: Self.kernel)

        #expect(before == "..." && after == "FFF")
    }

    @Test func `a request that must not fail does not`() throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, Self.forever)
        let flags = Self.atomic | UInt64(GFPFlags.noFail.rawValue)

        #expect(try pattern(machine, 3, flags: flags) == "...")
    }

    @Test func `task_filter lets marked processes fail, and no interrupt`() throws {
        let machine = try machine()
        let pid = Int(try machine.call("process_create", "victim").word)
        try machine.call("failslab", 100, .absent, Self.forever, .absent, 1)
        try machine.call("make_it_fail", .word(UInt64(pid)), 1)
        let arguments: [CallMachine.Argument] = [64, .word(Self.atomic)]

        let own = try machine.call("kmalloc", arguments).word
        let marked = try machine.call("kmalloc", arguments, pid: pid).word
        let interrupt = try machine.call("kmalloc", arguments, in: .softirq, pid: pid).word
        try machine.call("make_it_fail", .word(UInt64(pid)), 0)
        let unmarked = try machine.call("kmalloc", arguments, pid: pid).word
        let nobody = try machine.call("make_it_fail", 77, 1)

        #expect(own != 0 && marked == 0 && interrupt != 0 && unmarked != 0)
        #expect(nobody.result.errno == .ESRCH)
    }

    @Test func `cache_filter lets marked caches fail`() throws {
        let machine = try machine("slub_nomerge")
        try machine.call("kmem_cache_create", "own", 64)
        try machine.call("failslab", 100, .absent, Self.forever)
        try machine.call("write_fault_knob", "failslab/cache-filter", "1")

        let before = try machine.call("kmem_cache_alloc", "own", .word(Self.atomic)).word
        let mark = try machine.call("failslab_cache", "own", 1)
        let marked = try machine.call("kmem_cache_alloc", "own", .word(Self.atomic)).word
        let other = try pattern(machine, 2)
        try machine.call("failslab_cache", "own", 0)
        let after = try machine.call("kmem_cache_alloc", "own", .word(Self.atomic)).word

        #expect(mark.result.errno == nil)
        #expect(before != 0 && marked == 0 && other == ".." && after != 0)
    }

    @Test func `a cache that several creators share cannot be marked`() throws {
        let machine = try machine()
        try machine.call("kmem_cache_create", "first", 72)
        try machine.call("kmem_cache_create", "second", 72)

        let mark = try machine.call("failslab_cache", "second", 1)
        let unknown = try machine.call("failslab_cache", "third", 1)

        #expect(mark.result.errno == .EINVAL && unknown.result.errno == .ENOENT)
    }

    @Test func `single pages are below min_order until it is 0`() throws {
        let machine = try machine()
        try machine.call("fail_page_alloc", 100, .absent, Self.forever)

        let single = try machine.call("alloc_pages", .word(Self.atomic), 0).word
        let pair = try machine.call("alloc_pages", .word(Self.atomic), 1).word
        try machine.call("write_fault_knob", "fail_page_alloc/min-order", "0")
        let singleThen = try machine.call("alloc_pages", .word(Self.atomic), 0).word
        try machine.call("write_fault_knob", "fail_page_alloc/min-order", "2")
        let pairThen = try machine.call("alloc_pages", .word(Self.atomic), 1).word

        #expect(single != 0 && pair == 0 && singleThen == 0 && pairThen != 0)
        #expect(machine.violations.isEmpty)
    }

    @Test func `requests that may have high memory are left alone unless the knob is off`() throws {
        let machine = try machine()
        let flags = Self.atomic | UInt64(GFPFlags.highMem.rawValue)
        try machine.call("fail_page_alloc", 100, .absent, Self.forever)

        let before = try machine.call("alloc_pages", .word(flags), 1).word
        try machine.call("write_fault_knob", "fail_page_alloc/ignore-gfp-highmem", "0")
        let after = try machine.call("alloc_pages", .word(flags), 1).word

        #expect(before != 0 && after == 0)
    }

    @Test("verbose says how much the log tells", arguments: [(UInt64(0), 0), (1, 2), (2, 3)])
    func verbose(level: UInt64, lines: Int) throws {
        let machine = try machine()
        try machine.call("failslab", 100, .absent, 1, .absent, .absent, .word(level))

        let failed = try machine.call("kmalloc", 64, .word(Self.atomic))

        let expected = [
            "FAULT_INJECTION: forcing a failure.",
            "name failslab, interval 1, probability 100, space 0, times 1",
        ]
        #expect(failed.word == 0 && failed.log.count == lines)
        #expect(failed.log.prefix(2).elementsEqual(expected.prefix(lines)))
        #expect(failed.injected == [InjectedFault(site: .slab, cause: .attribute, size: 64)])
    }

    @Test func `a request without warnings fails in silence`() throws {
        let machine = try machine()
        try machine.call("failslab", 100)

        let flags = Self.atomic | UInt64(GFPFlags.noWarn.rawValue)
        let failed = try machine.call("kmalloc", 64, .word(flags))

        #expect(failed.word == 0 && failed.log.isEmpty && failed.injected.count == 1)
    }

    @Test func `user copies fail as their knobs say`() throws {
        let machine = try machine()
        try machine.call("mmap", 0x40_0000, 4_096, 3, 0x32)
        let buffer = try machine.call("kmalloc", 64, .word(Self.kernel)).word
        try machine.call("fail_usercopy", 100, 2, Self.forever)

        var left: [UInt64] = []
        for _ in 0..<4 {
            left.append(try machine.call("copy_to_user", 0x40_0000, .word(buffer), 8).word)
        }

        #expect(left == [0, 8, 0, 8])
    }

    @Test func `the boot options set interval, probability, space and times`() throws {
        let machine = try machine("failslab=2,100,0,-1")
        let broken = try self.machine(
            "failslab=2,100,0 fail_page_alloc=x,1,1,1 fail_usercopy=-1,100,0,1"
        )

        #expect(try pattern(machine, 6) == ".F.F.F")
        #expect(try pattern(broken, 3) == "...")
    }

    @Test("knobs that there are not, and values that mean nothing, are refused")
    func refusals() throws {
        let machine = try machine()
        let paths = [
            "failslab/min-order", "failslab", "x/probability", "fail_usercopy/times/1", "",
        ]
        let values = ["", "-9223372036854775809", "12x", "18446744073709551616", "0x"]

        for path in paths {
            let written = try machine.call("write_fault_knob", .text(path), "1")
            #expect(written.result.errno == .ENOENT, "\(path)")
        }
        for value in values {
            let written = try machine.call("write_fault_knob", "failslab/times", .text(value))
            #expect(written.result.errno == .EINVAL, "\(value)")
        }
        let word = try machine.call("write_fault_knob", "failslab/task-filter", "maybe")
        #expect(word.result.errno == .EINVAL)
        #expect(try pattern(machine, 3) == "...")
    }

    @Test("any number in any knob leaves a machine that works", arguments: [UInt64(0), 1, .max])
    func hostile(word: UInt64) throws {
        let machine = try machine()
        for name in ["failslab", "fail_page_alloc", "fail_usercopy"] {
            let half = CallMachine.Argument.word(word >> 1)
            try machine.call(name, .word(word), half, .word(word), half, 0, .word(word), 0, 0)
        }

        for size in [UInt64(8), 5_000, 100_000, .max] {
            try machine.call("kmalloc", .word(size), .word(Self.atomic))
            try machine.call("vmalloc", .word(size))
        }

        #expect(machine.violations.isEmpty)
    }
}
