/// Memory that is freed with its device.
let managedMemoryCalls: [any KernelCall.Type] = [
    DevmKmalloc.self, DevmKzalloc.self, DevmKmallocArray.self, DevmKcalloc.self,
    DevmKstrdup.self, DevmKmemdup.self, DevmKrealloc.self, DevmKfree.self,
    DevmGetFreePages.self, DevmFreePages.self,
]

/// Most bytes that one call copies.
private let copyLimit: UInt64 = 1 << 20
private let flagsParameter = Parameter("gfp", .gfp, "How the allocation may behave.")

/// A piece of managed memory that is asked for.
struct ManagedRequest: Sendable {
    var device: DeviceArgument
    var size: UInt64
    var flags: GFPFlags
    var function: String

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let place = kernel.findDevice(device, in: context) else {
            return .noDevice(returning: "void *")
        }
        return kernel.devmKmalloc(place, size: size, flags: flags, from: function, in: context)
    }

    /// The same, and bytes that are put there.
    func run(
        with bytes: [UInt8],
        on kernel: inout Kernel,
        in context: CallContext
    ) -> CallResult {
        let result = run(on: &kernel, in: context)
        if case .pointer(let address) = result.value, address > Kernel.zeroSizePointer {
            kernel.writeKernel(address, bytes)
        }
        return result
    }
}

/// A call `(dev, size, gfp)` that asks for a piece of managed memory.
private protocol PlainManagedCall: KernelCall {
    /// Flags that the function adds to its caller's.
    static var addedFlags: GFPFlags { get }
    var request: ManagedRequest { get }
    init(request: ManagedRequest)
}

extension PlainManagedCall {
    init(_ arguments: borrowing CallArguments) {
        self.init(
            request: ManagedRequest(
                device: arguments.device(0),
                size: arguments.word(1),
                flags: arguments.gfp(2).union(Self.addedFlags),
                function: Self.signature.name
            )
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        request.run(on: &kernel, in: context)
    }
}

/// The call `void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp)`.
struct DevmKmalloc: PlainManagedCall {
    static let signature = CallSignature(
        "devm_kmalloc",
        returns: "void *",
        [deviceParameter, Parameter("size", .size, "Bytes."), flagsParameter],
        "Allocates bytes that are freed with the device's driver; a node stands before them."
    )

    fileprivate static let addedFlags: GFPFlags = []

    var request: ManagedRequest
}

/// The call `void *devm_kzalloc(struct device *dev, size_t size, gfp_t gfp)`.
struct DevmKzalloc: PlainManagedCall {
    static let signature = CallSignature(
        "devm_kzalloc",
        returns: "void *",
        DevmKmalloc.signature.parameters,
        "Allocates cleared bytes that are freed with the device's driver."
    )

    fileprivate static let addedFlags: GFPFlags = .zero

    var request: ManagedRequest
}

/// The call `void *devm_kmalloc_array(struct device *dev, size_t n, size_t size, gfp_t flags)`.
struct DevmKmallocArray: KernelCall {
    static let signature = CallSignature(
        "devm_kmalloc_array",
        returns: "void *",
        [
            deviceParameter, Parameter("n", .size, "Elements."),
            Parameter("size", .size, "Bytes of an element."),
            Parameter("flags", .gfp, "How the allocation may behave."),
        ],
        "Allocates an array that is freed with the device's driver; NULL where the product overflows."
    )

    var request: ManagedRequest
    var overflows: Bool

    init(_ arguments: borrowing CallArguments) {
        self.init(arguments, from: "devm_kmalloc_array", adding: [])
    }

    init(
        _ arguments: borrowing CallArguments,
        from function: String,
        adding flags: GFPFlags
    ) {
        let (bytes, overflow) = arguments.word(1).multipliedReportingOverflow(by: arguments.word(2))
        overflows = overflow
        request = ManagedRequest(
            device: arguments.device(0),
            size: bytes,
            flags: arguments.gfp(3).union(flags),
            function: function
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        overflows ? CallResult(.pointer(0)) : request.run(on: &kernel, in: context)
    }
}

/// The call `void *devm_kcalloc(struct device *dev, size_t n, size_t size, gfp_t flags)`.
struct DevmKcalloc: KernelCall {
    static let signature = CallSignature(
        "devm_kcalloc",
        returns: "void *",
        DevmKmallocArray.signature.parameters,
        "Allocates a cleared array that is freed with the device's driver."
    )

    var array: DevmKmallocArray

    init(_ arguments: borrowing CallArguments) {
        array = DevmKmallocArray(arguments, from: "devm_kcalloc", adding: .zero)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        array.run(on: &kernel, in: context)
    }
}

/// The call `char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp)`.
struct DevmKstrdup: KernelCall {
    static let signature = CallSignature(
        "devm_kstrdup",
        returns: "char *",
        [
            deviceParameter,
            Parameter(
                "s",
                .cString,
                "The string itself, or where it lies; left out, it is NULL.",
                optional: true,
                isWork: true
            ),
            flagsParameter,
        ],
        "Copies a string with its NUL into memory that is freed with the device's driver."
    )

    var request: ManagedRequest
    var string: StringArgument?

    init(_ arguments: borrowing CallArguments) {
        string = arguments.string(1)
        request = ManagedRequest(
            device: arguments.device(0),
            size: 0,
            flags: arguments.gfp(2),
            function: "devm_kstrdup"
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var request = request
        switch string {
        case nil: return CallResult(.pointer(0))
        case .text(let text):
            let bytes = Array(text.utf8) + [0]
            request.size = UInt64(bytes.count)
            return request.run(with: bytes, on: &kernel, in: context)
        case .address(let address):
            let walk = kernel.walkString(address, in: context)
            if let end = kernel.unreturned(walk, from: address) { return end }
            request.size = walk.length + 1
            let result = request.run(on: &kernel, in: context)
            kernel.fill(result, from: address, request.size, "devm_kstrdup", in: context)
            return result
        }
    }
}

/// The call `void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp)`.
struct DevmKmemdup: KernelCall {
    static let signature = CallSignature(
        "devm_kmemdup",
        returns: "void *",
        [
            deviceParameter, Parameter("src", .address, "Kernel memory to copy."),
            Parameter("len", .size, "Bytes.", maximum: copyLimit), flagsParameter,
        ],
        "Copies kernel memory into memory that is freed with the device's driver."
    )

    var request: ManagedRequest
    var source: UInt64

    init(_ arguments: borrowing CallArguments) {
        source = arguments.word(1)
        request = ManagedRequest(
            device: arguments.device(0),
            size: min(arguments.word(2), copyLimit),
            flags: arguments.gfp(3),
            function: "devm_kmemdup"
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let result = request.run(on: &kernel, in: context)
        kernel.fill(result, from: source, request.size, "devm_kmemdup", in: context)
        return result
    }
}

/// The call `void *devm_krealloc(struct device *dev, void *ptr, size_t new_size, gfp_t gfp)`.
struct DevmKrealloc: DeviceCall {
    static let signature = CallSignature(
        "devm_krealloc",
        returns: "void *",
        [
            deviceParameter, Parameter("ptr", .address, "Managed memory, or NULL."),
            Parameter("new_size", .size, "Bytes; 0 frees."), flagsParameter,
        ],
        "Makes managed memory larger, in place where it has room.",
        takesNull: true
    )

    var device: DeviceArgument
    var address: UInt64
    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
        size = arguments.word(2)
        flags = arguments.gfp(3)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        return kernel.devmKrealloc(place, address, size: size, flags: flags, in: context)
    }
}

/// The call `void devm_kfree(struct device *dev, const void *p)`.
struct DevmKfree: DeviceCall {
    static let signature = CallSignature(
        "devm_kfree",
        returns: "void",
        [
            deviceParameter,
            Parameter("p", .address, "Managed memory of the device; NULL is ignored."),
        ],
        "Frees managed memory before its time.",
        takesNull: true
    )

    var device: DeviceArgument
    var address: UInt64

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.devmKfree(place, address, in: context)
        return .void
    }
}

/// The call `unsigned long devm_get_free_pages(struct device *dev, gfp_t gfp_mask, unsigned int order)`.
struct DevmGetFreePages: DeviceCall {
    static let signature = CallSignature(
        "devm_get_free_pages",
        returns: "unsigned long",
        [
            deviceParameter, Parameter("gfp_mask", .gfp, "How the allocation may behave."),
            Parameter("order", .uint, "Logarithm of the number of pages; at most 10."),
        ],
        "Allocates pages that are freed with the device's driver."
    )

    var device: DeviceArgument
    var flags: GFPFlags
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        flags = arguments.gfp(1)
        order = arguments.uint(2)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        return kernel.devmGetFreePages(place, flags: flags, order: Int(order), in: context)
    }
}

/// The call `void devm_free_pages(struct device *dev, unsigned long addr)`.
struct DevmFreePages: DeviceCall {
    static let signature = CallSignature(
        "devm_free_pages",
        returns: "void",
        [deviceParameter, Parameter("addr", .address, "What devm_get_free_pages returned.")],
        "Frees managed pages before their time."
    )

    var device: DeviceArgument
    var address: UInt64

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.devmFreePages(place, address, in: context)
        return .void
    }
}
