import Testing

@testable import KernelHeap

/// The manual's rules for CALL and JMP with a selector, volume 2, as text to compare with.
private enum TransferRules {
    /// A transfer that names a descriptor; `a0` is its selector without RPL.
    static func expected(
        _ transfer: SegmentationUnit.Transfer,
        _ shape: DescriptorShape,
        cpl: UInt8,
        rpl: UInt8
    ) -> String {
        if shape.isSegment {
            guard shape.isOne(of: DescriptorShape.codeTypes) else { return "#GP(a0)" }
            if shape.isOne(of: DescriptorShape.conformingTypes) {
                if shape.dpl > cpl { return "#GP(a0)" }
            } else if rpl > cpl || shape.dpl != cpl {
                return "#GP(a0)"
            }
            return shape.isPresent ? "direct" : "#NP(a0)"
        }
        let isAllowed = shape.dpl >= cpl && shape.dpl >= rpl
        switch shape.type {
        case 4, 12:
            if !isAllowed { return "#GP(a0)" }
            // The gates of this test hold a null selector.
            return shape.isPresent ? "#GP(0)" : "#NP(a0)"
        case 5:
            if !isAllowed { return "#GP(a0)" }
            return shape.isPresent ? "#GP(0)" : "#NP(a0)"
        case 1, 9:
            if !isAllowed { return "#GP(a0)" }
            return shape.isPresent ? "task_switch" : "#NP(a0)"
        default: return "#GP(a0)"
        }
    }

    /// What a present call gate of enough DPL comes to; `a8` is its target's selector.
    static func throughGate(
        _ transfer: SegmentationUnit.Transfer,
        _ target: DescriptorShape,
        cpl: UInt8
    ) -> String {
        guard target.isOne(of: DescriptorShape.codeTypes) else { return "#GP(a8)" }
        let isConforming = target.isOne(of: DescriptorShape.conformingTypes)
        switch transfer {
        case .call: if target.dpl > cpl { return "#GP(a8)" }
        case .jump:
            if isConforming ? target.dpl > cpl : target.dpl != cpl { return "#GP(a8)" }
        }
        if !target.isPresent { return "#NP(a8)" }
        return transfer == .call && !isConforming && target.dpl < cpl ? "gate_inward" : "gate"
    }
}

@Suite("Segmentation: far calls and jumps")
struct FarTransferTests {
    @Test(
        "every descriptor, CPL and RPL comes to what the manual says",
        arguments: SegmentationUnit.Transfer.allCases
    )
    func allCombinations(transfer: SegmentationUnit.Transfer) throws {
        var wrong: [String] = []
        for cpl in 0..<4 as Range<UInt8> {
            var machine = try SegmentMachine(cpl: cpl)
            for shape in DescriptorShape.all {
                var descriptor = shape.descriptor
                if !shape.isSegment { descriptor.rawValue &= ~(0xffff << 16) }
                try machine.set(20, descriptor)
                for rpl in 0..<4 as Range<UInt8> {
                    var tried = machine
                    let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                        let selector = Selector(index: 20, rpl: rpl)
                        return try unit.transfer(transfer, to: selector, 0x5000, in: &memory)
                            .path.rawValue
                    }
                    let expected = TransferRules.expected(transfer, shape, cpl: cpl, rpl: rpl)
                    if got != expected { wrong.append("\(shape) \(cpl) \(rpl): \(got)") }
                    let isDirect = got == "direct"
                    let selector = UInt16(isDirect ? 160 : 40 + 8 * Int(cpl)) + UInt16(cpl)
                    if tried.unit[.cs].selector.rawValue != selector || tried.unit.cpl != cpl
                        || tried.unit.eip != (isDirect ? 0x5000 : 0x1234)
                        || tried.unit.esp != (isDirect && transfer == .call ? 0x1f_fff8 : 0x20_0000)
                    {
                        wrong.append("\(shape) \(cpl) \(rpl) leads elsewhere")
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test(
        "every gate and target comes to what the manual says",
        arguments: SegmentationUnit.Transfer.allCases,
        [SystemType.callGate16, .callGate32]
    )
    func allGates(transfer: SegmentationUnit.Transfer, type: SystemType) throws {
        var wrong: [String] = []
        for cpl in 0..<4 as Range<UInt8> {
            var machine = try SegmentMachine(cpl: cpl)
            for target in DescriptorShape.all {
                try machine.set(21, target.descriptor)
                for gateDPL in 0..<4 as Range<UInt8> {
                    let gate = SegmentDescriptor(
                        gate: type,
                        // The RPL of the selector in a gate does not count.
                        selector: Selector(index: 21, rpl: 3 - cpl),
                        offset: 0x6000,
                        dpl: gateDPL
                    )
                    try machine.set(20, gate)
                    for rpl in 0..<4 as Range<UInt8> {
                        var tried = machine
                        let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                            let selector = Selector(index: 20, rpl: rpl)
                            return try unit.transfer(transfer, to: selector, 0, in: &memory)
                                .path.rawValue
                        }
                        let isRefused = gateDPL < cpl || gateDPL < rpl
                        let expected =
                            isRefused
                            ? "#GP(a0)" : TransferRules.throughGate(transfer, target, cpl: cpl)
                        if got != expected {
                            wrong.append("\(gateDPL) \(target) \(cpl) \(rpl): \(got)")
                        }
                        let level = got == "gate_inward" ? target.dpl : cpl
                        if tried.unit.cpl != level || tried.unit[.cs].selector.rpl != level {
                            wrong.append(
                                "\(gateDPL) \(target) \(cpl) \(rpl): level \(tried.unit.cpl)"
                            )
                        }
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test func `an absent gate and a null target are told apart`() throws {
        var machine = try SegmentMachine()
        let absent = SegmentDescriptor(
            gate: .callGate32,
            selector: Selector(index: 21),
            offset: 0,
            dpl: 0,
            isPresent: false
        )
        try machine.set(20, absent)
        let gone = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(index: 20), 0, in: &memory).path.rawValue
        }
        try machine.set(
            20,
            SegmentDescriptor(gate: .callGate32, selector: Selector(rawValue: 3), offset: 0, dpl: 0)
        )
        let null = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(index: 20), 0, in: &memory).path.rawValue
        }
        let none = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(rawValue: 2), 0, in: &memory).path.rawValue
        }

        #expect([gone, null, none] == ["#NP(a0)", "#GP(0)", "#GP(0)"])
    }

    @Test func `a target beyond the code segment's limit is refused, and nothing is pushed`() throws
    {
        var machine = try SegmentMachine()
        try machine.set(
            20,
            SegmentDescriptor(
                base: 0,
                limit: 0xff,
                type: 10,
                dpl: 0,
                flags: [.segment, .present, .big]
            )
        )
        let before = machine.memory.bytes
        let beyond = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(index: 20), 0x100, in: &memory).path.rawValue
        }

        #expect(beyond == "#GP(0)")
        #expect(machine.memory.bytes == before)
        let last = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(index: 20), 0xff, in: &memory).path.rawValue
        }
        #expect(last == "direct")
    }

    @Test(
        "a call needs room for eight bytes, a jump for none",
        arguments: 0...12 as ClosedRange<UInt32>
    )
    func room(pointer: UInt32) throws {
        var machine = try SegmentMachine()
        // Expand-up of 16 bytes, so that the stack ends where its offsets do.
        let small = SegmentDescriptor(
            base: 0x9000,
            limit: 15,
            type: 3,
            dpl: 0,
            flags: [.segment, .present, .big]
        )
        machine.unit[.ss] = LoadedSegment(Selector(index: 1), small)
        machine.unit.esp = pointer
        var other = machine
        let call = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.call, to: Selector(index: 5), 0, in: &memory).path.rawValue
        }
        let jump = other.outcome { (unit, memory) throws(SegmentFault) in
            try unit.transfer(.jump, to: Selector(index: 5), 0, in: &memory).path.rawValue
        }

        #expect(call == (pointer >= 8 ? "direct" : "#SS(0)"))
        #expect(jump == "direct")
    }

    @Test func `task gates lead to a TSS of the GDT that is not busy`() throws {
        for shape in DescriptorShape.all {
            var machine = try SegmentMachine(cpl: 3)
            try machine.set(21, shape.descriptor)
            try machine.set(
                20,
                SegmentDescriptor(gate: .taskGate, selector: Selector(index: 21), offset: 0, dpl: 3)
            )
            let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                try unit.transfer(.call, to: Selector(index: 20, rpl: 3), 0, in: &memory)
                    .path.rawValue
            }
            let isFree = !shape.isSegment && [1, 9].contains(shape.type)
            #expect(got == (!isFree ? "#GP(a8)" : shape.isPresent ? "task_switch" : "#NP(a8)"))
        }
    }
}
