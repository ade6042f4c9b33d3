/// What one parameter of a kernel call takes, and therefore how it is written on the wire.
public enum ParameterType: Hashable, Sendable {
    /// An unsigned number: a `size_t`, a count, an order. At most `bits` wide.
    case unsigned(bits: Int)
    /// A signed number of at most `bits`, kept as its two's complement.
    case signed(bits: Int)
    /// `gfp_t`: text, a list of names, or a number in the machine's own numbering.
    case gfp
    /// Any pointer: a hexadecimal string or a number.
    case address
    /// A `struct page *`: its address as text, or its PFN as a plain number.
    case page
    /// A `struct kmem_cache *`: its address as text, or the cache's name.
    case cache
    /// A lock: a name of the client's own, or the address of its `spinlock_t`.
    case lock
    /// A `struct device *`: its address as text, or the device's name.
    case device
    /// `PROT_READ|PROT_WRITE`, and so on: names joined by `|`, a list, or a number.
    case names(FlagNames)
    case boolean
    /// Bytes: `{"hex":}`, `{"text":}`, `{"base64":}` or `{"fill":,"length":}`. Kept as a payload.
    case bytes
    /// Text, such as a name. Kept as a payload.
    case text
    /// A C string: text, kept as a payload, or the address where one lies in kernel memory.
    case cString
    /// A list of pointers. Kept as a payload.
    case addresses
    /// A driver: for each of its methods a list of steps. Kept as a payload.
    case driver
    /// What a callback does: one list of steps. Kept as a payload.
    case steps

    /// A `size_t`.
    public static let size = ParameterType.unsigned(bits: 64)
    /// An `unsigned int`.
    public static let uint = ParameterType.unsigned(bits: 32)
    /// An `int`.
    public static let int = ParameterType.signed(bits: 32)
}

/// A closed set of names for bits, such as the `PROT_*` and `MAP_*` values of `mmap`.
public struct FlagNames: Hashable, Sendable {
    public let title: String
    public let names: [FlagName]

    public init(_ title: String, _ names: [FlagName]) {
        self.title = title
        self.names = names
    }
}

/// One name of a `FlagNames` set and the bits that it stands for.
public struct FlagName: Hashable, Sendable {
    public let name: String
    public let bits: UInt64

    public init(_ name: String, _ bits: UInt64) {
        self.name = name
        self.bits = bits
    }
}

/// A parameter of a kernel call, named as in the C function.
public struct Parameter: Hashable, Sendable {
    public let name: String
    public let type: ParameterType
    public let isOptional: Bool
    /// One sentence with the unit, for `GET …/functions`.
    public let summary: String
    /// The largest number that the service runs; nil where the kernel itself decides.
    public let maximum: UInt64?
    /// The call's time grows with this number of bytes: a service runs large ones apart.
    public let isWork: Bool
    /// A number that keeps its bits on 32-bit machines, where a `size_t` has 32.
    public let isFixedWidth: Bool

    public init(
        _ name: String,
        _ type: ParameterType,
        _ summary: String,
        optional: Bool = false,
        maximum: UInt64? = nil,
        isWork: Bool = false,
        isFixedWidth: Bool = false
    ) {
        self.name = name
        self.type = type
        self.summary = summary
        self.isOptional = optional
        self.maximum = maximum
        self.isWork = isWork
        self.isFixedWidth = isFixedWidth
    }

    /// Bits of a number on a machine.
    ///
    /// - Parameter is32Bit: whether an `unsigned long` has 32 bits there.
    /// - Returns: nil for what is no number.
    public func bits(is32Bit: Bool) -> Int? {
        switch type {
        case .unsigned(let bits): is32Bit && !isFixedWidth ? min(bits, 32) : bits
        case .signed(let bits): bits
        default: nil
        }
    }
}

/// The C declaration of a kernel call, as far as a client needs it.
public struct CallSignature: Sendable {
    /// The C function's name.
    public let name: String
    /// The C return type, as text: `void *`, `unsigned long`, `void`.
    public let returns: String
    public let parameters: [Parameter]
    /// One sentence on what the function does.
    public let summary: String
    /// Machines in 64-bit mode do not offer it: there it is -ENOSYS.
    public let needs32Bit: Bool
    /// Methods of a driver run in it: they may not call it themselves, and it may take long.
    public let runsMethods: Bool
    /// Its time grows with what the machine holds, not with an argument: a service runs it apart.
    public let takesLong: Bool
    /// A program makes it: only where its process is in nobody's way.
    public let isSystemCall: Bool
    /// It frees the vmalloc area at its first argument, and takes as long as that is large.
    public let freesArea: Bool
    /// NULL is no mistake in any of its addresses: most of them do nothing then.
    public let takesNull: Bool

    /// Whether one call may add much to what a machine holds, or take long.
    public var isLarge: Bool { takesLong || runsMethods || parameters.contains(where: \.isWork) }

    public init(
        _ name: String,
        returns: String,
        _ parameters: [Parameter],
        _ summary: String,
        needs32Bit: Bool = false,
        runsMethods: Bool = false,
        takesLong: Bool = false,
        isSystemCall: Bool = false,
        freesArea: Bool = false,
        takesNull: Bool = false
    ) {
        self.name = name
        self.returns = returns
        self.parameters = parameters
        self.summary = summary
        self.needs32Bit = needs32Bit
        self.runsMethods = runsMethods
        self.takesLong = takesLong
        self.isSystemCall = isSystemCall
        self.freesArea = freesArea
        self.takesNull = takesNull
    }
}
