import TestSupport
import Testing

@testable import KernelHeap

@Suite("High memory: permanent maps")
struct KmapTests {
    let machine: CallMachine
    let layout: AddressLayout
    /// `PKMAP_BASE` of the recorded boots without PAE.
    let base: UInt64 = 0xfec0_0000

    init() throws {
        machine = try CallMachine(I386Machine("686-1G").description)
        layout = machine.kernel.layout
    }

    private func page(_ number: UInt64) -> CallMachine.Argument {
        .word(layout.descriptor(layout.directMapEndPFN + 100 + number))
    }

    private func fillWindow() throws {
        for number in 0..<1_024 { try machine.call("kmap", page(UInt64(number))) }
    }

    @Test func `what is stored through one map is read through another`() throws {
        let mapped = try machine.call("kmap", page(0)).word
        let local = try machine.call("kmap_local_page", page(0)).word

        try machine.call("kernel_write", .word(mapped + 100), .bytes([1, 2, 3]))

        #expect(try machine.read(local + 100, 3) == [1, 2, 3])
        #expect(try machine.read(mapped + 0x1000, 1).isEmpty)
        #expect(machine.violations == [])
    }

    @Test func `a user copy goes through a mapped page`() throws {
        let mapped = try machine.call("kmap", page(0)).word
        let user = try machine.call("mmap", 0, 4_096, 3, 0x22).word
        try machine.call("kernel_write", .word(mapped), .bytes(Array("high".utf8)))

        let out = try machine.call("copy_to_user", .word(user), .word(mapped), 4)
        let back = try machine.call("copy_from_user", .word(mapped + 8), .word(user), 4)

        #expect(out.word == 0 && back.word == 0)
        #expect(try machine.read(mapped + 8, 4) == Array("high".utf8))
    }

    @Test func `a map that was given back is readable until the flush`() throws {
        let mapped = try machine.call("kmap", page(0)).word
        try machine.call("kernel_write", .word(mapped), .bytes([7]))
        try machine.call("kunmap", page(0))
        let lazy = try machine.read(mapped, 1)

        let flushed = try machine.call("kmap_flush_unused").fact("flushed_slots")

        #expect(lazy == [7])
        #expect(flushed == .number(1))
        #expect(try machine.read(mapped, 1).isEmpty)
        #expect(try machine.call("page_address", page(0)).word == 0)
    }

    @Test func `a sleeper gets the slot that is given up, the longest waiting first`() throws {
        try fillWindow()
        let first = try machine.call("kmap", page(2_000))
        let second = try machine.call("kmap", page(2_001))

        let none = try machine.call("kunmap", page(2_000))
        let woken = try machine.call("kunmap", page(511))
        let again = try machine.call("kunmap", page(7))

        #expect(first.word == 0 && first.fact("blocked") == .boolean(true))
        #expect(second.fact("sleepers") == .number(2))
        #expect(none.log.first == "------------[ cut here ]------------")
        #expect(woken.fact("woken") == Self.woken(call: first, 2_000, base + 512 << 12, layout))
        #expect(again.fact("woken") == Self.woken(call: second, 2_001, base + 8 << 12, layout))
        #expect(try machine.call("page_address", page(2_000)).word == base + 512 << 12)
        #expect(machine.violations == [])
    }

    private static func woken(
        call: CallOutcome,
        _ page: UInt64,
        _ address: UInt64,
        _ layout: AddressLayout
    ) -> FactValue {
        .list([
            .facts([
                Fact("call", .number(Int64(call.sequence))), Fact("pid", .number(1)),
                Fact("pfn", .number(Int64(layout.directMapEndPFN + 100 + page))),
                Fact("return", .address(address)),
            ])
        ])
    }

    @Test func `sleepers of one page share its slot`() throws {
        try fillWindow()
        try machine.call("kmap", page(2_000))
        try machine.call("kmap", page(2_000))

        let outcome = try machine.call("kunmap", page(3))

        guard case .list(let woken)? = outcome.fact("woken") else {
            Issue.record("nobody was woken")
            return
        }
        #expect(woken.count == 2)
        let slot = try #require(machine.kernel.highMemory.pkmap.slot(of: frame(2_000)))
        #expect(machine.kernel.highMemory.pkmap.slots[slot].count == 3)
    }

    private func frame(_ number: UInt64) -> UInt32 {
        UInt32(layout.directMapEndPFN + 100 + number)
    }

    @Test func `more sleepers than are kept are answered as blocked, and not queued`() throws {
        try fillWindow()
        for number in 0..<256 {
            let outcome = try machine.call("kmap", page(2_000 + UInt64(number)))
            #expect(outcome.fact("queued") == .boolean(true))
        }

        let outcome = try machine.call("kmap", page(3_000))

        #expect(outcome.fact("blocked") == .boolean(true))
        #expect(outcome.fact("queued") == .boolean(false))
    }

    @Test(
        "an interrupt must not map, and is told so",
        arguments: [
            (CallContext.Kind.softirq, 0, "100"), (.hardirq, 1, "10000"), (.nmi, 1, "110000"),
        ]
    )
    func interrupts(kind: CallContext.Kind, isOff: Int, count: String) throws {
        let outcome = try machine.call("kmap", [page(0)], in: kind)
        let next = try machine.call("kmap", [page(1)], in: kind)

        #expect(
            Array(outcome.log.prefix(4)) == [
                "BUG: sleeping function called from invalid context at "
                    + "include/linux/highmem-internal.h:38",
                "in_atomic(): 1, irqs_disabled(): \(isOff), non_block: 0, pid: 1, name: init",
                "preempt_count: \(count), expected: 0", "RCU nest depth: 0, expected: 0",
            ]
        )
        #expect(outcome.word == base + 0x1000)
        #expect(next.word == base + 0x2000)
        #expect(next.log.isEmpty)
    }

    @Test func `an interrupt that finds no slot would schedule, and gets none`() throws {
        try fillWindow()

        let outcome = try machine.call("kmap", [page(2_000)], in: .hardirq)

        #expect(outcome.word == 0)
        #expect(outcome.fact("queued") == .boolean(false))
        #expect(outcome.log.contains("BUG: scheduling while atomic: init/1/0x00010001"))
    }

    @Test func `unmapping too often is a BUG, of low memory it is nothing`() throws {
        let low = CallMachine.Argument.word(layout.descriptor(5_000))
        try machine.call("kmap", page(0))
        let once = try machine.call("kunmap", page(0))

        let twice = try machine.call("kunmap", page(0))
        let never = try machine.call("kunmap", page(1))
        let ofLow = try machine.call("kunmap", low)

        #expect(once.log.isEmpty && once.fact("pkmap_count") == .number(1))
        #expect(twice.log.contains { $0.hasPrefix("kernel BUG at mm/highmem.c") })
        #expect(never.log.contains { $0.hasPrefix("kernel BUG at mm/highmem.c") })
        #expect(ofLow.log.isEmpty)
        #expect(machine.violations == [])
    }

    @Test func `a fork has the same maps, and goes its own way`() throws {
        let mapped = try machine.call("kmap", page(0)).word
        try machine.call("kernel_write", .word(mapped), .bytes([5]))
        let fork = machine.fork()

        try fork.call("kunmap", page(0))
        try fork.call("kmap_flush_unused")

        #expect(try fork.read(mapped, 1).isEmpty)
        #expect(try machine.read(mapped, 1) == [5])
        #expect(fork.violations == [] && machine.violations == [])
    }

    @Test func `on a 64-bit machine every page has its address`() throws {
        let machine = try CallMachine()
        let page = try machine.call("alloc_page", .word(UInt64(GFPFlags.highUser.rawValue))).word
        let direct = try machine.call("page_address", .word(page)).word

        for name in ["kmap", "kmap_local_page", "kmap_atomic"] {
            #expect(try machine.call(name, .word(page)).word == direct, "\(name)")
        }
        try machine.call("kunmap_atomic", .word(direct))
        let odd = try machine.call("kunmap_local", .word(0x1000))
        let unmapped = try machine.call("kunmap", .word(page))
        #expect(unmapped.log.isEmpty && odd.log.isEmpty)
        #expect(try machine.call("kmap_to_page", .word(direct)).word == page)
        #expect(try machine.call("kmap_flush_unused").fact("flushed_slots") == .number(0))
    }

    @Test func `fixed maps are numbered downwards from the top`() throws {
        #expect(try machine.call("fix_to_virt", 0).word == 0xffff_f000)
        #expect(try machine.call("fix_to_virt", 3).word == 0xffff_c000)
        #expect(try machine.call("virt_to_fix", .word(0xffff_cfff)).word == 3)
        #expect(try machine.call("virt_to_fix", .word(0xfffb_b000)).word == 68)
        let tooHigh = try machine.call("fix_to_virt", 583)
        let atTop = try machine.call("virt_to_fix", .word(0xffff_f000))
        let below = try machine.call("virt_to_fix", .word(0xffdb_7fff))

        #expect(tooHigh.word == 0 && tooHigh.result.errno == .EINVAL)
        for outcome in [atTop, below] {
            #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at") })
        }
    }

    @Test func `a page that no descriptor stands for is a page fault`() throws {
        for name in ["kmap", "kunmap", "kmap_atomic", "kmap_local_page"] {
            let outcome = try machine.call(name, .word(0x1234_5678))
            #expect(outcome.word == 0)
            #expect(outcome.log.contains { $0.hasPrefix("BUG: unable to handle page fault") })
        }
    }
}

extension KmapTests {
    @Test("arithmetic of the direct map is wrong for a map", arguments: ["kmap", "kmap_atomic"])
    func arithmetic(name: String) throws {
        let pfn = layout.directMapEndPFN + 100
        let mapped = try machine.call(name, .word(layout.descriptor(pfn))).word

        let outcome = try machine.call("virt_to_phys", .word(mapped))

        guard case .notDirectMapped(let wrong)? = outcome.warnings.first else {
            Issue.record("\(outcome.warnings)")
            return
        }

        #expect(outcome.word == mapped - 0xc000_0000 && outcome.warnings.count == 1)
        #expect(wrong.address.rawValue == mapped && wrong.function == "virt_to_phys")
        #expect(wrong.frame?.rawValue == pfn)
    }
}
