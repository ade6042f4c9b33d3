/// The `kmalloc` family.
let kmallocCalls: [any KernelCall.Type] = [
    Kmalloc.self, Kzalloc.self, Kcalloc.self, KmallocArray.self, Kfree.self, Ksize.self,
]

private let flagsParameter = Parameter("flags", .gfp, "How the allocation may behave.")
private let sizeParameter = Parameter("size", .size, "Bytes.")

extension Kernel {
    /// Allocates and describes: what every call of the family answers with.
    mutating func kmallocResult(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> CallResult {
        result(of: allocate(size: size, flags: flags, in: context), requested: size)
    }

    /// The address of an allocation and where it lies.
    func result(of outcome: KmallocOutcome, requested: UInt64) -> CallResult {
        let detail: CallDetail =
            switch outcome {
            case .null, .zeroSize: .none
            case .stray(let address): strayDetail(address, requested: requested)
            case .object(let object, let cache):
                .object(self.detail(of: object, cache: cache, requested: requested))
            case .large(let pfn, _): .pages(self.detail(of: pfn))
            }
        return CallResult(.pointer(address(of: outcome)), detail: detail)
    }
}

/// The call `void *kmalloc(size_t size, gfp_t flags)`.
public struct Kmalloc: KernelCall, MemoryRequestingCall {
    public static let signature = CallSignature(
        "kmalloc",
        returns: "void *",
        [sizeParameter, flagsParameter],
        "Allocates physically contiguous bytes, not cleared."
    )

    var size: UInt64
    var flags: GFPFlags

    public init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? { .object(bytes: size, flags: flags) }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.kmallocResult(size: size, flags: flags, in: context)
    }
}

/// The call `void *kzalloc(size_t size, gfp_t flags)`.
public struct Kzalloc: KernelCall, MemoryRequestingCall {
    public static let signature = CallSignature(
        "kzalloc",
        returns: "void *",
        [sizeParameter, flagsParameter],
        "Allocates physically contiguous bytes, cleared."
    )

    var size: UInt64
    var flags: GFPFlags

    public init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? { .object(bytes: size, flags: flags.union(.zero)) }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.kmallocResult(size: size, flags: flags.union(.zero), in: context)
    }
}

/// The call `void *kmalloc_array(size_t n, size_t size, gfp_t flags)`.
public struct KmallocArray: KernelCall, MemoryRequestingCall {
    public static let signature = CallSignature(
        "kmalloc_array",
        returns: "void *",
        [
            Parameter("n", .size, "Elements."), Parameter("size", .size, "Bytes of an element."),
            flagsParameter,
        ],
        "Allocates an array; NULL where the product overflows."
    )

    var count: UInt64
    var size: UInt64
    var flags: GFPFlags

    public init(_ arguments: borrowing CallArguments) {
        count = arguments.word(0)
        size = arguments.word(1)
        flags = arguments.gfp(2)
    }

    var memoryRequest: MemoryRequest? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? nil : .object(bytes: bytes, flags: flags)
    }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow else { return CallResult(.pointer(0)) }
        return kernel.kmallocResult(size: bytes, flags: flags, in: context)
    }
}

/// The call `void *kcalloc(size_t n, size_t size, gfp_t flags)`.
public struct Kcalloc: KernelCall, MemoryRequestingCall {
    public static let signature = CallSignature(
        "kcalloc",
        returns: "void *",
        KmallocArray.signature.parameters,
        "Allocates a cleared array; NULL where the product overflows."
    )

    var array: KmallocArray

    public init(_ arguments: borrowing CallArguments) {
        array = KmallocArray(arguments)
        array.flags.insert(.zero)
    }

    var memoryRequest: MemoryRequest? { array.memoryRequest }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        array.run(on: &kernel, in: context)
    }
}

/// The call `void kfree(const void *objp)`.
public struct Kfree: KernelCall {
    public static let signature = CallSignature(
        "kfree",
        returns: "void",
        [Parameter("objp", .address, "What kmalloc returned; NULL is ignored.")],
        "Gives back what kmalloc allocated.",
        takesNull: true
    )

    var address: LinearAddress

    public init(_ arguments: borrowing CallArguments) { address = arguments.address(0) }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkFree(address.rawValue)
        kernel.kfree(address, in: context)
        return .void
    }
}

/// The call `size_t ksize(const void *objp)`.
public struct Ksize: KernelCall {
    public static let signature = CallSignature(
        "ksize",
        returns: "size_t",
        [Parameter("objp", .address, "What kmalloc returned.")],
        "The bytes that an allocation really has."
    )

    var address: LinearAddress

    public init(_ arguments: borrowing CallArguments) { address = arguments.address(0) }

    public func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.unsigned(kernel.wholeSize(address, "ksize", in: context)))
    }
}
