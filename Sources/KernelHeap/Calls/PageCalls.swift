/// The page allocator's family.
let pageCalls: [any KernelCall.Type] =
    [
        AllocPages.self, AllocPage.self, GetFreePages.self, GetFreePage.self, GetZeroedPage.self,
        GetDMAPages.self, AllocPagesExact.self, AllocPagesBulkArray.self, SplitPage.self,
    ] + pageFreeCalls + pageReferenceCalls + pageFieldCalls + pageListCalls

private let gfpMaskParameter = Parameter("gfp_mask", .gfp, "How the allocation may behave.")
private let orderParameter = Parameter(
    "order",
    .uint,
    "Logarithm of the number of pages; at most 10."
)

extension Kernel {
    /// A `struct page *` with its detail.
    fileprivate func descriptorResult(_ pfn: PFN?) -> CallResult {
        guard let pfn else { return CallResult(.pointer(0)) }
        let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
        return CallResult(
            .pointer(layout.descriptor(pfn.rawValue)),
            detail: .pages(detail(of: frame))
        )
    }

    /// The address of the first byte, with its detail.
    fileprivate func addressResult(_ pfn: PFN?) -> CallResult {
        guard let pfn else { return CallResult(.pointer(0)) }
        let frame = UInt32(truncatingIfNeeded: pfn.rawValue)
        return CallResult(.pointer(layout.virtual(frame)), detail: .pages(detail(of: frame)))
    }
}

/// The call `struct page *alloc_pages(gfp_t gfp_mask, unsigned int order)`.
struct AllocPages: MemoryRequestingCall {
    static let signature = CallSignature(
        "alloc_pages",
        returns: "struct page *",
        [gfpMaskParameter, orderParameter],
        "Allocates a block of 2^order pages and returns its first page's descriptor."
    )

    var flags: GFPFlags
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        flags = arguments.gfp(0)
        order = arguments.uint(1)
    }

    var memoryRequest: MemoryRequest? {
        .pages(order: Int(order), flags: flags, isMapped: false)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let pfn = kernel.allocPages(order: Int(order), flags: flags, in: context)
        return kernel.descriptorResult(pfn)
    }
}

/// The call `struct page *alloc_page(gfp_t gfp_mask)`.
struct AllocPage: MemoryRequestingCall {
    static let signature = CallSignature(
        "alloc_page",
        returns: "struct page *",
        [gfpMaskParameter],
        "Allocates one page and returns its descriptor."
    )

    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) { flags = arguments.gfp(0) }

    var memoryRequest: MemoryRequest? {
        .pages(order: 0, flags: flags, isMapped: false)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.descriptorResult(kernel.allocPages(order: 0, flags: flags, in: context))
    }
}

/// The call `unsigned long __get_free_pages(gfp_t gfp_mask, unsigned int order)`.
struct GetFreePages: MemoryRequestingCall {
    static let signature = CallSignature(
        "__get_free_pages",
        returns: "unsigned long",
        [gfpMaskParameter, orderParameter],
        "Allocates a block of 2^order pages and returns its address."
    )

    var flags: GFPFlags
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        flags = arguments.gfp(0)
        order = arguments.uint(1)
    }

    var memoryRequest: MemoryRequest? {
        .pages(order: Int(order), flags: flags.subtracting(.highMem), isMapped: true)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        // Pages by address must be mapped, so high memory is out of the question.
        let mapped = flags.subtracting(.highMem)
        return kernel.addressResult(
            kernel.allocPages(order: Int(order), flags: mapped, in: context)
        )
    }
}

/// The call `unsigned long __get_free_page(gfp_t gfp_mask)`.
struct GetFreePage: MemoryRequestingCall {
    static let signature = CallSignature(
        "__get_free_page",
        returns: "unsigned long",
        [gfpMaskParameter],
        "Allocates one page and returns its address."
    )

    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) { flags = arguments.gfp(0) }

    var memoryRequest: MemoryRequest? {
        .pages(order: 0, flags: flags.subtracting(.highMem), isMapped: true)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let mapped = flags.subtracting(.highMem)
        return kernel.addressResult(kernel.allocPages(order: 0, flags: mapped, in: context))
    }
}

/// The call `unsigned long get_zeroed_page(gfp_t gfp_mask)`.
struct GetZeroedPage: MemoryRequestingCall {
    static let signature = CallSignature(
        "get_zeroed_page",
        returns: "unsigned long",
        [gfpMaskParameter],
        "Allocates one cleared page and returns its address."
    )

    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) { flags = arguments.gfp(0) }

    var memoryRequest: MemoryRequest? {
        .pages(order: 0, flags: flags.union(.zero).subtracting(.highMem), isMapped: true)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let cleared = flags.union(.zero).subtracting(.highMem)
        return kernel.addressResult(kernel.allocPages(order: 0, flags: cleared, in: context))
    }
}

/// The call `unsigned long __get_dma_pages(gfp_t gfp_mask, unsigned int order)`.
struct GetDMAPages: MemoryRequestingCall {
    static let signature = CallSignature(
        "__get_dma_pages",
        returns: "unsigned long",
        [gfpMaskParameter, orderParameter],
        "Allocates pages that old devices reach, below 16 MiB, and returns their address."
    )

    var flags: GFPFlags
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        flags = arguments.gfp(0)
        order = arguments.uint(1)
    }

    var memoryRequest: MemoryRequest? {
        .pages(order: Int(order), flags: flags.union(.dma).subtracting(.highMem), isMapped: true)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let low = flags.union(.dma).subtracting(.highMem)
        return kernel.addressResult(kernel.allocPages(order: Int(order), flags: low, in: context))
    }
}

/// The call `void *alloc_pages_exact(size_t size, gfp_t gfp_mask)`.
struct AllocPagesExact: MemoryRequestingCall {
    static let signature = CallSignature(
        "alloc_pages_exact",
        returns: "void *",
        [Parameter("size", .size, "Bytes; rounded up to whole pages."), gfpMaskParameter],
        "Allocates contiguous pages, no more than the size needs."
    )

    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? {
        .exactPages(bytes: size, flags: flags.subtracting(.highMem))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let mapped = flags.subtracting(.highMem)
        var result = kernel.addressResult(
            kernel.allocPagesExact(bytes: size, flags: mapped, in: context)
        )
        if case .pages(var pages) = result.detail {
            pages.exactPages = UInt32(clamping: size >> 12 + (size & 4_095 == 0 ? 0 : 1))
            result.detail = .pages(pages)
        }
        return result
    }
}

/// The call `unsigned long alloc_pages_bulk_array(gfp_t gfp, unsigned long nr_pages, struct page **array)`.
struct AllocPagesBulkArray: MemoryRequestingCall {
    static let signature = CallSignature(
        "alloc_pages_bulk_array",
        returns: "unsigned long",
        [
            Parameter("gfp", .gfp, "How the allocation may behave."),
            Parameter("nr_pages", .size, "Pages wanted.", maximum: 65_536),
        ],
        "Allocates single pages into an empty array and returns how many it got."
    )

    var flags: GFPFlags
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        flags = arguments.gfp(0)
        count = arguments.word(1)
    }

    var memoryRequest: MemoryRequest? {
        .bulkPages(count: Int(clamping: count), flags: flags)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frames = kernel.allocPagesBulk(Int(clamping: count), flags: flags, in: context)
        return CallResult(
            .unsigned(UInt64(frames.count)),
            detail: .facts([
                Fact("pfns", .list(frames.map { .number(Int64($0)) })),
                Fact(
                    "page_array",
                    .list(frames.map { .address(kernel.layout.descriptor(UInt64($0))) })
                ),
            ])
        )
    }
}

/// The call `void split_page(struct page *page, unsigned int order)`.
struct SplitPage: KernelCall {
    static let signature = CallSignature(
        "split_page",
        returns: "void",
        [Parameter("page", .page, "First page of an allocated block."), orderParameter],
        "Makes each page of a block that is not compound a page of its own."
    )

    var page: UInt64
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        page = arguments.word(0)
        order = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.frame(ofDescriptor: page) else { return .void }
        let state = kernel.pages.map[Int(frame)]
        guard state.kind == .allocated, !state.isCompound, state.order == Int(order) else {
            return .void
        }
        kernel.splitBlock(frame)
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}
