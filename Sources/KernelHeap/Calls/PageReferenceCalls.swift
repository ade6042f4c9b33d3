/// Reference counts of pages, and pages that are nobody's.
let pageReferenceCalls: [any KernelCall.Type] = [
    GetPage.self, PutPage.self, MarkPageReserved.self, FreeReservedPage.self,
]

extension Kernel {
    /// The frame of a descriptor; an address that is none is the lookup's page fault.
    mutating func knownFrame(_ page: UInt64) -> UInt32? {
        if let frame = frame(ofDescriptor: page) { return frame }
        logAccessFault(at: page &+ 8, isWrite: false)
        return nil
    }
}

/// The call `void get_page(struct page *page)`.
struct GetPage: KernelCall {
    static let signature = CallSignature(
        "get_page",
        returns: "void",
        [Parameter("page", .page, "Any page of a block.")],
        "Takes a reference to a page; of a compound page, to its head."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        kernel.getPage(frame)
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}

/// The call `void put_page(struct page *page)`.
struct PutPage: KernelCall {
    static let signature = CallSignature(
        "put_page",
        returns: "void",
        [Parameter("page", .page, "Any page of a block.")],
        "Drops a reference; the last one frees the page, or the whole compound page."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        kernel.checkFree(ofPages: frame)
        kernel.putPage(frame, in: context)
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}

/// The call `void mark_page_reserved(struct page *page)`.
struct MarkPageReserved: KernelCall {
    static let signature = CallSignature(
        "mark_page_reserved",
        returns: "void",
        [Parameter("page", .page, "An allocated page.")],
        "Takes a page from the page allocator's count of managed pages."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        kernel.markPageReserved(frame)
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}

/// The call `void free_reserved_page(struct page *page)`.
struct FreeReservedPage: KernelCall {
    static let signature = CallSignature(
        "free_reserved_page",
        returns: "void",
        [Parameter("page", .page, "A page that was marked reserved.")],
        "Gives a reserved page to the page allocator, as a free page."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        kernel.freeReservedPage(frame, in: context)
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}
