/// Copies of memory and of strings, in memory from `kmalloc`.
let duplicationCalls: [any KernelCall.Type] = [
    Kmemdup.self, Kstrdup.self, Kstrndup.self, KmemdupNul.self,
]

/// Most bytes that one call copies.
private let copyLimit: UInt64 = 1 << 20
private let flagsParameter = Parameter("gfp", .gfp, "How the allocation may behave.")
private let stringParameter = Parameter(
    "s",
    .cString,
    "The string itself, or where it lies; left out, it is NULL.",
    optional: true,
    // Text is short; a string in memory may be as long as memory.
    isWork: true
)

extension Kernel {
    /// A copy of bytes in new memory.
    fileprivate mutating func duplicate(
        _ bytes: [UInt8],
        flags: GFPFlags,
        in context: CallContext
    ) -> CallResult {
        let result = kmallocResult(size: UInt64(bytes.count), flags: flags, in: context)
        if case .pointer(let address) = result.value, address > Self.zeroSizePointer {
            writeKernel(address, bytes)
        }
        return result
    }

    /// Copies kernel memory into memory that was allocated for it.
    ///
    /// - Parameters:
    ///   - result: of the allocation.
    ///   - source: where to copy from.
    ///   - count: bytes.
    ///   - isTerminated: whether a NUL comes behind them.
    ///   - function: whose code it is.
    ///   - context: of the caller.
    mutating func fill(
        _ result: CallResult,
        from source: UInt64,
        _ count: UInt64,
        isTerminated: Bool = false,
        _ function: StaticString,
        in context: CallContext
    ) {
        guard case .pointer(let address) = result.value, address > Self.zeroSizePointer else {
            return
        }
        // Its memcpy() does nothing where the sanitizer has something to report.
        if checkShadow(source, count, isWrite: false, function, in: context) {
            let unwritten = unwrittenParts(source, count)
            let (bytes, fault) = loadKernel(source, count, in: context)
            checkAccess(source, UInt64(bytes.count), isWrite: false)
            writeKernel(address, bytes)
            noteUnwritten(unwritten, at: address, stored: 0..<UInt64(bytes.count))
            if let fault {
                return logAccessFault(at: source &+ UInt64(bytes.count), code: fault.code)
            }
        }
        if isTerminated { writeKernel(address &+ count, [0]) }
    }
}

/// The call `void *kmemdup(const void *src, size_t len, gfp_t gfp)`.
struct Kmemdup: MemoryRequestingCall {
    static let signature = CallSignature(
        "kmemdup",
        returns: "void *",
        [
            Parameter("src", .address, "Kernel memory to copy."),
            Parameter("len", .size, "Bytes.", maximum: copyLimit), flagsParameter,
        ],
        "Copies kernel memory into new memory."
    )

    var source: UInt64
    var length: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        source = arguments.word(0)
        length = min(arguments.word(1), copyLimit)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? { .object(bytes: length, flags: flags) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let result = kernel.kmallocResult(size: length, flags: flags, in: context)
        kernel.fill(result, from: source, length, "kmemdup", in: context)
        return result
    }
}

/// The call `char *kstrdup(const char *s, gfp_t gfp)`.
struct Kstrdup: MemoryRequestingCall {
    static let signature = CallSignature(
        "kstrdup",
        returns: "char *",
        [stringParameter, flagsParameter],
        "Copies a string with its NUL into new memory; NULL for NULL."
    )

    var string: StringArgument?
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.string(0)
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? {
        string?.text.map { .object(bytes: UInt64($0.utf8.count) + 1, flags: flags) }
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        switch string {
        case nil: return CallResult(.pointer(0))
        case .text(let text):
            return kernel.duplicate(Array(text.utf8) + [0], flags: flags, in: context)
        case .address(let address):
            let walk = kernel.walkString(address, in: context)
            if let end = kernel.unreturned(walk, from: address) { return end }
            let result = kernel.kmallocResult(size: walk.length + 1, flags: flags, in: context)
            kernel.fill(result, from: address, walk.length + 1, "kstrdup", in: context)
            return result
        }
    }
}

/// The call `char *kstrndup(const char *s, size_t max, gfp_t gfp)`.
struct Kstrndup: MemoryRequestingCall {
    static let signature = CallSignature(
        "kstrndup",
        returns: "char *",
        [stringParameter, Parameter("max", .size, "Most bytes to copy."), flagsParameter],
        "Copies the start of a string and a NUL into new memory; NULL for NULL."
    )

    var string: StringArgument?
    var length: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.string(0)
        length = arguments.word(1)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? {
        string?.text.map { string in
            let bytes = min(UInt64(string.utf8.count), length)
            return .object(bytes: bytes + 1, flags: flags)
        }
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        switch string {
        case nil: return CallResult(.pointer(0))
        case .text(let text):
            let bytes = text.utf8.prefix(Int(clamping: length))
            return kernel.duplicate(Array(bytes) + [0], flags: flags, in: context)
        case .address(let address):
            let walk = kernel.walkBytes(address, count: length, "strnlen", in: context) { $0 == 0 }
            if let end = kernel.unreturned(walk, from: address) { return end }
            let result = kernel.kmallocResult(size: walk.length + 1, flags: flags, in: context)
            kernel.fill(
                result,
                from: address,
                walk.length,
                isTerminated: true,
                "kstrndup",
                in: context
            )
            return result
        }
    }
}

/// The call `char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)`.
struct KmemdupNul: MemoryRequestingCall {
    static let signature = CallSignature(
        "kmemdup_nul",
        returns: "char *",
        [
            stringParameter,
            Parameter("len", .size, "Bytes; those beyond text are 0.", maximum: copyLimit),
            flagsParameter,
        ],
        "Copies bytes and a NUL into new memory; NULL for NULL."
    )

    var string: StringArgument?
    var length: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.string(0)
        length = min(arguments.word(1), copyLimit)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? {
        string?.text == nil ? nil : .object(bytes: length + 1, flags: flags)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        switch string {
        case nil: return CallResult(.pointer(0))
        case .text(let text):
            var bytes = Array(text.utf8.prefix(Int(length)))
            bytes += [UInt8](repeating: 0, count: Int(length) - bytes.count + 1)
            return kernel.duplicate(bytes, flags: flags, in: context)
        case .address(let address):
            let result = kernel.kmallocResult(size: length + 1, flags: flags, in: context)
            kernel.fill(
                result,
                from: address,
                length,
                isTerminated: true,
                "kmemdup_nul",
                in: context
            )
            return result
        }
    }
}
