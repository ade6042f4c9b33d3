/// An entry of the GDT, LDT or IDT: eight bytes.
///
///     63     56 55 54 53  52  51   48 47 46 45 44 43  40 39          16 15        0
///     | base   | G |D/B| L|AVL| limit | P | DPL | S | type | base          | limit     |   segment
///     | offset                        | P | DPL | 0 | type | count | selector | offset |   gate
///
/// S tells code and data from what the processor uses itself: LDTs, TSSs and gates.
public struct SegmentDescriptor: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The bits beside base, limit, type and DPL.
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64

        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// S: code or data.
        public static let segment = Flags(rawValue: 1 << 44)
        public static let present = Flags(rawValue: 1 << 47)
        /// AVL: the processor does not look at it.
        public static let available = Flags(rawValue: 1 << 52)
        /// L: 64-bit code; nothing in 32-bit modes.
        public static let long = Flags(rawValue: 1 << 53)
        /// D of code, B of stacks: 32-bit operands, addresses, stack pointer, upper bound.
        public static let big = Flags(rawValue: 1 << 54)
        /// G: the limit counts pages.
        public static let granular = Flags(rawValue: 1 << 55)

        static let all: Flags = [.segment, .present, .available, .long, .big, .granular]
        /// In the order of the bits.
        static let names: [(name: String, flag: Flags)] = [
            ("S", .segment), ("P", .present), ("AVL", .available), ("L", .long), ("D", .big),
            ("G", .granular),
        ]
    }

    /// - Parameters:
    ///   - base: linear address of the first byte.
    ///   - limit: the last offset, in bytes or pages; its low 20 bits count.
    ///   - type: 0 to 15.
    ///   - dpl: privilege level, 0 to 3.
    ///   - flags: the other bits.
    public init(base: UInt32, limit: UInt32, type: UInt8, dpl: UInt8, flags: Flags) {
        let limit = UInt64(limit)
        let base = UInt64(base)
        let low = limit & 0xffff | (base & 0xff_ffff) << 16 | UInt64(type & 15) << 40
        let high = UInt64(dpl & 3) << 45 | (limit >> 16 & 15) << 48 | (base >> 24) << 56
        rawValue = low | high | flags.intersection(.all).rawValue
    }

    public var base: UInt32 {
        UInt32(truncatingIfNeeded: rawValue >> 16 & 0xff_ffff | (rawValue >> 56) << 24)
    }
    /// As written: 20 bits, bytes or pages.
    public var limit: UInt32 {
        UInt32(truncatingIfNeeded: rawValue & 0xffff | rawValue >> 32 & 0xf_0000)
    }
    /// The same in bytes: the last offset that is in; for expand-down the last that is not.
    public var lastByte: UInt32 {
        flags.contains(.granular) ? limit << 12 | 0xfff : limit
    }
    public var type: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 40 & 15) }
    public var dpl: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 45 & 3) }
    public var flags: Flags { Flags(rawValue: rawValue).intersection(.all) }

    public var isPresent: Bool { flags.contains(.present) }
    public var isBig: Bool { flags.contains(.big) }
    public var isCode: Bool { flags.contains(.segment) && type & 8 != 0 }
    public var isData: Bool { flags.contains(.segment) && type & 8 == 0 }
    /// Code that runs with its caller's privilege.
    public var isConforming: Bool { isCode && type & 4 != 0 }
    /// Data whose offsets lie above the limit.
    public var isExpandDown: Bool { isData && type & 4 != 0 }
    public var isReadable: Bool { isData || (isCode && type & 2 != 0) }
    public var isWritable: Bool { isData && type & 2 != 0 }
    /// A: a segment register was loaded with it.
    public var isAccessed: Bool { flags.contains(.segment) && type & 1 != 0 }

    /// What the processor uses the entry for; nil for code, data and reserved types.
    public var system: SystemType? {
        flags.contains(.segment) ? nil : SystemType(rawValue: type)
    }

    /// The same with the accessed bit set.
    var accessed: SegmentDescriptor { SegmentDescriptor(rawValue: rawValue | 1 << 40) }
}

/// What a descriptor with S clear is for.
public enum SystemType: UInt8, CaseIterable, Hashable, Sendable {
    case availableTSS16 = 1
    case ldt = 2
    case busyTSS16 = 3
    case callGate16 = 4
    case taskGate = 5
    case interruptGate16 = 6
    case trapGate16 = 7
    case availableTSS32 = 9
    case busyTSS32 = 11
    case callGate32 = 12
    case interruptGate32 = 14
    case trapGate32 = 15

    /// Holds a selector and an offset instead of base and limit.
    public var isGate: Bool {
        switch self {
        case .callGate16, .taskGate, .interruptGate16, .trapGate16, .callGate32, .interruptGate32,
            .trapGate32:
            true
        case .availableTSS16, .ldt, .busyTSS16, .availableTSS32, .busyTSS32: false
        }
    }

    /// A TSS, a gate or a stack frame of 32 bits.
    public var is32Bit: Bool { rawValue & 8 != 0 }
}

/// The fields of a gate.
extension SegmentDescriptor {
    /// - Parameters:
    ///   - gate: its type.
    ///   - selector: of the code segment, or of the TSS.
    ///   - offset: where the code begins.
    ///   - dpl: who may use the gate.
    ///   - parameterCount: words that a call gate copies from the old stack, 0 to 31.
    ///   - isPresent: P.
    public init(
        gate: SystemType,
        selector: Selector,
        offset: UInt32,
        dpl: UInt8,
        parameterCount: UInt8 = 0,
        isPresent: Bool = true
    ) {
        let low = UInt64(offset & 0xffff) | UInt64(selector.rawValue) << 16
        let middle = UInt64(parameterCount & 31) << 32 | UInt64(gate.rawValue) << 40
        let high = UInt64(dpl & 3) << 45 | UInt64(offset >> 16) << 48
        rawValue = low | middle | high | (isPresent ? Flags.present.rawValue : 0)
    }

    public var gateSelector: Selector {
        Selector(rawValue: UInt16(truncatingIfNeeded: rawValue >> 16))
    }
    public var gateOffset: UInt32 {
        let offset = UInt32(truncatingIfNeeded: rawValue & 0xffff | rawValue >> 32 & 0xffff_0000)
        return system?.is32Bit == false ? offset & 0xffff : offset
    }
    public var gateParameterCount: Int { Int(rawValue >> 32 & 31) }
}
