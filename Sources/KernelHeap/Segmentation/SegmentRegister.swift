/// The six segment registers, by the processor's numbers.
public enum SegmentRegister: UInt8, CaseIterable, Hashable, Sendable {
    case es, cs, ss, ds, fs, gs

    public var name: String { String(describing: self) }
}

/// A segment register, LDTR or TR: the selector, and the hidden part that is used.
///
/// The hidden part is what the table held at the load. A later change of the table does not
/// reach it before the register is loaded again.
public struct LoadedSegment: Hashable, Sendable {
    public var selector: Selector
    /// Base, limit and attributes at the load; nothing that counts where `isUsable` is false.
    public var descriptor: SegmentDescriptor
    /// False after a null selector: the first access faults.
    public var isUsable: Bool

    public init(_ selector: Selector, _ descriptor: SegmentDescriptor) {
        self.selector = selector
        self.descriptor = descriptor
        isUsable = true
    }

    private init(unusable selector: Selector) {
        self.selector = selector
        descriptor = SegmentDescriptor(rawValue: 0)
        isUsable = false
    }

    /// A register loaded with a null selector, whose RPL stays visible.
    public static func null(_ selector: Selector = .null) -> LoadedSegment {
        LoadedSegment(unusable: selector)
    }

    /// As real mode loads it: 64 KiB from sixteen times the segment on, read and write.
    public static func real(_ segment: UInt16) -> LoadedSegment {
        LoadedSegment(
            Selector(rawValue: segment),
            SegmentDescriptor(
                base: UInt32(segment) << 4,
                limit: 0xffff,
                type: 3,
                dpl: 0,
                flags: [.segment, .present]
            )
        )
    }

    public var base: UInt32 { descriptor.base }
    /// The last byte's offset, or for expand-down the last that is not in.
    public var limit: UInt32 { descriptor.lastByte }

    /// Offsets that an access may touch.
    public var offsets: ClosedRange<UInt32>? {
        guard isUsable else { return nil }
        guard descriptor.isExpandDown else { return 0...limit }
        let top: UInt32 = descriptor.isBig ? .max : 0xffff
        return limit < top ? limit + 1...top : nil
    }

    /// Whether bytes from an offset on lie in the segment; ranges beyond 4 GiB do not.
    func contains(_ offset: UInt32, count: UInt32) -> Bool {
        guard let offsets, count > 0 else { return false }
        let (last, overflow) = offset.addingReportingOverflow(count - 1)
        return !overflow && offsets.contains(offset) && offsets.contains(last)
    }
}
