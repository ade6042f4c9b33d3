/// Changing the size of `kmalloc`'s memory, and what rounding makes of a size.
let reallocationCalls: [any KernelCall.Type] = [
    Krealloc.self, KreallocArray.self, KfreeSensitive.self, KmallocSizeRoundup.self,
]

private let flagsParameter = Parameter("flags", .gfp, "How the allocation may behave.")
private let pointerParameter = Parameter("p", .address, "What kmalloc returned, or NULL.")

extension Kernel {
    fileprivate mutating func reallocationResult(
        _ address: UInt64,
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> CallResult {
        switch reallocate(address, size: size, flags: flags, in: context) {
        case .inPlace(let address):
            return CallResult(
                .pointer(address),
                detail: .facts([Fact("moved", .boolean(false))])
            )
        case .allocated(let outcome): return result(of: outcome, requested: size)
        }
    }
}

/// The call `void *krealloc(const void *p, size_t new_size, gfp_t flags)`.
struct Krealloc: MemoryRequestingCall {
    static let signature = CallSignature(
        "krealloc",
        returns: "void *",
        [pointerParameter, Parameter("new_size", .size, "Bytes; 0 frees."), flagsParameter],
        "Makes memory larger, in place where it has room.",
        takesNull: true
    )

    var address: UInt64
    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        size = arguments.word(1)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? { .object(bytes: size, flags: flags) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.reallocationResult(address, size: size, flags: flags, in: context)
    }
}

/// The call `void *krealloc_array(void *p, size_t new_n, size_t new_size, gfp_t flags)`.
struct KreallocArray: MemoryRequestingCall {
    static let signature = CallSignature(
        "krealloc_array",
        returns: "void *",
        [
            pointerParameter, Parameter("new_n", .size, "Elements."),
            Parameter("new_size", .size, "Bytes of an element."), flagsParameter,
        ],
        "Makes an array larger; NULL where the product overflows, and the old array stays.",
        takesNull: true
    )

    var address: UInt64
    var count: UInt64
    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.word(1)
        size = arguments.word(2)
        flags = arguments.gfp(3)
    }

    var memoryRequest: MemoryRequest? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? nil : .object(bytes: bytes, flags: flags)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow else { return CallResult(.pointer(0)) }
        return kernel.reallocationResult(address, size: bytes, flags: flags, in: context)
    }
}

/// The call `void kfree_sensitive(const void *objp)`.
struct KfreeSensitive: KernelCall {
    static let signature = CallSignature(
        "kfree_sensitive",
        returns: "void",
        [Parameter("objp", .address, "What kmalloc returned; NULL is ignored.")],
        "Clears memory and gives it back.",
        takesNull: true
    )

    var address: LinearAddress

    init(_ arguments: borrowing CallArguments) { address = arguments.address(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.kfreeSensitive(address, in: context)
        return .void
    }
}

/// The call `size_t kmalloc_size_roundup(size_t size)`.
struct KmallocSizeRoundup: KernelCall {
    static let signature = CallSignature(
        "kmalloc_size_roundup",
        returns: "size_t",
        [Parameter("size", .size, "Bytes.")],
        "The bytes that kmalloc would really give."
    )

    var size: UInt64

    init(_ arguments: borrowing CallArguments) { size = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.unsigned(kernel.kmallocSizeRoundup(size)))
    }
}
