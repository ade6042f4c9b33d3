import Testing

@testable import KernelHeap

@Suite("Segmentation: call gates and the stack switch")
struct CallGateTests {
    private static let gate = Selector(index: 20, rpl: 3)

    /// A program at CPL 3 with a gate to code of CPL 0.
    private func machine(
        parameters: UInt8 = 0,
        type: SystemType = .callGate32
    ) throws -> SegmentMachine {
        var machine = try SegmentMachine(cpl: 3)
        let gate = SegmentDescriptor(
            gate: type,
            selector: Selector(index: 5),
            offset: 0x7_7777,
            dpl: 3,
            parameterCount: parameters
        )
        try machine.set(20, gate)
        return machine
    }

    @Test(
        "the new stack holds what the manual's figure shows",
        arguments: 0...31 as ClosedRange<UInt8>
    )
    func frame(parameters: UInt8) throws {
        var machine = try machine(parameters: parameters)
        for index in 0..<UInt32(parameters) {
            try machine.memory.store(0x20_0000 + index * 4, 4, 0xa000 + UInt64(index), isUser: true)
        }
        let done = try machine.unit.transfer(.call, to: Self.gate, 0xdead, in: &machine.memory)
        let unit = machine.unit
        let count = UInt32(parameters) + 4
        let words = try (0..<count).map {
            try machine.memory.load(unit.esp + $0 * 4, 4, isUser: false)
        }

        #expect(done.path == .gateInward && done.oldCPL == 3 && done.newCPL == 0)
        #expect(unit.esp == 0x10_0000 - count * 4)
        #expect(unit.eip == 0x7_7777 && unit[.cs].selector == Selector(index: 5))
        #expect(unit[.ss].selector == Selector(index: 1) && unit.cpl == 0)
        #expect(words.prefix(2) == [0x1234, 0x43])
        #expect(words.dropFirst(2).dropLast(2) == (0..<UInt64(parameters)).map { 0xa000 + $0 }[...])
        #expect(words.suffix(2) == [0x20_0000, 0x23])
        #expect(done.parameters.map(UInt64.init) == (0..<UInt64(parameters)).map { 0xa000 + $0 })
    }

    @Test func `a gate of 16 bits pushes words of two bytes and cuts the offset`() throws {
        var machine = try machine(parameters: 2, type: .callGate16)
        _ = try machine.unit.transfer(.call, to: Self.gate, 0, in: &machine.memory)

        #expect(machine.unit.esp == 0x10_0000 - 12)
        #expect(machine.unit.eip == 0x7777)
    }

    @Test(
        "every stack in the TSS comes to what the manual says",
        arguments: 0...2 as ClosedRange<UInt8>
    )
    func newStacks(level: UInt8) throws {
        var wrong: [String] = []
        var machine = try machine()
        let gate = SegmentDescriptor(
            gate: .callGate32,
            selector: Selector(index: 5 + Int(level)),
            offset: 0,
            dpl: 3
        )
        try machine.set(20, gate)
        for shape in DescriptorShape.all {
            try machine.set(21, shape.descriptor)
            for rpl in 0..<4 as Range<UInt8> {
                try machine.setInnerStack(UInt32(level), Selector(index: 21, rpl: rpl))
                var tried = machine
                let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                    try unit.transfer(.call, to: Self.gate, 0, in: &memory).path.rawValue
                }
                let isStack = shape.isOne(of: DescriptorShape.writableTypes)
                // Flat and expand-down: no room for a frame.
                let isEmpty = [6, 7].contains(shape.type)
                let expected =
                    rpl != level || !isStack || shape.dpl != level
                    ? "#TS(a8)" : !shape.isPresent || isEmpty ? "#SS(a8)" : "gate_inward"
                if got != expected { wrong.append("\(shape) \(rpl): \(got)") }
                if got.hasPrefix("#") && (tried.unit.cpl != 3 || tried.unit.esp != 0x20_0000) {
                    wrong.append("\(shape) \(rpl) changed the processor")
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test("a TSS that ends before the stack is #TS", arguments: 0...2 as ClosedRange<UInt32>)
    func shortTSS(level: UInt32) throws {
        // sp0 is at 4, ss0 at 8; each level has eight bytes.
        let last = 4 + level * 8 + 5
        for limit in 0...0x20 as ClosedRange<UInt32> {
            var machine = try machine()
            try machine.set(
                20,
                SegmentDescriptor(
                    gate: .callGate32,
                    selector: Selector(index: 5 + Int(level)),
                    offset: 0,
                    dpl: 3
                )
            )
            let tss = SegmentDescriptor(
                base: SegmentMachine.tss,
                limit: limit,
                type: 11,
                dpl: 0,
                flags: .present
            )
            machine.unit.tr = LoadedSegment(Selector(index: 10), tss)
            let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                try unit.transfer(.call, to: Self.gate, 0, in: &memory).path.rawValue
            }
            #expect(got == (limit >= last ? "gate_inward" : "#TS(50)"), "limit \(limit)")
        }
    }

    @Test func `a null stack and one outside the table are #TS with its selector`() throws {
        var null = try machine()
        try null.setInnerStack(0, .null)
        var outside = try machine()
        try outside.setInnerStack(0, Selector(index: 32))
        let step = {
            (unit: inout SegmentationUnit, memory: inout FlatMemory) throws(SegmentFault) in
            try unit.transfer(.call, to: Self.gate, 0, in: &memory).path.rawValue
        }
        let outcomes = [null.outcome(step), outside.outcome(step)]

        #expect(outcomes == ["#TS(0)", "#TS(100)"])
    }

    @Test("the new stack needs room for its whole frame", arguments: [UInt8(0), 1, 5, 31])
    func room(parameters: UInt8) throws {
        let needed = (UInt32(parameters) + 4) * 4
        for pointer in [needed - 4, needed - 1, needed, needed + 1] {
            var machine = try machine(parameters: parameters)
            let small = SegmentDescriptor(
                base: 0x9000,
                limit: 0xfff,
                type: 3,
                dpl: 0,
                flags: [.segment, .present, .big]
            )
            try machine.set(21, small)
            try machine.setInnerStack(0, Selector(index: 21))
            try machine.memory.store(SegmentMachine.tss + 4, 4, UInt64(pointer), isUser: false)
            let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                try unit.transfer(.call, to: Self.gate, 0, in: &memory).path.rawValue
            }
            #expect(got == (pointer >= needed ? "gate_inward" : "#SS(a8)"), "ESP \(pointer)")
        }
    }

    @Test func `a call through a gate and back leaves the program as it was`() throws {
        for parameters in [0, 3, 31] as [UInt8] {
            var machine = try machine(parameters: parameters)
            machine.unit[.ds] = LoadedSegment(
                Selector(index: 4, rpl: 3),
                SegmentMachine.flat(type: 3, dpl: 3)
            )
            _ = try machine.unit.transfer(.call, to: Self.gate, 0, in: &machine.memory)
            try machine.unit.load(.es, Selector(index: 1), in: &machine.memory)
            let back = try machine.unit.farReturn(
                releasing: UInt16(parameters) * 4,
                in: &machine.memory
            )
            let unit = machine.unit

            #expect(back.path == .returnOutward && back.cleared == [.es])
            #expect(unit.cpl == 3 && unit.eip == 0x1234)
            #expect(unit[.cs].selector.rawValue == 0x43 && unit[.ss].selector.rawValue == 0x23)
            #expect(unit.esp == 0x20_0000 + UInt32(parameters) * 4)
            #expect(unit[.ds].isUsable && !unit[.es].isUsable)
        }
    }

    @Test func `a page of the new stack that is absent is a page fault at CPL 3`() throws {
        var machine = try machine()
        machine.memory.absentPages = [0xff]
        let got = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Self.gate, 0, in: &memory).path.rawValue
        }

        #expect(got == "#PF(2)")
        #expect(machine.unit.cpl == 3 && machine.unit[.ss].selector.rawValue == 0x23)
    }
}
