import TestSupport
import Testing

@testable import KernelHeap

/// Kernel calls on a machine with the page tables of a recorded i386 kernel.
private struct SegmentCalls: ~Copyable {
    var kernel: Kernel

    init(_ recorded: PagingMachine.Recorded = PagingMachine.recorded[0]) throws {
        kernel = try PagingMachine.boot(recorded)
    }

    mutating func call(
        _ name: String,
        _ words: [Int: UInt64] = [:],
        _ bytes: [UInt8] = []
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name], "\(name)")
        var arguments = CallArguments()
        for (place, word) in words { arguments.set(place, word: word) }
        if !bytes.isEmpty { arguments.set(1, payload: .bytes(bytes)) }
        return kernel.apply(descriptor, arguments, in: .standard)
    }

    /// A table's entry as bytes of memory.
    func entry(_ index: UInt64) throws -> UInt64 {
        try kernel.load(UInt32(0xff40_1000 + index * 8), 8, isUser: false)
    }
}

extension CallOutcome {
    /// The exception and its error code: `#GP(60)`; `ok` where there is none.
    fileprivate var exception: String {
        guard case .facts(let fault)? = fact("fault") else { return "ok" }
        var name = ""
        var code = ""
        for part in fault {
            switch (part.name, part.value) {
            case ("exception", .text(let text)): name = text
            case ("error_code", .number(let number)): code = String(number, radix: 16)
            default: break
            }
        }
        return "\(name)(\(code))"
    }
}

@Suite("Segmentation: kernel calls")
struct SegmentCallTests {
    @Test(
        "the recorded table stands in memory, and is a table of pages like any other",
        arguments: PagingMachine.recorded
    )
    func bootBytes(machine: PagingMachine.Recorded) throws {
        var calls = try SegmentCalls(machine)
        let recorded = try SegmentRecording("686-1G").descriptors
        var bytes: [UInt8] = []
        for line in recorded {
            let raw = try #require(SegmentRecording.number(line.raw))
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: raw >> UInt64($0 * 8)) }
        }
        let read = try calls.call("kernel_read", [0: 0xff40_1000, 1: 256])
        let stored = try calls.call("kernel_write", [0: 0xff40_1000 + 20 * 8], [1, 2, 3, 4])

        #expect(read.fact("data") == .bytes(bytes))
        #expect(stored.word == 4)
        #expect(try calls.entry(20) == 0x0000_9200_0403_0201)
        #expect(try calls.entry(12) == 0x00cf_9a00_0000_ffff)
    }

    @Test func `the GDT's page has the recorded bits`() throws {
        let kernel = try PagingMachine.boot(PagingMachine.recorded[0])
        let recorded = try #require(PageWalkRecording.walks("686-1G", "kwalk")["GDT ro alias"])

        #expect(kernel.bits(recorded.address) == recorded.levels)
    }

    @Test func `a program loads its own selectors, and none of the kernel's`() throws {
        var calls = try SegmentCalls()
        _ = try calls.call("set_mode", [0: 1])
        var outcomes: [String] = []
        for selector in [0x7b, 0x78, 0x68, 0x6b, 0x73, 0x33, 0x80, 0xd8, 0x100] as [UInt64] {
            outcomes.append(try calls.call("load_segment", [0: 3, 1: selector]).exception)
        }

        #expect(
            outcomes == [
                "ok", "ok", "#GP(68)", "#GP(68)", "ok", "ok", "#GP(80)", "#GP(d8)", "#GP(100)",
            ]
        )
    }

    @Test func `a written descriptor counts from the next load on`() throws {
        var calls = try SegmentCalls()
        let entry: [Int: UInt64] = [0: 0, 1: 28, 2: 0xc010_0000, 3: 15, 4: 2, 6: 0x9 << 44]
        _ = try calls.call("set_descriptor", entry)
        let load = try calls.call("load_segment", [0: 4, 1: 0xe0])
        var wider = entry
        wider[3] = 31
        _ = try calls.call("set_descriptor", wider)
        let stale = try calls.call("translate", [4: 4, 6: 16])
        _ = try calls.call("load_segment", [0: 4, 1: 0xe0])
        let fresh = try calls.call("translate", [4: 4, 6: 16])
        let accessed = try calls.entry(28) >> 40 & 1

        #expect(load.exception == "ok")
        #expect(stale.word == 0)
        #expect(stale.fact("linear") == .null)
        #expect(fresh.word == 0x10_0010)
        #expect(fresh.fact("linear") == .address(0xc010_0010))
        #expect(accessed == 1)
    }

    @Test func `logical, linear and physical addresses follow one another`() throws {
        var calls = try SegmentCalls()
        // The CPU's variables: base 3422a000, so that c1e56000 leads to the GDT's writable alias.
        let perCPU = try calls.call("translate", [4: 4, 6: 0xc1e5_6000, 7: 4])
        let kernelData = try calls.call("translate", [5: 0x68, 6: 0xc010_0000])
        _ = try calls.call("set_mode", [0: 1])
        let refused = try calls.call("translate", [5: 0x68, 6: 0xc010_0000])
        let user = try calls.call("translate", [4: 3, 6: 0xc010_0000])

        #expect(perCPU.fact("linear") == .address(0xf608_0000))
        #expect(perCPU.word == 0x3608_0000)
        #expect(kernelData.word == 0x10_0000)
        #expect(refused.word == 0)
        // Segments of the whole address space do not protect the kernel; its pages do.
        #expect(user.fact("linear") == .address(0xc010_0000))
        guard case .facts(let fault)? = user.fact("fault") else {
            Issue.record("no page fault")
            return
        }
        #expect(fault.first { $0.name == "error_code" }?.value == .number(5))
    }

    @Test func `a call gate leads from a program into the kernel and back`() throws {
        var calls = try SegmentCalls()
        let rights: UInt64 = 3
        let mapped = try calls.call("mmap", [0: 0x4000_0000, 1: 8_192, 2: rights, 3: 0x32])
        let stack = mapped.word + 4_096
        let gate: [Int: UInt64] = [0: 0, 1: 29, 2: 0x60, 3: 0xc100_0000, 5: 3, 6: 2]
        _ = try calls.call("set_gate", gate)
        _ = try calls.call("set_mode", [0: 1, 1: stack, 2: 0x804_8000])
        let direct = try calls.call("far_call", [0: 0x60, 1: 0])
        let call = try calls.call("far_call", [0: 0xeb, 1: 0])
        let inside = calls.kernel.segmentationUnit(cpu: 0)
        let frame = try (0..<6).map {
            try calls.kernel.load(0xff40_3fe8 + $0 * 4, 4, isUser: false)
        }
        let back = try calls.call("far_return", [0: 8])
        let outside = calls.kernel.segmentationUnit(cpu: 0)

        #expect(mapped.word > 0 && mapped.word < 0xc000_0000)
        #expect(direct.exception == "#GP(60)")
        #expect(call.exception == "ok" && back.exception == "ok")
        #expect(inside.cpl == 0 && inside.eip == 0xc100_0000 && inside.esp == 0xff40_3fe8)
        #expect(inside[.cs].selector.rawValue == 0x60 && inside[.ss].selector.rawValue == 0x68)
        #expect(frame == [0x804_8000, 0x73, 0, 0, stack, 0x7b])
        #expect(outside.cpl == 3 && outside.eip == 0x804_8000)
        #expect(UInt64(outside.esp) == stack + 8)
        #expect(outside[.fs].isUsable == false)
    }

    @Test func `privileged loads of a program are refused`() throws {
        var calls = try SegmentCalls()
        _ = try calls.call("set_mode", [0: 1])
        let outcomes = [
            try calls.call("lgdt", [0: 0, 1: 7]).exception,
            try calls.call("lldt", [0: 0]).exception,
            try calls.call("ltr", [0: 0xf8]).exception,
            try calls.call("load_segment", [0: 1, 1: 0x73]).exception,
        ]

        #expect(outcomes == ["#GP(0)", "#GP(0)", "#GP(0)", "#UD()"])
    }

    @Test func `an LDT in a page of the kernel's is used`() throws {
        var calls = try SegmentCalls()
        let page = try calls.call("__get_free_pages", [0: 0xcc0, 1: 0]).word
        let table = page
        let ldt: [Int: UInt64] = [0: 0, 1: 17, 2: table, 3: 15, 4: 2, 6: 1 << 47]
        _ = try calls.call("set_descriptor", ldt)
        let load = try calls.call("lldt", [0: 0x88])
        let entry = try calls.call("set_descriptor", [0: 1, 1: 1, 2: 0, 3: 0xfffff, 4: 2, 5: 3])
        let outside = try calls.call("set_descriptor", [0: 1, 1: 2])
        let use = try calls.call("load_segment", [0: 0, 1: 0xf])

        #expect([load.exception, entry.exception, use.exception] == ["ok", "ok", "ok"])
        #expect(outside.result.errno == .EINVAL)
        let word = try calls.kernel.load(UInt32(truncatingIfNeeded: table + 8), 8, isUser: false)
        // The load has set the accessed bit.
        #expect(word == 0x00cf_f300_0000_ffff)
    }

    @Test func `real mode goes past page tables, and wraps where A20 is closed`() throws {
        var calls = try SegmentCalls()
        _ = try calls.call("set_mode", [0: 2, 3: 0])
        _ = try calls.call("load_segment", [0: 3, 1: 0xffff])
        let wrapped = try calls.call("translate", [4: 3, 6: 0x20])
        _ = try calls.call("set_mode", [0: 2])
        let open = try calls.call("translate", [5: 0xffff, 6: 0x20])
        let beyond = try calls.call("translate", [5: 0xffff, 6: 0xffff, 7: 2])

        #expect(wrapped.word == 0x10)
        #expect(open.word == 0x10_0010)
        #expect(open.fact("levels") == .list([]))
        #expect(beyond.word == 0 && beyond.fact("linear") == .null)
    }

    @Test func `each processor has registers and a table of its own`() throws {
        var calls = try SegmentCalls()
        let other = calls.kernel.segmentationUnit(cpu: 1)
        _ = try calls.call("set_mode", [0: 1])
        let first = calls.kernel.segmentationUnit(cpu: 0)
        var fork = calls.kernel.fork()
        let descriptor = try #require(CallRegistry.byName["set_mode"])
        var kernelMode = CallArguments()
        kernelMode.set(0, word: 0)
        _ = fork.apply(descriptor, kernelMode, in: .standard)

        #expect(first.cpl == 3 && other.cpl == 0)
        #expect(other.gdtr.base == 0xff42_c000 && other.tr.base == 0xff43_1000)
        #expect(fork.segmentationUnit(cpu: 0).cpl == 0)
        #expect(calls.kernel.segmentationUnit(cpu: 0).cpl == 3)
    }

    @Test func `a machine in 64-bit mode refuses, and has no segments to show`() throws {
        let machine = try CallMachine()
        for call in CallRegistry.all where call.signature.needs32Bit {
            let outcome = try machine.call(call.signature.name, [1, 1, 1, 1])
            #expect(outcome.result.errno == .ENOSYS, "\(call.signature.name)")
        }
        let translated = try machine.call("translate", .absent, .absent, .absent, .absent, .word(3))
        let nothing = try machine.call("translate")
        let kernel = try Kernel()

        #expect(CallRegistry.all.count { $0.signature.needs32Bit } == 11)
        #expect(translated.result.errno == .ENOSYS)
        #expect(nothing.result.errno == .EINVAL)
        #expect(kernel.segmentFacts(cpu: 0).first { $0.name == "mode" }?.value == .text("long"))
    }

    @Test func `any arguments leave the machine sound`() throws {
        var calls = try SegmentCalls()
        var random = SeededRandom(seed: 5)
        let names = CallRegistry.all.filter { $0.signature.needs32Bit }.map(\.signature.name)
        for _ in 0..<3_000 {
            let name = names[Int(random.next() % UInt64(names.count))]
            var words: [Int: UInt64] = [:]
            for place in 0..<8 where random.next() & 3 != 0 {
                let edges: [UInt64] = [
                    0, 1, 7, 0x60, 0x68, 0x7b, 0xff, 0x1fff, 0xffff, 0xffff_ffff, .max,
                ]
                words[place] =
                    random.next() & 1 == 0 ? edges[Int(random.next() % 11)] : random.next()
            }
            _ = try calls.call(name, words)
            _ = try calls.call(
                "translate",
                [4: random.next() % 6, 6: random.next(), 7: random.next() & 7]
            )
            _ = calls.kernel.segmentFacts(cpu: 0)
        }
        #expect(calls.kernel.sequence == 6_000)
    }
}
