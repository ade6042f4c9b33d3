@testable import KernelHeap

/// Linear memory of a test: bytes that were stored, zeros elsewhere.
struct FlatMemory: SegmentMemory {
    var bytes: [UInt32: UInt8] = [:]
    /// Pages that are not there.
    var absentPages: Set<UInt32> = []
    /// Whether pages are closed to CPL 3.
    var isSupervisorOnly = false

    func load(_ address: UInt32, _ count: Int, isUser: Bool) throws(SegmentFault) -> UInt64 {
        try check(address, isUser, code: 0)
        var word: UInt64 = 0
        for place in (0..<count).reversed() {
            word = word << 8 | UInt64(bytes[address &+ UInt32(place)] ?? 0)
        }
        return word
    }

    mutating func store(
        _ address: UInt32,
        _ count: Int,
        _ value: UInt64,
        isUser: Bool
    ) throws(SegmentFault) {
        try check(address, isUser, code: 2)
        for place in 0..<count {
            bytes[address &+ UInt32(place)] = UInt8(truncatingIfNeeded: value >> UInt64(place * 8))
        }
    }

    private func check(_ address: UInt32, _ isUser: Bool, code: UInt32) throws(SegmentFault) {
        guard !absentPages.contains(address >> 12), !(isUser && isSupervisorOnly) else {
            throw SegmentFault(.page, code, .pageFault, address: address)
        }
    }
}

/// A processor with a GDT of 32 entries at 0x1000, an LDT of 4 at 0x2000 and a TSS at 0x3000.
///
/// Entries 1 to 4 are flat stacks of DPL 0 to 3, 5 to 8 flat code of DPL 0 to 3; the TSS has a stack
/// for each inner level. Tests put what they examine into entry 20 and up.
struct SegmentMachine {
    static let gdt: UInt32 = 0x1000
    static let ldt: UInt32 = 0x2000
    static let tss: UInt32 = 0x3000

    var memory = FlatMemory()
    var unit = SegmentationUnit(gdtr: .init(base: gdt, limit: 0xff))

    init(cpl: UInt8 = 0) throws {
        for level in 0..<4 as Range<UInt8> {
            try set(1 + Int(level), Self.flat(type: 3, dpl: level))
            try set(5 + Int(level), Self.flat(type: 11, dpl: level))
        }
        let ldt = SegmentDescriptor(base: Self.ldt, limit: 31, type: 2, dpl: 0, flags: .present)
        unit.ldtr = LoadedSegment(Selector(index: 9), ldt)
        let tss = SegmentDescriptor(base: Self.tss, limit: 0x67, type: 11, dpl: 0, flags: .present)
        unit.tr = LoadedSegment(Selector(index: 10), tss)
        for level in 0..<3 as Range<UInt32> {
            try setInnerStack(level, Selector(index: 1 + Int(level), rpl: UInt8(level)))
        }
        try enter(cpl)
    }

    static func flat(type: UInt8, dpl: UInt8, isPresent: Bool = true) -> SegmentDescriptor {
        var flags: SegmentDescriptor.Flags = [.segment, .big, .granular]
        if isPresent { flags.insert(.present) }
        return SegmentDescriptor(base: 0, limit: 0xfffff, type: type, dpl: dpl, flags: flags)
    }

    mutating func set(_ index: Int, _ descriptor: SegmentDescriptor) throws {
        let place = Self.gdt + UInt32(index) * 8
        try memory.store(place, 8, descriptor.rawValue, isUser: false)
    }

    mutating func setLocal(_ index: Int, _ descriptor: SegmentDescriptor) throws {
        let place = Self.ldt + UInt32(index) * 8
        try memory.store(place, 8, descriptor.rawValue, isUser: false)
    }

    mutating func setInnerStack(_ level: UInt32, _ selector: Selector) throws {
        try memory.store(
            Self.tss + 4 + level * 8,
            4,
            0x10_0000 + UInt64(level) << 12,
            isUser: false
        )
        try memory.store(Self.tss + 8 + level * 8, 2, UInt64(selector.rawValue), isUser: false)
    }

    /// Runs flat code of a level on a flat stack.
    mutating func enter(_ cpl: UInt8) throws {
        unit.cpl = cpl
        let code = Selector(index: 5 + Int(cpl), rpl: cpl)
        let stack = Selector(index: 1 + Int(cpl), rpl: cpl)
        unit[.cs] = LoadedSegment(code, Self.flat(type: 11, dpl: cpl))
        unit[.ss] = LoadedSegment(stack, Self.flat(type: 3, dpl: cpl))
        unit.esp = 0x20_0000
        unit.eip = 0x1234
    }

    /// What a step came to: `ok` or a name of its own, or the exception as manuals write it.
    mutating func outcome(
        _ step: (inout SegmentationUnit, inout FlatMemory) throws(SegmentFault) -> String
    ) -> String {
        do {
            return try step(&unit, &memory)
        } catch {
            let code = error.errorCode.map { String($0, radix: 16) } ?? ""
            return "\(error.vector.name)(\(code))"
        }
    }
}

/// Every S, type, DPL and P that a descriptor can have.
struct DescriptorShape: Sendable {
    var isSegment: Bool
    var type: UInt8
    var dpl: UInt8
    var isPresent: Bool

    static let all: [DescriptorShape] = [false, true].flatMap { isSegment in
        (0..<16).flatMap { type in
            (0..<4).flatMap { dpl in
                [false, true].map {
                    DescriptorShape(isSegment: isSegment, type: type, dpl: dpl, isPresent: $0)
                }
            }
        }
    }

    /// Flat, with these bits.
    var descriptor: SegmentDescriptor {
        var flags: SegmentDescriptor.Flags = [.big, .granular]
        if isSegment { flags.insert(.segment) }
        if isPresent { flags.insert(.present) }
        return SegmentDescriptor(base: 0, limit: 0xfffff, type: type, dpl: dpl, flags: flags)
    }

    // The manual's table of code- and data-segment types.
    static let codeTypes: [UInt8] = [8, 9, 10, 11, 12, 13, 14, 15]
    static let conformingTypes: [UInt8] = [12, 13, 14, 15]
    static let readableTypes: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 14, 15]
    static let writableTypes: [UInt8] = [2, 3, 6, 7]

    func isOne(of types: [UInt8]) -> Bool { isSegment && types.contains(type) }
}
