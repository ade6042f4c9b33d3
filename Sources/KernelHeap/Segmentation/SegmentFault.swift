/// An exception that segmentation raises, as the processor reports it.
public struct SegmentFault: Error, Hashable, Sendable {
    public enum Vector: UInt8, CaseIterable, Hashable, Sendable {
        case invalidOpcode = 6
        case invalidTSS = 10
        case notPresent = 11
        case stack = 12
        case generalProtection = 13
        case page = 14

        /// As manuals write it: `#GP`.
        public var name: String {
            switch self {
            case .invalidOpcode: "#UD"
            case .invalidTSS: "#TS"
            case .notPresent: "#NP"
            case .stack: "#SS"
            case .generalProtection: "#GP"
            case .page: "#PF"
            }
        }
    }

    /// The rule that was broken; the raw value is what clients see.
    public enum Reason: String, CaseIterable, Hashable, Sendable {
        case nullSelector = "null_selector"
        case outsideTable = "outside_table"
        case wrongType = "wrong_type"
        case privilege = "privilege"
        case absent = "not_present"
        case beyondLimit = "beyond_limit"
        case notReadable = "not_readable"
        case notWritable = "not_writable"
        case notExecutable = "not_executable"
        case nullSegment = "null_segment"
        case stackFull = "stack_full"
        case tssTooShort = "tss_too_short"
        case needsRing0 = "needs_ring_0"
        case notLoadable = "cs_is_loaded_by_far_transfers"
        case realMode = "real_mode"
        case pageFault = "page_fault"
    }

    public var vector: Vector
    /// What the processor pushes: index and TI of the selector, 0, or a page fault's bits.
    ///
    /// Nil where it pushes none: #UD, and all of real mode.
    public var errorCode: UInt32?
    public var reason: Reason
    /// CR2, of a page fault.
    public var address: UInt32?

    public init(_ vector: Vector, _ errorCode: UInt32?, _ reason: Reason, address: UInt32? = nil) {
        self.vector = vector
        self.errorCode = errorCode
        self.reason = reason
        self.address = address
    }

    /// A fault that names a selector.
    ///
    /// - Parameters:
    ///   - vector: which exception.
    ///   - selector: its index and TI go into the error code.
    ///   - reason: the broken rule.
    ///   - isExternal: EXT: an interrupt from outside led to it.
    init(
        _ vector: Vector,
        _ selector: Selector,
        _ reason: Reason,
        isExternal: Bool = false
    ) {
        let code = UInt32(selector.rawValue & ~3) | (isExternal ? 1 : 0)
        self.init(vector, code, reason)
    }
}
