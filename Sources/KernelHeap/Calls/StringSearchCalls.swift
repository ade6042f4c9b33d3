/// The functions of `lib/string.c` that hold two strings against each other.
let stringSearchCalls: [any KernelCall.Type] = [
    Memcmp.self, Strcmp.self, Strncmp.self, Strstr.self, Strnstr.self,
]

private let leftParameter = Parameter("cs", .address, "One place.")
private let rightParameter = Parameter("ct", .address, "The other.")

/// The call `int memcmp(const void *cs, const void *ct, size_t count)`.
struct Memcmp: KernelCall {
    static let signature = CallSignature(
        "memcmp",
        returns: "int",
        [
            leftParameter, rightParameter,
            Parameter("count", .size, "Bytes.", isWork: true),
        ],
        "Compares kernel memory; returns the difference of the first bytes that are not the same."
    )

    var left: UInt64
    var right: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        left = arguments.word(0)
        right = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let comparison = kernel.compareBytes(
            left,
            right,
            count: count,
            // Whole words while there are as many bytes, from 5.17 on.
            unit: kernel.isClassic ? 1 : kernel.layout.wordBytes,
            "memcmp",
            in: context
        )
        return kernel.unreturned(comparison) ?? CallResult(.integer(comparison.difference))
    }
}

/// The call `int strcmp(const char *cs, const char *ct)`.
struct Strcmp: KernelCall {
    static let signature = CallSignature(
        "strcmp",
        returns: "int",
        [leftParameter, rightParameter],
        "Compares strings of kernel memory: -1, 0 or 1.",
        takesLong: true
    )

    var left: UInt64
    var right: UInt64

    init(_ arguments: borrowing CallArguments) {
        left = arguments.word(0)
        right = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let comparison = kernel.compareBytes(
            left,
            right,
            stopsAtNUL: true,
            "strcmp",
            in: context
        )
        return kernel.unreturned(comparison) ?? CallResult(.integer(comparison.order))
    }
}

/// The call `int strncmp(const char *cs, const char *ct, size_t count)`.
struct Strncmp: KernelCall {
    static let signature = CallSignature(
        "strncmp",
        returns: "int",
        [
            leftParameter, rightParameter,
            Parameter("count", .size, "Bytes to compare, at most.", isWork: true),
        ],
        "Compares the starts of strings of kernel memory: -1, 0 or 1."
    )

    var left: UInt64
    var right: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        left = arguments.word(0)
        right = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let comparison = kernel.compareBytes(
            left,
            right,
            count: count,
            stopsAtNUL: true,
            "strncmp",
            in: context
        )
        return kernel.unreturned(comparison) ?? CallResult(.integer(comparison.order))
    }
}

/// The call `char *strstr(const char *s1, const char *s2)`.
struct Strstr: KernelCall {
    static let signature = CallSignature(
        "strstr",
        returns: "char *",
        [
            Parameter("s1", .address, "The string to be searched."),
            Parameter("s2", .address, "What to search for."),
        ],
        "The first place of one string in another; NULL where it is not there.",
        takesLong: true
    )

    var string: UInt64
    var part: UInt64

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        part = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let sought = kernel.walkString(part, in: context)
        if let end = kernel.unreturned(sought, from: part) { return end }
        guard sought.length > 0 else { return CallResult(.pointer(string)) }
        guard var search = kernel.search(part, sought.length, in: context) else {
            return .unfinished
        }
        // The assembly of 32-bit kernels searches at once; lib/string.c asks for the length first.
        if kernel.layout.is32Bit {
            let walk = kernel.walkBytes(string, "strstr", in: context) { search.ends(with: $0) }
            return kernel.result(of: search, walk, from: string)
        }
        let whole = kernel.walkString(string, in: context)
        if let end = kernel.unreturned(whole, from: string) { return end }
        let walk = kernel.scanBytes(string, count: whole.length, in: context) {
            search.ends(with: $0)
        }
        return kernel.result(of: search, walk, from: string)
    }
}

/// The call `char *strnstr(const char *s1, const char *s2, size_t len)`.
struct Strnstr: KernelCall {
    static let signature = CallSignature(
        "strnstr",
        returns: "char *",
        [
            Parameter("s1", .address, "The memory to be searched; a NUL in it ends nothing."),
            Parameter("s2", .address, "What to search for."),
            Parameter("len", .size, "Bytes to be searched.", isWork: true),
        ],
        "The first place of a string in so many bytes; NULL where it is not there.",
        takesLong: true
    )

    var string: UInt64
    var part: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        part = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.isClassic { return .laterFunction }
        let sought = kernel.walkString(part, in: context)
        if let end = kernel.unreturned(sought, from: part) { return end }
        guard sought.length > 0 else { return CallResult(.pointer(string)) }
        guard count >= sought.length else { return CallResult(.pointer(0)) }
        guard var search = kernel.search(part, sought.length, in: context) else {
            return .unfinished
        }
        search.stopsAtNUL = false
        // Nothing is compared of a place that has too few bytes behind it.
        let walk = kernel.walkBytes(string, count: count, "memcmp", in: context) { byte in
            search.ends(with: byte, before: count)
        }
        return kernel.result(of: search, walk, from: string)
    }
}

extension Kernel {
    /// Most bytes of what is searched for.
    private static let soughtLimit: UInt64 = 1 << 20

    /// A search for a string.
    ///
    /// - Parameters:
    ///   - address: of a string that was just read.
    ///   - length: its bytes; at least one.
    ///   - context: of the caller.
    /// - Returns: nil where the string is longer than any that is searched for here.
    fileprivate mutating func search(
        _ address: UInt64,
        _ length: UInt64,
        in context: CallContext
    ) -> ByteSearch? {
        guard length <= Self.soughtLimit else { return nil }
        let (bytes, _) = loadKernel(address, length, in: context)
        return ByteSearch(for: bytes)
    }

    fileprivate mutating func result(
        of search: ByteSearch,
        _ walk: ByteWalk,
        from address: UInt64
    ) -> CallResult {
        if let end = unreturned(walk, from: address) { return end }
        let place = search.place.map { (address &+ $0) & layout.addressMask }
        return CallResult(.pointer(place ?? 0))
    }
}
