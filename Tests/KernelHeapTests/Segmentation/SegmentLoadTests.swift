import Testing

@testable import KernelHeap

/// The manual's rules for MOV to a segment register, volume 2, as text to compare with.
private enum LoadRules {
    /// DS, ES, FS and GS.
    static func data(_ shape: DescriptorShape, cpl: UInt8, rpl: UInt8, code: String) -> String {
        if !shape.isOne(of: DescriptorShape.readableTypes) { return "#GP(\(code))" }
        if !shape.isOne(of: DescriptorShape.conformingTypes) {
            if rpl > shape.dpl || cpl > shape.dpl { return "#GP(\(code))" }
        }
        return shape.isPresent ? "ok" : "#NP(\(code))"
    }

    static func stack(_ shape: DescriptorShape, cpl: UInt8, rpl: UInt8, code: String) -> String {
        let isRight =
            rpl == cpl && shape.dpl == cpl && shape.isOne(of: DescriptorShape.writableTypes)
        if !isRight { return "#GP(\(code))" }
        return shape.isPresent ? "ok" : "#SS(\(code))"
    }
}

@Suite("Segmentation: loading segment registers")
struct SegmentLoadTests {
    @Test(
        "every descriptor, CPL and RPL comes to what the manual says",
        arguments: SegmentRegister.allCases
    )
    func allCombinations(register: SegmentRegister) throws {
        var wrong: [String] = []
        var count = 0
        for (cpl, isLocal) in [UInt8](0..<4).flatMap({ [($0, false), ($0, true)] }) {
            let machine = try SegmentMachine(cpl: cpl)
            for shape in DescriptorShape.all {
                var machine = machine
                if isLocal {
                    try machine.setLocal(2, shape.descriptor)
                } else {
                    try machine.set(20, shape.descriptor)
                }
                for rpl in 0..<4 as Range<UInt8> {
                    let selector = Selector(index: isLocal ? 2 : 20, isLocal: isLocal, rpl: rpl)
                    let code = isLocal ? "14" : "a0"
                    let expected =
                        switch register {
                        case .cs: "#UD()"
                        case .ss: LoadRules.stack(shape, cpl: cpl, rpl: rpl, code: code)
                        default: LoadRules.data(shape, cpl: cpl, rpl: rpl, code: code)
                        }
                    var tried = machine
                    let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                        try unit.load(register, selector, in: &memory)
                        return "ok"
                    }
                    count += 1
                    if got != expected { wrong.append("\(shape) \(cpl) \(rpl): \(got)") }
                }
            }
        }

        #expect(count == 8_192)
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test(
        "a null selector loads into data registers, and not into SS",
        arguments: 0...3 as ClosedRange<UInt16>
    )
    func nullSelectors(rpl: UInt16) throws {
        for cpl in 0..<4 as Range<UInt8> {
            for register in SegmentRegister.allCases where register != .cs {
                var machine = try SegmentMachine(cpl: cpl)
                let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                    try unit.load(register, Selector(rawValue: rpl), in: &memory)
                    return "ok"
                }
                #expect(got == (register == .ss ? "#GP(0)" : "ok"))
                guard register != .ss else { continue }
                #expect(machine.unit[register].selector.rawValue == rpl)
                #expect(!machine.unit[register].isUsable)
            }
        }
    }

    @Test func `a selector behind the table's limit is a general protection fault`() throws {
        var machine = try SegmentMachine()
        for limit in 0...0xff as ClosedRange<UInt16> {
            machine.unit.gdtr.limit = limit
            for index in [1, 4, 31, 32, 8_191] {
                let isInside = index * 8 + 7 <= Int(limit)
                let got = machine.unit.place(of: Selector(index: index))
                #expect((got != nil) == isInside, "limit \(limit), index \(index)")
            }
        }
        machine.unit.gdtr.limit = 0xff
        let beyond = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.load(.ds, Selector(index: 32, rpl: 3), in: &memory)
            return "ok"
        }
        let noLDT = machine.outcome { (unit, memory) throws(SegmentFault) in
            unit.ldtr = .null()
            try unit.load(.ds, Selector(index: 0, isLocal: true), in: &memory)
            return "ok"
        }

        #expect(beyond == "#GP(100)")
        #expect(noLDT == "#GP(4)")
    }

    @Test func `a load sets the accessed bit in the table and in the hidden part`() throws {
        var machine = try SegmentMachine()
        try machine.set(20, SegmentMachine.flat(type: 2, dpl: 0))
        try machine.unit.load(.ds, Selector(index: 20), in: &machine.memory)
        let entry = try machine.memory.load(SegmentMachine.gdt + 160, 8, isUser: false)

        #expect(SegmentDescriptor(rawValue: entry).type == 3)
        #expect(machine.unit[.ds].descriptor.type == 3)
    }

    @Test func `the hidden part stays as it was when the table changes`() throws {
        var machine = try SegmentMachine()
        let selector = Selector(index: 20)
        try machine.set(
            20,
            SegmentDescriptor(
                base: 0x4000,
                limit: 15,
                type: 3,
                dpl: 0,
                flags: [.segment, .present]
            )
        )
        try machine.unit.load(.fs, selector, in: &machine.memory)
        try machine.set(
            20,
            SegmentDescriptor(base: 0x8000, limit: 7, type: 3, dpl: 0, flags: [.segment, .present])
        )
        let stale = try machine.unit.linear(.fs, 12, count: 4, .write)
        try machine.unit.load(.fs, selector, in: &machine.memory)
        let fresh = try machine.unit.linear(.fs, 4, count: 4, .write)

        #expect(stale == 0x400c)
        #expect(fresh == 0x8004)
        #expect(throws: SegmentFault(.generalProtection, 0, .beyondLimit)) {
            try machine.unit.linear(.fs, 12, count: 4, .write)
        }
    }

    @Test func `a table whose page is absent is a page fault, and the register stays`() throws {
        var machine = try SegmentMachine()
        machine.memory.absentPages = [1]
        let before = machine.unit[.ds]
        let got = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.load(.ds, Selector(index: 1), in: &memory)
            return "ok"
        }

        #expect(got == "#PF(0)")
        #expect(machine.unit[.ds] == before)
    }
}

@Suite("Segmentation: LGDT, LLDT, LTR")
struct TableRegisterTests {
    @Test func `LLDT takes present LDTs of the GDT at CPL 0`() throws {
        for cpl in 0..<4 as Range<UInt8> {
            for shape in DescriptorShape.all {
                for isLocal in [false, true] {
                    var machine = try SegmentMachine(cpl: cpl)
                    try machine.set(20, shape.descriptor)
                    let isLDT = !shape.isSegment && shape.type == 2
                    let expected =
                        cpl != 0
                        ? "#GP(0)"
                        : isLocal
                            ? "#GP(a4)" : !isLDT ? "#GP(a0)" : shape.isPresent ? "ok" : "#NP(a0)"
                    let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                        let selector = Selector(index: 20, isLocal: isLocal)
                        try unit.loadLDTR(selector, in: memory)
                        return "ok"
                    }
                    #expect(got == expected)
                }
            }
        }
    }

    @Test func `LTR takes TSSs that are not busy, and makes them busy`() throws {
        for cpl in 0..<4 as Range<UInt8> {
            for shape in DescriptorShape.all {
                var machine = try SegmentMachine(cpl: cpl)
                try machine.set(20, shape.descriptor)
                let isFree = !shape.isSegment && (shape.type == 1 || shape.type == 9)
                let expected =
                    cpl != 0 ? "#GP(0)" : !isFree ? "#GP(a0)" : shape.isPresent ? "ok" : "#NP(a0)"
                let got = machine.outcome { (unit, memory) throws(SegmentFault) in
                    try unit.loadTR(Selector(index: 20), in: &memory)
                    return "ok"
                }
                let entry = try machine.memory.load(SegmentMachine.gdt + 160, 8, isUser: false)
                let type = SegmentDescriptor(rawValue: entry).type
                #expect(got == expected)
                #expect(type == (expected == "ok" ? shape.type + 2 : shape.type))
            }
        }
    }

    @Test func `null is an LDT, and no task`() throws {
        var machine = try SegmentMachine()
        let ldt = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.loadLDTR(.null, in: memory)
            return "ok"
        }
        let task = machine.outcome { (unit, memory) throws(SegmentFault) in
            try unit.loadTR(.null, in: &memory)
            return "ok"
        }

        #expect(ldt == "ok")
        #expect(!machine.unit.ldtr.isUsable)
        #expect(task == "#GP(0)")
    }

    @Test func `LGDT needs CPL 0`() throws {
        for cpl in 0..<4 as Range<UInt8> {
            var machine = try SegmentMachine(cpl: cpl)
            let got = machine.outcome { (unit, _) throws(SegmentFault) in
                try unit.loadGDTR(.init(base: 0x5000, limit: 15))
                return "ok"
            }
            #expect(got == (cpl == 0 ? "ok" : "#GP(0)"))
            #expect(machine.unit.gdtr.base == (cpl == 0 ? 0x5000 : SegmentMachine.gdt))
        }
    }
}
