/// The segmentation of one processor in its 32-bit and 16-bit modes.
///
///     logical            selector : offset
///                           │          │
///     GDTR ─→ GDT ─┐        ▼          │ ≤ limit, rights
///     LDTR ─→ LDT ─┴→ descriptor ──→ base + offset  =  linear  ──paging──→  physical
///                     (hidden part)
///
/// A register is loaded through checks (`SegmentationUnit+Loading`), an access is checked against
/// the hidden part alone (`+Access`), and privilege changes by far transfers only (`+Transfers`,
/// `+Gates`, `+Return`). The rules are those of the processor's manual, volumes 2 and 3. Tables and
/// stacks are bytes of memory; a fault leaves the unit as it was.
public struct SegmentationUnit: Sendable {
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        case real, protected
    }

    /// GDTR: where the table is, and its last byte.
    public struct TableRegister: Hashable, Sendable {
        public var base: UInt32
        public var limit: UInt16

        public init(base: UInt32, limit: UInt16) {
            self.base = base
            self.limit = limit
        }
    }

    public internal(set) var mode = Mode.protected
    /// Whether bit 20 of addresses gets through in real mode; otherwise they wrap at 1 MiB.
    public internal(set) var isA20Open = true
    /// Current privilege level.
    public internal(set) var cpl: UInt8 = 0
    public internal(set) var gdtr: TableRegister
    public internal(set) var ldtr = LoadedSegment.null()
    public internal(set) var tr = LoadedSegment.null()
    public internal(set) var eip: UInt32 = 0
    public internal(set) var esp: UInt32 = 0
    private var registers = InlineArray<6, LoadedSegment>(repeating: .null())

    /// A processor in protected mode at CPL 0, all registers null.
    public init(gdtr: TableRegister) { self.gdtr = gdtr }

    public internal(set) subscript(register: SegmentRegister) -> LoadedSegment {
        get { registers[Int(register.rawValue)] }
        set { registers[Int(register.rawValue)] = newValue }
    }

    /// At CPL 3, where page tables distinguish.
    var isUser: Bool { cpl == 3 }

    /// Enters real mode as a reset leaves it, but for CS: all segments at 0, of 64 KiB.
    ///
    /// - Parameter isA20Open: whether addresses go on behind 1 MiB.
    mutating func enterRealMode(isA20Open: Bool) {
        mode = .real
        self.isA20Open = isA20Open
        cpl = 0
        for register in SegmentRegister.allCases { self[register] = .real(0) }
        ldtr = .null()
        tr = .null()
        eip = 0
        esp = 0
    }
}
