/// What a segment register is loaded with: which table, which entry, and with whose rights.
///
///     15                    3   2   1 0
///     | index               | TI | RPL |     TI: 0 GDT, 1 LDT
public struct Selector: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// - Parameters:
    ///   - index: of the descriptor; its low 13 bits count.
    ///   - isLocal: in the LDT.
    ///   - rpl: requested privilege level; its low 2 bits count.
    public init(index: Int, isLocal: Bool = false, rpl: UInt8 = 0) {
        let index = UInt16(truncatingIfNeeded: index) & 0x1fff
        rawValue = index << 3 | (isLocal ? 4 : 0) | UInt16(rpl & 3)
    }

    public var index: Int { Int(rawValue >> 3) }
    /// TI: the LDT is meant.
    public var isLocal: Bool { rawValue & 4 != 0 }
    /// Requested privilege level.
    public var rpl: UInt8 { UInt8(truncatingIfNeeded: rawValue & 3) }
    /// Entry 0 of the GDT, with any RPL: no segment.
    public var isNull: Bool { rawValue & ~3 == 0 }

    public static let null = Selector(rawValue: 0)

    func withRPL(_ rpl: UInt8) -> Selector {
        Selector(rawValue: rawValue & ~3 | UInt16(rpl & 3))
    }
}
