import Testing

@testable import KernelHeap

@Suite("Segmentation: far returns")
struct FarReturnTests {
    private func push(_ words: [UInt32], on machine: inout SegmentMachine) throws {
        for (place, word) in words.enumerated() {
            let address = machine.unit.esp + UInt32(place) * 4
            try machine.memory.store(address, 4, UInt64(word), isUser: false)
        }
    }

    /// Volume 2, RETF: which code segment may be returned to.
    private func expected(_ shape: DescriptorShape, cpl: UInt8, rpl: UInt8) -> String {
        guard shape.isOne(of: DescriptorShape.codeTypes) else { return "#GP(a0)" }
        if rpl < cpl { return "#GP(a0)" }
        if shape.isOne(of: DescriptorShape.conformingTypes) {
            if shape.dpl > rpl { return "#GP(a0)" }
        } else if shape.dpl != rpl {
            return "#GP(a0)"
        }
        if !shape.isPresent { return "#NP(a0)" }
        return rpl > cpl ? "return_outward" : "return"
    }

    @Test func `every code segment, CPL and RPL comes to what the manual says`() throws {
        var wrong: [String] = []
        for cpl in 0..<4 as Range<UInt8> {
            var machine = try SegmentMachine(cpl: cpl)
            for shape in DescriptorShape.all {
                try machine.set(20, shape.descriptor)
                for rpl in 0..<4 as Range<UInt8> {
                    var tried = machine
                    let stack = UInt32(Selector(index: 1 + Int(rpl), rpl: rpl).rawValue)
                    try push([0x4444, 0xa0 + UInt32(rpl), 0x30_0000, stack], on: &tried)
                    let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                        try unit.farReturn(in: &memory).path.rawValue
                    }
                    if got != expected(shape, cpl: cpl, rpl: rpl) {
                        wrong.append("\(shape) \(cpl) \(rpl): \(got)")
                    }
                    let level = got == "return_outward" ? rpl : cpl
                    let esp: UInt32 =
                        got == "return_outward"
                        ? 0x30_0000 : got == "return" ? 0x20_0008 : 0x20_0000
                    if tried.unit.cpl != level || tried.unit.esp != esp {
                        wrong.append("\(shape) \(cpl) \(rpl) leads elsewhere")
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test("every outer stack comes to what the manual says", arguments: 1...3 as ClosedRange<UInt8>)
    func outerStacks(level: UInt8) throws {
        var wrong: [String] = []
        var machine = try SegmentMachine(cpl: 0)
        for shape in DescriptorShape.all {
            try machine.set(21, shape.descriptor)
            for rpl in 0..<4 as Range<UInt8> {
                var tried = machine
                let code = UInt32(Selector(index: 5 + Int(level), rpl: level).rawValue)
                try push([0x4444, code, 0x30_0000, 0xa8 + UInt32(rpl)], on: &tried)
                let got = tried.outcome { (unit, memory) throws(SegmentFault) in
                    try unit.farReturn(in: &memory).path.rawValue
                }
                let isStack = shape.isOne(of: DescriptorShape.writableTypes)
                let expected =
                    rpl != level || !isStack || shape.dpl != level
                    ? "#GP(a8)" : shape.isPresent ? "return_outward" : "#SS(a8)"
                if got != expected { wrong.append("\(shape) \(rpl): \(got)") }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test func `null selectors and cut frames are told apart`() throws {
        var code = try SegmentMachine()
        try push([0, 3], on: &code)
        var stack = try SegmentMachine()
        try push([0, UInt32(Selector(index: 8, rpl: 3).rawValue), 0, 0], on: &stack)
        var cut = try SegmentMachine()
        let small = SegmentDescriptor(
            base: 0x9000,
            limit: 6,
            type: 3,
            dpl: 0,
            flags: [.segment, .present, .big]
        )
        cut.unit[.ss] = LoadedSegment(Selector(index: 1), small)
        cut.unit.esp = 0
        let step = {
            (unit: inout SegmentationUnit, memory: inout FlatMemory) throws(SegmentFault) in
            try unit.farReturn(in: &memory).path.rawValue
        }
        let outcomes = [code.outcome(step), stack.outcome(step), cut.outcome(step)]

        #expect(outcomes == ["#GP(0)", "#GP(0)", "#SS(0)"])
    }

    // Data and plain code of a DPL below the new CPL go; conforming code stays.
    @Test func `a return outwards makes what it protects null`() throws {
        for shape in DescriptorShape.all where shape.isSegment && shape.isPresent {
            for level in 1..<4 as Range<UInt8> {
                var machine = try SegmentMachine()
                for register in [SegmentRegister.es, .ds, .fs, .gs] {
                    machine.unit[register] = LoadedSegment(Selector(index: 20), shape.descriptor)
                }
                let code = UInt32(Selector(index: 5 + Int(level), rpl: level).rawValue)
                let stack = UInt32(Selector(index: 1 + Int(level), rpl: level).rawValue)
                try push([0, code, 0x30_0000, stack], on: &machine)
                let done = try machine.unit.farReturn(in: &machine.memory)
                let isCleared =
                    shape.dpl < level && !shape.isOne(of: DescriptorShape.conformingTypes)

                #expect(done.cleared == (isCleared ? [.es, .ds, .fs, .gs] : []))
                #expect(machine.unit[.ds].isUsable == !isCleared)
            }
        }
    }
}
