/// The functions of `lib/string.c` that look at one string or at bytes.
let stringCalls: [any KernelCall.Type] = [
    Strlen.self, Strnlen.self, Strchr.self, Strnchr.self, Strrchr.self, Memchr.self, Memscan.self,
    MemchrInv.self,
]

private let stringParameter = Parameter("s", .address, "Where the string begins.")
private let characterParameter = Parameter("c", .int, "The character; its low byte counts.")
private let countParameter = Parameter("count", .size, "Bytes to look at, at most.", isWork: true)

extension CallResult {
    /// The answer of a kernel that does not have the function yet.
    static let laterFunction = CallResult(.void, errno: .ENOSYS)
}

extension Kernel {
    /// Whether the kernel is the 2.6.20 of the textbook.
    var isClassic: Bool { profile.platform == .classicI386 }

    /// The result of a loop that looks for a byte: its address, or a value where there is none.
    fileprivate mutating func placeResult(
        _ walk: ByteWalk,
        from address: UInt64,
        isThere: Bool,
        otherwise: UInt64 = 0
    ) -> CallResult {
        if let end = unreturned(walk, from: address) { return end }
        let place = (address &+ walk.length) & layout.addressMask
        return CallResult(.pointer(isThere ? place : otherwise))
    }
}

/// The call `size_t strlen(const char *s)`.
struct Strlen: KernelCall {
    static let signature = CallSignature(
        "strlen",
        returns: "size_t",
        [stringParameter],
        "Bytes of a string of kernel memory before its NUL.",
        takesLong: true
    )

    var string: UInt64

    init(_ arguments: borrowing CallArguments) { string = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkString(string, in: context)
        return kernel.unreturned(walk, from: string) ?? CallResult(.unsigned(walk.length))
    }
}

/// The call `size_t strnlen(const char *s, size_t count)`.
struct Strnlen: KernelCall {
    static let signature = CallSignature(
        "strnlen",
        returns: "size_t",
        [stringParameter, countParameter],
        "As strlen; count where there is no NUL in so many bytes, and none behind is read."
    )

    var string: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        count = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkBytes(string, count: count, "strnlen", in: context) { $0 == 0 }
        return kernel.unreturned(walk, from: string) ?? CallResult(.unsigned(walk.length))
    }
}

/// The call `char *strchr(const char *s, int c)`.
struct Strchr: KernelCall {
    static let signature = CallSignature(
        "strchr",
        returns: "char *",
        [stringParameter, characterParameter],
        "The first place of a character in a string, its NUL included; NULL where it is not there.",
        takesLong: true
    )

    var string: UInt64
    var character: UInt8

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        character = UInt8(truncatingIfNeeded: arguments.int(1))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var isThere = false
        let walk = kernel.walkBytes(string, "strchr", in: context) { byte in
            isThere = byte == character
            return isThere || byte == 0
        }
        return kernel.placeResult(walk, from: string, isThere: isThere)
    }
}

/// The call `char *strnchr(const char *s, size_t count, int c)`.
struct Strnchr: KernelCall {
    static let signature = CallSignature(
        "strnchr",
        returns: "char *",
        [stringParameter, countParameter, characterParameter],
        "As strchr, in so many bytes at most; 2.6.20 does not find the NUL."
    )

    var string: UInt64
    var count: UInt64
    var character: UInt8

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        count = arguments.word(1)
        character = UInt8(truncatingIfNeeded: arguments.int(2))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var isThere = false
        let walk = kernel.walkBytes(string, count: count, "strnchr", in: context) { byte in
            isThere = byte == character
            return isThere || byte == 0
        }
        let isBlind = kernel.isClassic && character == 0
        return kernel.placeResult(walk, from: string, isThere: isThere && !isBlind)
    }
}

/// The call `char *strrchr(const char *s, int c)`.
struct Strrchr: KernelCall {
    static let signature = CallSignature(
        "strrchr",
        returns: "char *",
        [stringParameter, characterParameter],
        "The last place of a character in a string, its NUL included; NULL where it is not there.",
        takesLong: true
    )

    var string: UInt64
    var character: UInt8

    init(_ arguments: borrowing CallArguments) {
        string = arguments.word(0)
        character = UInt8(truncatingIfNeeded: arguments.int(1))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var offset: UInt64 = 0
        var last: UInt64?
        let walk = kernel.walkBytes(string, "strrchr", in: context) { byte in
            if byte == character { last = offset }
            offset += 1
            return byte == 0
        }
        if let end = kernel.unreturned(walk, from: string) { return end }
        let place = last.map { (string &+ $0) & kernel.layout.addressMask }
        return CallResult(.pointer(place ?? 0))
    }
}

/// The call `void *memchr(const void *s, int c, size_t n)`.
struct Memchr: KernelCall {
    static let signature = CallSignature(
        "memchr",
        returns: "void *",
        [
            Parameter("s", .address, "Where to begin."), characterParameter,
            Parameter("n", .size, "Bytes to look at, at most.", isWork: true),
        ],
        "The first place of a byte in kernel memory; NULL where it is not there."
    )

    var start: UInt64
    var byte: UInt8
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        start = arguments.word(0)
        byte = UInt8(truncatingIfNeeded: arguments.int(1))
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkBytes(start, count: count, "memchr", in: context) { $0 == byte }
        return kernel.placeResult(walk, from: start, isThere: walk.isFound)
    }
}

/// The call `void *memscan(void *addr, int c, size_t size)`.
struct Memscan: KernelCall {
    static let signature = CallSignature(
        "memscan",
        returns: "void *",
        [
            Parameter("addr", .address, "Where to begin."), characterParameter,
            Parameter("size", .size, "Bytes to look at, at most.", isWork: true),
        ],
        "As memchr; the first byte behind the memory where the byte is not there."
    )

    var start: UInt64
    var byte: UInt8
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        start = arguments.word(0)
        byte = UInt8(truncatingIfNeeded: arguments.int(1))
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkBytes(start, count: count, "memscan", in: context) { $0 == byte }
        return kernel.placeResult(walk, from: start, isThere: true)
    }
}

/// The call `void *memchr_inv(const void *start, int c, size_t bytes)`.
struct MemchrInv: KernelCall {
    static let signature = CallSignature(
        "memchr_inv",
        returns: "void *",
        [
            Parameter("start", .address, "Where to begin."),
            Parameter("c", .int, "The byte that all should be."),
            Parameter("bytes", .size, "Bytes to look at, at most.", isWork: true),
        ],
        "The first byte that is another one; NULL where all are the same."
    )

    var start: UInt64
    var byte: UInt8
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        start = arguments.word(0)
        byte = UInt8(truncatingIfNeeded: arguments.int(1))
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.isClassic { return .laterFunction }
        let walk = kernel.scanBytes(start, count: count, in: context) { $0 != byte }
        kernel.noteWalk(walk, loads(of: walk), "memchr_inv", in: context)
        return kernel.placeResult(walk, from: start, isThere: walk.isFound)
    }

    /// Of more than sixteen bytes those that fill aligned words are loaded as words.
    private func loads(of walk: ByteWalk) -> [AccessRun] {
        guard count > 16 else { return [AccessRun(address: start, length: walk.touched)] }
        let before = min((0 &- start) % 8, walk.touched)
        let inWords = (count - (0 &- start) % 8) / 8 * 8
        let words = min((walk.touched - before + 7) / 8 * 8, inWords)
        let behind = before + words
        return [
            AccessRun(address: start, length: before),
            AccessRun(address: start &+ before, length: words, unit: 8),
            AccessRun(
                address: start &+ behind,
                length: walk.touched - min(behind, walk.touched)
            ),
        ]
    }
}
