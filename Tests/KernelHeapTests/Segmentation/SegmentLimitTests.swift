import Testing

@testable import KernelHeap

@Suite("Segmentation: limits and rights of accesses")
struct SegmentLimitTests {
    /// The offsets that the manual gives a segment, as 64-bit numbers that cannot wrap.
    private func holds(_ d: SegmentDescriptor, _ offset: UInt64, _ count: UInt64) -> Bool {
        let isGranular = d.rawValue >> 55 & 1 == 1
        let limit = d.rawValue & 0xffff | (d.rawValue >> 48 & 15) << 16
        let effective = isGranular ? (limit + 1) * 4096 - 1 : limit
        let isExpandDown = d.rawValue >> 42 & 3 == 1
        let last = offset + count - 1
        guard isExpandDown else { return last <= effective }
        let upper: UInt64 = d.rawValue >> 54 & 1 == 1 ? 0xffff_ffff : 0xffff
        return offset > effective && last <= upper
    }

    private static let limits: [UInt32] = [
        0, 1, 3, 0xfff, 0xfffe, 0xffff, 0x10000, 0xffffe, 0xfffff,
    ]

    @Test("around each boundary, for every size", arguments: [false, true], [false, true])
    func boundaries(isGranular: Bool, isBig: Bool) {
        var wrong: [String] = []
        for (type, limit) in [UInt8(2), 6, 10, 14].flatMap({ t in Self.limits.map { (t, $0) } }) {
            var flags: SegmentDescriptor.Flags = [.segment, .present]
            if isGranular { flags.insert(.granular) }
            if isBig { flags.insert(.big) }
            let descriptor = SegmentDescriptor(
                base: 0,
                limit: limit,
                type: type,
                dpl: 0,
                flags: flags
            )
            let segment = LoadedSegment(.null, descriptor)
            let effective = isGranular ? UInt64(limit) << 12 | 0xfff : UInt64(limit)
            let edges: [UInt64] = [0, effective, 0xffff, 0x10000, 0xffff_ffff]
            for edge in edges {
                for distance in -9...9 {
                    let offset = UInt32(truncatingIfNeeded: Int64(edge) + Int64(distance))
                    for count in 1...8 as ClosedRange<UInt32> {
                        let expected = holds(descriptor, UInt64(offset), UInt64(count))
                        if segment.contains(offset, count: count) != expected {
                            wrong.append("type \(type) limit \(limit) at \(offset) + \(count)")
                        }
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test("small segments, every offset", arguments: [UInt8(2), 6])
    func everyOffset(type: UInt8) {
        for limit in 0...40 as ClosedRange<UInt32> {
            let descriptor = SegmentDescriptor(
                base: 0,
                limit: limit,
                type: type,
                dpl: 0,
                flags: [.segment, .present]
            )
            let segment = LoadedSegment(.null, descriptor)
            for offset in 0...50 as ClosedRange<UInt32> {
                for count in [1, 2, 4] as [UInt32] {
                    let expected = holds(descriptor, UInt64(offset), UInt64(count))
                    #expect(segment.contains(offset, count: count) == expected)
                }
            }
        }
    }

    // A 16-byte segment: the word at 12 is the last; one byte further it crosses the limit.
    @Test func `four bytes across the limit fault, through SS as #SS`() throws {
        var machine = try SegmentMachine()
        let small = SegmentDescriptor(
            base: 0x7000,
            limit: 15,
            type: 3,
            dpl: 0,
            flags: [.segment, .present]
        )
        try machine.set(20, small)
        for register in SegmentRegister.allCases where register != .cs {
            try machine.unit.load(register, Selector(index: 20), in: &machine.memory)
            let unit = machine.unit
            let last = try unit.linear(register, 12, count: 4, .write)
            let vector: SegmentFault.Vector = register == .ss ? .stack : .generalProtection

            #expect(last == 0x700c)
            for offset in 13...16 as ClosedRange<UInt32> {
                #expect(throws: SegmentFault(vector, 0, .beyondLimit)) {
                    try unit.linear(register, offset, count: 4, .read)
                }
            }
        }
    }

    @Test func `base and offset add up modulo 4 GiB`() throws {
        var unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        let descriptor = SegmentDescriptor(
            base: 0xffff_f000,
            limit: 0xfffff,
            type: 3,
            dpl: 0,
            flags: [.segment, .present, .granular, .big]
        )
        unit[.ds] = LoadedSegment(.null, descriptor)

        #expect(try unit.linear(.ds, 0x2000, count: 4, .read) == 0x1000)
    }

    @Test func `rights follow from the type, and fetches go through CS`() {
        var unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        for shape in DescriptorShape.all where shape.isSegment && shape.isPresent {
            for register in SegmentRegister.allCases {
                unit[register] = LoadedSegment(.null, shape.descriptor)
                let allowed: [(SegmentationUnit.Access, Bool)] = [
                    (.read, shape.isOne(of: DescriptorShape.readableTypes)),
                    (.write, shape.isOne(of: DescriptorShape.writableTypes)),
                    (.execute, shape.isOne(of: DescriptorShape.codeTypes) && register == .cs),
                ]
                for (access, isAllowed) in allowed {
                    // Flat expand-down segments have no byte at all.
                    let isEmpty = [4, 5, 6, 7].contains(shape.type)
                    let got = try? unit.linear(register, 0x1000, count: 4, access)
                    #expect(
                        (got != nil) == (isAllowed && !isEmpty),
                        "\(shape) \(register) \(access)"
                    )
                }
            }
        }
    }

    @Test func `a register that holds null faults at its first access`() {
        let unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        for register in SegmentRegister.allCases {
            let vector: SegmentFault.Vector = register == .ss ? .stack : .generalProtection
            #expect(throws: SegmentFault(vector, 0, .nullSegment)) {
                try unit.linear(register, 0, count: 1, .read)
            }
        }
    }
}

@Suite("Segmentation: real mode")
struct RealModeTests {
    @Test func `an address is the segment times sixteen and the offset`() throws {
        var memory = FlatMemory()
        var unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        unit.enterRealMode(isA20Open: true)
        for segment in [0, 1, 0x1234, 0xb800, 0xf000, 0xffff] as [UInt16] {
            for offset in [0, 1, 0x0010, 0x5678, 0xffff] as [UInt32] {
                try unit.load(.ds, Selector(rawValue: segment), in: &memory)
                let open = try unit.linear(.ds, offset, count: 1, .write)
                unit.isA20Open = false
                let wrapped = try unit.linear(.ds, offset, count: 1, .write)
                unit.isA20Open = true

                #expect(open == UInt32(segment) * 16 + offset)
                #expect(wrapped == (UInt32(segment) * 16 + offset) % 0x10_0000)
            }
        }
    }

    @Test func `a word across the end of a segment faults without error code`() throws {
        var unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        unit.enterRealMode(isA20Open: true)
        let machine = unit

        #expect(try machine.linear(.es, 0xfffc, count: 4, .read) == 0xfffc)
        #expect(throws: SegmentFault(.generalProtection, nil, .beyondLimit)) {
            try machine.linear(.es, 0xfffd, count: 4, .read)
        }
        #expect(throws: SegmentFault(.stack, nil, .beyondLimit)) {
            try machine.linear(.ss, 0xffff, count: 2, .read)
        }
    }

    @Test func `a far call pushes two words, and the return takes them back`() throws {
        var memory = FlatMemory()
        var unit = SegmentationUnit(gdtr: .init(base: 0, limit: 0))
        unit.enterRealMode(isA20Open: true)
        try unit.load(.ss, Selector(rawValue: 0x9000), in: &memory)
        unit.esp = 0x100
        unit.eip = 0x42
        let call = try unit.transfer(.call, to: Selector(rawValue: 0xf000), 0x10, in: &memory)
        let inside = unit
        let pushed = try memory.load(0x900fc, 4, isUser: false)
        let back = try unit.farReturn(in: &memory)

        #expect(call.path == .real && back.path == .real)
        #expect(inside[.cs].base == 0xf0000 && inside.eip == 0x10 && inside.esp == 0xfc)
        #expect(pushed == 0x0000_0042)
        #expect(unit[.cs].base == 0 && unit.eip == 0x42 && unit.esp == 0x100)
    }
}
