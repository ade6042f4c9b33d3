import TestSupport
import Testing

@testable import KernelHeap

/// The recorded sequences of `vmalloc` and `ioremap` on 32-bit machines (`i386/*/serve`, `conv`).
@Suite("vmalloc: 32-bit machines")
struct I386VmallocTests {
    typealias Row = [String: I386Recording.Value]

    static let recorded = I386Machine.all

    /// A machine with the recorder's module, and what its earlier parts left behind.
    private struct Run {
        let calls: CallMachine
        /// What addresses are compared by: recorded boots on a larger PC have one area more.
        let shift: UInt64
        let start: UInt64

        init(_ machine: I386Machine) throws {
            calls = try CallMachine(machine.description)
            shift = machine.folder == "pae-4G" ? 0x2000 : 0
            start = calls.kernel.layout.vmallocStart
            // A module's end purges.
            try calls.call("vm_unmap_aliases")
            let end: UInt64 = machine.folder.hasPrefix("pae") ? 0x3_6000 : 0x3_5000
            let module = start + 0x2_7000..<start + end
            #expect(calls.takeArea(module, VmapUse(.alloc)))
            // Only the longer recordings tried large kvmallocs.
            guard !machine.folder.hasSuffix("nothp") else { return }
            try free(calls.call("kvmalloc", .word(8 << 20), 0xcc0))
        }

        func free(_ outcome: CallOutcome) throws {
            guard outcome.word != 0 else { return }
            try calls.call("vfree", .word(outcome.word))
        }

        func expect(_ outcome: CallOutcome, _ row: Row, _ name: String) {
            guard let recorded = row["va"]?.number else {
                #expect(outcome.word == 0, "\(name)")
                return
            }
            #expect(outcome.word == recorded - shift, "\(name)")
        }
    }

    @Test("addresses, zones and refusals are the recorded ones", arguments: recorded)
    func sequence(machine: I386Machine) throws {
        let run = try Run(machine)
        let converted = try I386Recording.rows("\(machine.folder)/conv")
        var held: [UInt64] = []
        for name in ["vmalloc(16384)+page", "vmalloc_32(8192)"] {
            let row = try #require(converted.first { $0["va_of"]?.text == name })
            let isNarrow = name.hasPrefix("vmalloc_32")
            let outcome = try run.calls.call(
                isNarrow ? "vmalloc_32" : "vmalloc",
                isNarrow ? 8_192 : 16_384
            )
            run.expect(outcome, row, name)
            held.append(outcome.word)
        }
        for address in held { try run.calls.call("vfree", .word(address)) }
        let rows = try I386Recording.rows("\(machine.folder)/serve")
        var compared = 0
        for row in rows {
            guard let size = row["vmalloc"]?.number else { continue }
            let outcome = try run.calls.call("vmalloc", .word(size))
            run.expect(outcome, row, "vmalloc(\(size))")
            if row["va"] != nil, machine.folder != "686-512M", size <= 16 << 20 {
                #expect(try zones(outcome, run.calls) == ["HighMem"])
            }
            try run.free(outcome)
            compared += 1
        }
        #expect(compared == 17)
        try heldSequence(rows, run)
        #expect(run.calls.violations == [])
    }

    /// Areas that stay, two of which are freed in between.
    private func heldSequence(_ rows: [Row], _ run: Run) throws {
        var held: [UInt64] = []
        for row in rows {
            guard let place = row["vmalloc_seq"] else { continue }
            if place.number == nil || row["size"] == nil {
                if held.count == 8 {
                    for index in [2, 5] { try run.calls.call("vfree", .word(held[index])) }
                }
                let size: UInt64 = held.count == 8 ? 4_096 : 12_288
                let outcome = try run.calls.call("vmalloc", .word(size))
                run.expect(outcome, row, "\(place)")
                held.append(outcome.word)
            } else {
                let size = try #require(row["size"]?.number)
                let outcome = try run.calls.call("vmalloc", .word(size))
                run.expect(outcome, row, "\(place)")
                held.append(outcome.word)
            }
        }
        #expect(held.count == 10)
        for row in rows {
            guard let place = row["ioremap"]?.text else { continue }
            let physical: UInt64 = place.hasPrefix("0xfebf") ? 0xfebf_0000 : 0xa_0000
            let outcome = try run.calls.call("ioremap", .word(physical), 4_096)
            run.expect(outcome, row, place)
            #expect(try run.calls.number("is_vmalloc_addr", outcome.word) == 1)
        }
    }

    /// The zones that back an area.
    private func zones(_ outcome: CallOutcome, _ calls: CallMachine) throws -> Set<String> {
        guard case .list(let runs)? = outcome.fact("pfns") else { return [] }
        var names: Set<String> = []
        for run in runs {
            guard case .facts(let facts) = run,
                case .number(let first)? = facts.first(where: { $0.name == "first" })?.value
            else { continue }
            let kernel = calls.zoneName(of: UInt64(first))
            names.insert(kernel)
        }
        return names
    }

    @Test("what is too large is told in the recorded lines", arguments: ["686-1G", "686-3G"])
    func tooLarge(folder: String) throws {
        let calls = try CallMachine(I386Machine(folder).description)

        let outcome = try calls.call("vmalloc", .word(1 << 30))

        let error = "init: vmalloc error: size 1073741824, "
        let mode = ", mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0"
        let expected =
            folder == "686-1G"
            ? [error + "exceeds total pages" + mode]
            : [
                "vmap allocation for size 1073745920 failed: "
                    + "use vmalloc=<size> to increase size",
                error + "vm_struct allocation failed" + mode,
            ]
        #expect(Array(outcome.log.prefix(expected.count)) == expected)
        #expect(outcome.word == 0)
    }

    @Test func `physical addresses in texts have the digits of the machine`() throws {
        let narrow = try CallMachine(I386Machine("686-1G").description)
        let wide = try CallMachine(I386Machine("pae-1G").description)

        let short = try narrow.call("ioremap", .word(0x200_0000), 8_192)
        let long = try wide.call("ioremap", .word(0x200_0000), 8_192)

        #expect(short.log.contains("ioremap on RAM at 0x02000000 - 0x02001fff"))
        #expect(long.log.contains("ioremap on RAM at 0x0000000002000000 - 0x0000000002001fff"))
    }

    @Test func `vmalloc32 takes low memory, vmalloc high memory`() throws {
        let calls = try CallMachine(I386Machine("686-1G").description)

        let low = try calls.call("vmalloc_32", 65_536)
        let high = try calls.call("vmalloc", 65_536)

        #expect(try zones(low, calls) == ["Normal"])
        #expect(try zones(high, calls) == ["HighMem"])
    }
}

/// Statements 3, 17 and 18 of the courses on what vmalloc does on the classic machine.
@Suite("vmalloc: the classic machine")
struct ClassicVmallocTests {
    private func machine(_ memory: UInt64 = 1 << 30) throws -> CallMachine {
        var description = MachineDescription()
        description.profile = "linux-2.6-i386"
        description.memoryBytes = memory
        return try CallMachine(description)
    }

    @Test func `areas lie between VMALLOC_START and VMALLOC_END, without a fixed distance`() throws
    {
        let calls = try machine()
        let layout = calls.kernel.layout
        let first = try calls.call("vmalloc", 20_000)
        let second = try calls.call("vmalloc", 1)

        #expect(first.word == layout.vmallocStart)
        #expect(second.word == layout.vmallocStart + 6 * 4_096)
        #expect(layout.vmallocStart >= 0xf880_0000 && second.word < layout.vmallocEnd)
        let distances = try (UInt64(0)..<5).map { page -> UInt64 in
            let address = first.word + page * 4_096
            return try address &- calls.call("vmalloc_to_pfn", .word(address)).word << 12
        }
        #expect(Set(distances).count > 1 || distances[0] != layout.pageOffset)
    }

    @Test func `VmallocChunk is the largest piece, and no more is given`() throws {
        let calls = try machine()
        func chunk() -> UInt64 { calls.kernel.memInfoView()[.vmallocChunk] << 10 }
        let total = calls.kernel.memInfoView()[.vmallocTotal] << 10
        let fresh = chunk()
        let half = try calls.call("vmalloc", .word(32 << 20)).word
        let used = calls.kernel.memInfoView()[.vmallocUsed]
        let rest = chunk()

        let tooMuch = try calls.call("vmalloc", .word(rest)).word
        // The array of its pages needs addresses, too.
        let all = try calls.call("vmalloc", .word(rest - (1 << 20))).word
        try calls.call("vfree", .word(all))
        try calls.call("vfree", .word(half))

        #expect(fresh == total)
        #expect(used == (32 << 10) + 4 + 36)
        #expect(rest == total - (32 << 20) - 4_096 - 9 * 4_096)
        #expect(tooMuch == 0)
        #expect(all != 0)
        #expect(chunk() == total)
    }

    @Test("neither call is for interrupts", arguments: [CallContext.Kind.softirq, .hardirq])
    func interrupts(kind: CallContext.Kind) throws {
        let calls = try machine()
        let held = try calls.call("vmalloc", 4_096).word

        let made = try calls.call("vmalloc", [4_096], in: kind)
        let freed = try calls.call("vfree", [.word(held)], in: kind)

        #expect(made.word == 0)
        for outcome in [made, freed] {
            #expect(outcome.log.contains { $0.hasPrefix("kernel BUG at mm/vmalloc.c") })
        }
        #expect(try calls.read(held, 1).count == 1)
        #expect(try calls.call("vfree", .word(held)).log.isEmpty)
    }

    @Test func `addresses that were freed are there again at once`() throws {
        let calls = try machine()
        let first = try calls.call("vmalloc", 4_096).word

        try calls.call("vfree", .word(first))

        #expect(try calls.call("vmalloc", 4_096).word == first)
    }
}

extension CallMachine {
    /// Takes addresses of the vmalloc area, as a module has them.
    fileprivate func takeArea(_ range: Range<UInt64>, _ use: VmapUse) -> Bool {
        changeVmalloc { $0.take(range, use) != nil }
    }

    fileprivate func zoneName(of pfn: UInt64) -> String {
        kernel.pages.zoneIndex(of: pfn).map { kernel.pages.zones[$0].type.name } ?? "none"
    }
}
