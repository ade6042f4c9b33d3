import TestSupport
import Testing

@testable import KernelHeap

@Suite("High memory: short maps")
struct KmapLocalTests {
    let machine: CallMachine
    let layout: AddressLayout

    init() throws {
        var description = I386Machine("686-1G").description
        description.cpus = 4
        machine = try CallMachine(description)
        layout = machine.kernel.layout
    }

    private func page(_ number: UInt64) -> CallMachine.Argument {
        .word(layout.descriptor(layout.directMapEndPFN + 100 + number))
    }

    //      slot     0   1   2                     0   1
    //             | A | B |     kunmap_local(A) → | A |       the newest entry goes, whichever is named
    @Test func `undone in the wrong order, the newest map goes and the kernel warns once`() throws {
        let outer = try machine.call("kmap_local_page", page(0)).word
        let inner = try machine.call("kmap_local_page", page(1)).word
        try machine.call("kernel_write", .word(outer), .bytes([1]))

        let wrong = try machine.call("kunmap_local", .word(outer))
        let second = try machine.call("kunmap_local", .word(inner))

        #expect(wrong.log.contains { $0.contains("WARNING: CPU: 0 PID: 1 at mm/highmem.c") })
        #expect(wrong.fact("maps_held") == .number(1))
        #expect(second.log.isEmpty)
        #expect(second.fact("maps_held") == .number(0))
        #expect(machine.violations == [])
    }

    @Test func `an unmap too many is a BUG`() throws {
        let address = try machine.call("kmap_local_page", page(0)).word
        try machine.call("kunmap_local", .word(address))

        let outcome = try machine.call("kunmap_local", .word(address))

        #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at mm/highmem.c") })
    }

    @Test func `a user address is warned about, low memory is not`() throws {
        let low = try machine.call("kunmap_local", .word(0xc100_0000))
        let user = try machine.call("kunmap_local", .word(0x1000))

        #expect(low.log.isEmpty)
        #expect(user.log.contains { $0.hasPrefix("WARNING:") })
    }

    @Test func `the sixteenth map of a thread is a BUG`() throws {
        for number in 0..<15 {
            let outcome = try machine.call("kmap_local_page", page(UInt64(number)))
            #expect(outcome.word == 0xfffb_b000 - UInt64(number) << 12)
        }

        let outcome = try machine.call("kmap_local_page", page(15))

        #expect(outcome.word == 0)
        #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at mm/highmem.c") })
        #expect(machine.violations == [])
    }

    @Test("each CPU has its own sixteen", arguments: [false, true])
    func eachCPU(hasPAE: Bool) throws {
        var description = I386Machine(hasPAE ? "pae-1G" : "686-1G").description
        description.cpus = 32
        let machine = try CallMachine(description)
        let pfn = machine.kernel.layout.directMapEndPFN + 100
        let descriptor = machine.kernel.layout.descriptor(pfn)
        for cpu in 0..<32 {
            let outcome = try machine.call("kmap_local_page", [.word(descriptor)], cpu: cpu)
            #expect(outcome.word == 0xfffb_b000 - UInt64(cpu * 16) << 12)
            let read = try machine.call("kernel_read", [.word(outcome.word), 1], cpu: cpu)
            #expect(read.word == 1)
        }
        #expect(machine.violations == [])
    }

    @Test func `any frame can be mapped, low memory too`() throws {
        let outcome = try machine.call("kmap_local_pfn", 0x1_0000)
        try machine.call("kernel_write", .word(0xd000_0000), .bytes([9]))

        #expect(outcome.word == 0xfffb_b000)
        #expect(try machine.read(outcome.word, 1) == [9])
    }

    @Test func `another thread on the CPU does not see the maps, and has its own`() throws {
        let pid = 2
        machine.addProcess(pid)
        let mine = try machine.call("kmap_local_page", page(0)).word
        try machine.call("kernel_write", .word(mine), .bytes([1]))

        let read = try machine.call("kernel_read", [.word(mine), 1], pid: pid)
        let theirs = try machine.call("kmap_local_page", [page(1)], pid: pid)
        try machine.call("kernel_write", [.word(theirs.word), .bytes([2])], pid: pid)

        #expect(read.word == 0)
        #expect(theirs.word == mine)
        #expect(try machine.read(mine, 1) == [1])
        #expect(machine.violations == [])
    }

    @Test func `between kmap_atomic and its end nothing may sleep, and no page is brought in`()
        throws
    {
        let user = try machine.call("mmap", 0, 4_096, 3, 0x22).word
        let mapped = try machine.call("kmap_atomic", page(0)).word
        let object = try machine.call("kmalloc", 64, 0xa20).word

        let copy = try machine.call("copy_to_user", .word(user), .word(mapped), 8)
        let kmap = try machine.call("kmap", page(1))
        try machine.call("kunmap_atomic", .word(mapped))
        let later = try machine.call("copy_to_user", .word(user), .word(object), 8)

        #expect(copy.word == 8)
        #expect(
            kmap.log.first
                == "BUG: sleeping function called from invalid context at "
                + "include/linux/highmem-internal.h:38"
        )
        #expect(kmap.log.contains("preempt_count: 1, expected: 0"))
        #expect(later.word == 0)
    }

    @Test func `threads of processes that are gone are not kept for ever`() throws {
        var description = I386Machine("686-1G").description
        description.cpus = 1
        let machine = try CallMachine(description)
        for pid in 2..<40 {
            try machine.call("kmap_local_page", [page(UInt64(pid))], pid: pid)
        }

        #expect(machine.kernel.highMemory.threads.count <= 2)
        #expect(machine.violations == [])
    }

    @Test func `a fork has the maps of its threads`() throws {
        let mapped = try machine.call("kmap_local_page", page(0)).word
        try machine.call("kernel_write", .word(mapped), .bytes([4]))
        let fork = machine.fork()

        try machine.call("kunmap_local", .word(mapped))

        #expect(try fork.read(mapped, 1) == [4])
        #expect(try machine.read(mapped, 1).isEmpty)
    }
}

@Suite("High memory: the classic machine")
struct ClassicKmapTests {
    let machine: CallMachine
    let layout: AddressLayout

    init() throws {
        var description = MachineDescription()
        description.profile = "linux-2.6-i386"
        description.memoryBytes = 1 << 30
        description.cpus = 2
        machine = try CallMachine(description)
        layout = machine.kernel.layout
    }

    private func page(_ number: UInt64) -> CallMachine.Argument {
        .word(layout.descriptor(layout.directMapEndPFN + 100 + number))
    }

    @Test func `each CPU has a slot for each use, whatever the order`() throws {
        let types = KmapType.allCases
        for cpu in 0..<2 {
            for type in types {
                let address = try machine.call(
                    "kmap_atomic",
                    [page(type.rawValue), .word(type.rawValue)],
                    cpu: cpu
                ).word
                let index = 68 + UInt64(cpu) * 13 + type.rawValue
                #expect(address == 0xffff_f000 - index << 12)
            }
        }
        #expect(machine.violations == [])
        for cpu in 0..<2 {
            for type in types {
                let address = 0xffff_f000 - (68 + UInt64(cpu) * 13 + type.rawValue) << 12
                let outcome = try machine.call(
                    "kunmap_atomic",
                    [.word(address), .word(type.rawValue)],
                    cpu: cpu
                )
                #expect(outcome.log.isEmpty)
            }
        }
        #expect(machine.kernel.highMemory.typed.isEmpty)
        #expect(machine.kernel.highMemory.threads.isEmpty)
        #expect(machine.violations == [])
    }

    @Test func `a slot that is taken is a BUG`() throws {
        let first = try machine.call("kmap_atomic", page(0), 3)

        let second = try machine.call("kmap_atomic", page(1), 3)
        let other = try machine.call("kmap_atomic", page(1), 4)

        #expect(first.word == 0xffff_f000 - 71 << 12)
        #expect(second.word == 0)
        #expect(second.log.contains { $0.hasPrefix("kernel BUG at") })
        #expect(other.word == 0xffff_f000 - 72 << 12)
    }

    @Test func `an unmap of another type undoes nothing, and the slot stays taken`() throws {
        let address = try machine.call("kmap_atomic", page(0), 3).word

        let wrong = try machine.call("kunmap_atomic", .word(address), 4)
        let again = try machine.call("kmap_atomic", page(1), 3)

        #expect(wrong.fact("maps_held") == .number(1))
        #expect(again.word == 0)
        let maps = machine.kernel.highMemoryView().threads.flatMap(\.maps)
        #expect(maps.map(\.type) == ["KM_USER0"])
        let right = try machine.call("kunmap_atomic", .word(address), 3)
        #expect(right.fact("maps_held") == .number(0))
        #expect(machine.violations == [])
    }

    // Statement 19: never sleeps, usable in interrupt handlers.
    @Test func `interrupts map with their own types`() throws {
        let outcome = try machine.call("kmap_atomic", [page(0), 9], in: .hardirq)

        #expect(outcome.log.isEmpty)
        #expect(outcome.word == 0xffff_f000 - 77 << 12)
    }

    // Statement 20: 1,024 slots, which must be given back.
    @Test func `the window has 1024 slots, and kmap waits when they are taken`() throws {
        for number in UInt64(0)..<1_024 {
            let address = try machine.call("kmap", page(number)).word
            #expect(address >= 0xfe00_0000 && address < layout.fixmapStart)
        }
        let asleep = try machine.call("kmap", page(2_000))
        let woken = try machine.call("kunmap", page(9))

        #expect(asleep.fact("blocked") == .boolean(true))
        #expect(woken.fact("woken") != .list([]))
    }

    @Test func `giving a map back in an interrupt is a BUG`() throws {
        try machine.call("kmap", page(0))

        let outcome = try machine.call("kunmap", [page(0)], in: .hardirq)

        #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at") })
        #expect(try machine.call("kunmap", page(0)).log.isEmpty)
    }

    @Test func `a sleeping kmap in an interrupt is reported in two lines`() throws {
        let outcome = try machine.call("kmap", [page(0)], in: .tasklet)

        #expect(
            outcome.log.first?.hasPrefix("BUG: sleeping function called from invalid context")
                == true
        )
        #expect(outcome.log.last == "in_atomic():1, irqs_disabled():0")
    }

    @Test func `local maps came later`() throws {
        #expect(try machine.call("kmap_local_page", page(0)).result.errno == .ENOSYS)
    }

    @Test func `without high memory there is no window`() throws {
        var description = machine.kernel.machine
        description.memoryBytes = 512 << 20
        let small = try CallMachine(description)
        let page = try small.call("alloc_page", .word(UInt64(GFPFlags.highUser.rawValue))).word
        let direct = try small.call("page_address", .word(page)).word

        #expect(try small.call("kmap", .word(page)).word == direct)
        #expect(small.kernel.highMemory.pkmap.slotCount == 0)
    }
}
