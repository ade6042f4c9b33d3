/// Blocks of pages on their way back.
let pageFreeCalls: [any KernelCall.Type] = [
    FreePagesByDescriptor.self, FreePagesByAddress.self, FreePage.self, FreePagesExact.self,
]

private let orderParameter = Parameter(
    "order",
    .uint,
    "Logarithm of the number of pages; at most 10."
)

extension Kernel {
    /// `free_pages()`: 0 is ignored, an address outside memory is the page lookup's oops.
    ///
    /// The check of the address is compiled out of the recorded kernels.
    fileprivate mutating func freePages(
        address: UInt64,
        order: UInt32,
        in context: CallContext
    ) -> CallResult {
        guard address != 0 else { return .void }
        guard let frame = frame(ofLookedUp: address) else {
            let page = layout.descriptor(layout.physical(of: address) >> 12)
            logAccessFault(at: page &+ 52, isWrite: true)
            return .void
        }
        return free(frame, order: order, in: context)
    }

    fileprivate mutating func free(
        _ frame: UInt32,
        order: UInt32,
        in context: CallContext
    ) -> CallResult {
        let place = detail(of: frame)
        checkFree(ofPages: frame, order: Int(order))
        freePages(PFN(rawValue: UInt64(frame)), order: Int(order), in: context)
        return CallResult(.void, detail: .pages(place))
    }
}

/// The call `void __free_pages(struct page *page, unsigned int order)`.
struct FreePagesByDescriptor: KernelCall {
    static let signature = CallSignature(
        "__free_pages",
        returns: "void",
        [Parameter("page", .page, "First page of the block."), orderParameter],
        "Drops a reference to a block of pages; the last one frees it."
    )

    var page: UInt64
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        page = arguments.word(0)
        order = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.frame(ofDescriptor: page) else {
            kernel.logAccessFault(at: page &+ 52, isWrite: true)
            return .void
        }
        return kernel.free(frame, order: order, in: context)
    }
}

/// The call `void free_pages(unsigned long addr, unsigned int order)`.
struct FreePagesByAddress: KernelCall {
    static let signature = CallSignature(
        "free_pages",
        returns: "void",
        [Parameter("addr", .address, "Address of the block; 0 is ignored."), orderParameter],
        "Frees a block of pages by its address.",
        takesNull: true
    )

    var address: UInt64
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        order = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freePages(address: address, order: order, in: context)
    }
}

/// The call `void free_page(unsigned long addr)`.
struct FreePage: KernelCall {
    static let signature = CallSignature(
        "free_page",
        returns: "void",
        [Parameter("addr", .address, "Address of the page; 0 is ignored.")],
        "Frees one page by its address.",
        takesNull: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freePages(address: address, order: 0, in: context)
    }
}

/// The call `void free_pages_exact(void *virt, size_t size)`.
struct FreePagesExact: KernelCall {
    static let signature = CallSignature(
        "free_pages_exact",
        returns: "void",
        [
            Parameter("virt", .address, "What alloc_pages_exact returned."),
            Parameter(
                "size",
                .size,
                "Bytes, as they were asked for.",
                maximum: 4096 << UInt64(Zone.maxOrder)
            ),
        ],
        "Frees the pages of an exact allocation one by one."
    )

    var address: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        size = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var place: UInt64 = 0
        while place < size {
            _ = kernel.freePages(address: address &+ place, order: 0, in: context)
            place += 4096
        }
        return .void
    }
}
