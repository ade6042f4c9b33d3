/// Fields of a page descriptor: the lock, and stores as a broken driver makes them.
///
/// The kernel has no functions for the last two: drivers write `page->mapping` and
/// `page->_mapcount` themselves, and the page allocator finds what they left behind. Pages of slabs
/// keep other things in these fields, so there the calls do nothing.
let pageFieldCalls: [any KernelCall.Type] = [
    TrylockPage.self, UnlockPage.self, SetPageMapping.self, SetPageMapCount.self,
]

extension Kernel {
    /// Changes the fields of a page; nil where the page is a slab's.
    fileprivate mutating func changeFields<Result>(
        of frame: UInt32,
        _ change: (inout OddFields) -> Result
    ) -> Result? {
        guard pages.map[Int(frame)].kind != .slab else { return nil }
        var fields = pages.oddPages[frame]
        let result = change(&fields)
        pages.oddPages[frame] = fields
        return result
    }
}

/// The call `int trylock_page(struct page *page)`.
struct TrylockPage: KernelCall {
    static let signature = CallSignature(
        "trylock_page",
        returns: "int",
        [Parameter("page", .page, "Any page of a block.")],
        "Locks a page, or the head of a compound page; 0 where it is locked already."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return CallResult(.integer(0)) }
        let head = kernel.pages.compoundHead(of: frame)
        let isLocked = kernel.changeFields(of: head) { fields in
            defer { fields.isLocked = true }
            return !fields.isLocked
        }
        return CallResult(
            .integer(isLocked ?? false ? 1 : 0),
            detail: .pages(kernel.detail(of: head))
        )
    }
}

/// The call `void unlock_page(struct page *page)`.
struct UnlockPage: KernelCall {
    static let signature = CallSignature(
        "unlock_page",
        returns: "void",
        [Parameter("page", .page, "Any page of a block.")],
        "Unlocks a page, or the head of a compound page."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        let head = kernel.pages.compoundHead(of: frame)
        _ = kernel.changeFields(of: head) { $0.isLocked = false }
        return CallResult(.void, detail: .pages(kernel.detail(of: head)))
    }
}

/// The store `page->mapping = mapping`.
struct SetPageMapping: KernelCall {
    static let signature = CallSignature(
        "set_page_mapping",
        returns: "void",
        [
            Parameter("page", .page, "A page."),
            Parameter("mapping", .address, "What the field is to hold; 0 for NULL."),
        ],
        "Stores page->mapping as a broken driver would: found when the page is free."
    )

    var page: UInt64
    var mapping: UInt64

    init(_ arguments: borrowing CallArguments) {
        page = arguments.word(0)
        mapping = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        _ = kernel.changeFields(of: frame) { $0.mapping = mapping }
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}

/// The store `atomic_set(&page->_mapcount, count - 1)`.
struct SetPageMapCount: KernelCall {
    static let signature = CallSignature(
        "set_page_mapcount",
        returns: "void",
        [
            Parameter("page", .page, "A page."),
            Parameter("count", .int, "What page_mapcount() is to say; 0 for an unmapped page."),
        ],
        "Stores page->_mapcount as a broken driver would: found when the page is free."
    )

    var page: UInt64
    var count: Int32

    init(_ arguments: borrowing CallArguments) {
        page = arguments.word(0)
        count = arguments.int(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        _ = kernel.changeFields(of: frame) { $0.mapCount = count }
        return CallResult(.void, detail: .pages(kernel.detail(of: frame)))
    }
}
