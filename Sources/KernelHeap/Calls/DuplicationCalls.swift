/// Copies of memory and of strings, in memory from `kmalloc`.
let duplicationCalls: [any KernelCall.Type] = [
    Kmemdup.self, Kstrdup.self, Kstrndup.self, KmemdupNul.self,
]

/// Most bytes that one call copies.
private let copyLimit: UInt64 = 1 << 20
private let flagsParameter = Parameter("gfp", .gfp, "How the allocation may behave.")
private let stringParameter = Parameter(
    "s",
    .text,
    "The string itself; left out, it is NULL.",
    optional: true
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
        guard case .pointer(let address) = result.value, address > Kernel.zeroSizePointer else {
            return result
        }
        // Its memcpy() does nothing where the sanitizer has something to report.
        guard kernel.checkShadow(source, length, isWrite: false, "kmemdup", in: context) else {
            return result
        }
        let (bytes, fault) = kernel.loadKernel(source, length, in: context)
        kernel.checkAccess(source, UInt64(bytes.count), isWrite: false)
        kernel.writeKernel(address, bytes)
        if let fault {
            kernel.logAccessFault(at: source &+ UInt64(bytes.count), code: fault.code)
        }
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

    var string: String?
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.has(0) ? arguments.text(0) : nil
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? {
        string.map { .object(bytes: UInt64($0.utf8.count) + 1, flags: flags) }
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let string else { return CallResult(.pointer(0)) }
        return kernel.duplicate(Array(string.utf8) + [0], flags: flags, in: context)
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

    var string: String?
    var length: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.has(0) ? arguments.text(0) : nil
        length = arguments.word(1)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? {
        string.map { string in
            let bytes = min(UInt64(string.utf8.count), length)
            return .object(bytes: bytes + 1, flags: flags)
        }
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let string else { return CallResult(.pointer(0)) }
        let bytes = string.utf8.prefix(Int(clamping: length))
        return kernel.duplicate(Array(bytes) + [0], flags: flags, in: context)
    }
}

/// The call `char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)`.
struct KmemdupNul: MemoryRequestingCall {
    static let signature = CallSignature(
        "kmemdup_nul",
        returns: "char *",
        [
            stringParameter,
            Parameter("len", .size, "Bytes; those beyond the string are 0.", maximum: copyLimit),
            flagsParameter,
        ],
        "Copies bytes and a NUL into new memory; NULL for NULL."
    )

    var string: String?
    var length: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        string = arguments.has(0) ? arguments.text(0) : nil
        length = min(arguments.word(1), copyLimit)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? {
        string == nil ? nil : .object(bytes: length + 1, flags: flags)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let string else { return CallResult(.pointer(0)) }
        var bytes = Array(string.utf8.prefix(Int(length)))
        bytes += [UInt8](repeating: 0, count: Int(length) - bytes.count + 1)
        return kernel.duplicate(bytes, flags: flags, in: context)
    }
}
