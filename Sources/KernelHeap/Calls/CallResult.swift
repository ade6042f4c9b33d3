/// What the C function returns.
public enum ReturnValue: Hashable, Sendable {
    case void
    case integer(Int64)
    case unsigned(UInt64)
    case boolean(Bool)
    /// A pointer; 0 is NULL.
    case pointer(UInt64)
}

/// A named fact of a result or of an explanation step, for JSON and for pictures.
public struct Fact: Hashable, Sendable {
    public let name: String
    public let value: FactValue

    public init(_ name: String, _ value: FactValue) {
        self.name = name
        self.value = value
    }
}

/// The value of a `Fact`.
public indirect enum FactValue: Hashable, Sendable {
    case null
    case number(Int64)
    case boolean(Bool)
    case text(String)
    /// Written as a hexadecimal string.
    case address(UInt64)
    /// Written as a hexadecimal dump without spaces.
    case bytes([UInt8])
    /// Written in text and hexadecimal, as all GFP flags are.
    case gfp(GFPFlags)
    case list([FactValue])
    case facts([Fact])
}

/// Pages as a result: the frame and where it lies.
public struct PagesDetail: Hashable, Sendable {
    public var pfn: PFN
    public var order: UInt8
    public var zone: ZoneType
    public var node: UInt8
    public var migrateType: MigrateType
    /// 0 for an unmapped highmem page.
    public var virtual: UInt64
    /// Single pages from `pfn` on, where an exact allocation gave more than one; else 0.
    public var exactPages: UInt32 = 0

    public init(
        pfn: PFN,
        order: UInt8,
        zone: ZoneType,
        node: UInt8,
        migrateType: MigrateType,
        virtual: UInt64
    ) {
        self.pfn = pfn
        self.order = order
        self.zone = zone
        self.node = node
        self.migrateType = migrateType
        self.virtual = virtual
    }
}

/// A slab object as a result.
///
/// The largest detail: five words, the last of them with bits to spare, in which `CallDetail` keeps
/// its tag. What is stored is then loaded in words, too, without waiting for a store of one byte.
public struct ObjectDetail: Hashable, Sendable {
    public var requested: UInt64
    public var allocated: UInt64
    /// First frame of the slab.
    public var slab: PFN
    /// The frame that holds the object's first byte.
    public var pfn: PFN
    /// Index of the cache; its name is `kernel.cacheName(_:)`.
    public var cache: CacheID
    /// A slab has at most 32,767.
    public var objectIndex: UInt16
    public var slabOrder: UInt16
    public var node: UInt8
    public var zone: ZoneType
}

/// How far a user copy came.
public struct UserCopyDetail: Hashable, Sendable {
    public var copied: UInt64
    public var notCopied: UInt64
    public var fault: UserFault?

    public init(copied: UInt64, notCopied: UInt64, fault: UserFault?) {
        self.copied = copied
        self.notCopied = notCopied
        self.fault = fault
    }
}

/// The place and reason at which a user copy stopped.
public struct UserFault: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        case notMapped = "not_mapped"
        case readOnly = "read_only"
        case noAccess = "no_access"
        /// A fetch from a page that may not be run.
        case notExecutable = "not_executable"
        /// The area shows a file that ends before the page.
        case beyondFile = "beyond_end_of_file"
        /// No address of the processor's: a general protection fault.
        case nonCanonical = "non_canonical"
        case outsideUserSpace = "outside_user_space"
        case outOfMemory = "out_of_memory"
        case tooLong = "longer_than_int_max"
        case kernelAddress = "kernel_address_not_mapped"
        /// A fault would bring the page, but the kernel must not take one.
        case faultsDisabled = "pagefault_disabled"
        /// Hardened usercopy does not let the kernel's buffer take part.
        case usercopyAbort = "usercopy_abort"
        /// A client changed the page tables: no entry of the kernel's own looks like that.
        case badPageTable = "bad_page_table"
        /// `fail_usercopy`: it was made to fail.
        case injected = "fail_usercopy"
    }

    public var address: LinearAddress
    public var reason: Reason
    /// The processor's error code, where a page fault found the reason.
    public var code: UInt32 = 0

    public init(address: LinearAddress, reason: Reason) {
        self.address = address
        self.reason = reason
    }
}

/// What a test or a picture needs to know beyond the return value.
public enum CallDetail: Sendable {
    case none
    case pages(PagesDetail)
    case object(ObjectDetail)
    case userCopy(UserCopyDetail)
    /// Anything rarer.
    case facts([Fact])
}

/// What a kernel call did: the C function's return value, its errno, and what happened.
public struct CallResult: Sendable {
    public var value: ReturnValue
    public var errno: Errno?
    public var detail: CallDetail

    @inlinable
    public init(_ value: ReturnValue, errno: Errno? = nil, detail: CallDetail = .none) {
        self.value = value
        self.errno = errno
        self.detail = detail
    }

    public static let void = CallResult(.void)

    /// A program's call that came from where no program runs.
    static let notInProcessContext = CallResult(
        .integer(-Int64(Errno.EINVAL.rawValue)),
        errno: .EINVAL,
        detail: .facts([Fact("refused", .text("programs run in process context"))])
    )
}

/// A result together with its place in the session: what a client is answered.
public struct CallOutcome: Sendable {
    /// The call's ordinal in the machine's life; the first call is 1.
    public var sequence: UInt64
    public var result: CallResult
    /// The kernel log lines that the call produced.
    public var log: ArraySlice<String>
    /// Empty unless it was asked for.
    public var explanation: [ExplanationStep]
    /// Misuse that the call was seen to do; the first ones where there were many.
    public var warnings: [MisuseWarning] = []
    /// Further ones that `warnings` has no room for.
    public var omittedWarnings = 0
    /// What the call was made to fail at; the first ones where there were many.
    public var injected: [InjectedFault] = []
    /// Whether forks of the machine were made for the explanation.
    public var hasTriedAlternatives = false
}
