/// Permanent maps of high memory, and the fixed maps; short maps have a file of their own.
let highMemoryCalls: [any KernelCall.Type] =
    [
        KmapCall.self, KunmapCall.self, KmapToPage.self, KmapFlushUnused.self, FixToVirt.self,
        VirtToFix.self,
    ] + localMapCalls

private let pageParameter = Parameter("page", .page, "A page descriptor.")

extension Kernel {
    /// What a map shows: the page behind it.
    func mappedFacts(_ frame: UInt32, at address: UInt64, by mapping: String) -> [Fact] {
        [
            Fact("pfn", .number(Int64(frame))),
            Fact("physical", .address(UInt64(frame) << 12)),
            Fact("zone", .text(zoneName(of: frame))),
            Fact("virtual", address == 0 ? .null : .address(address)),
            Fact("mapping", .text(mapping)),
        ]
    }

    private func zoneName(of frame: UInt32) -> String {
        let place = pages.zoneIndex(of: UInt64(frame))
        return place.map { pages.zones[$0].type.name } ?? "none"
    }

    /// A slot of the window as it is now.
    fileprivate func slotFacts(_ frame: UInt32) -> [Fact] {
        let pkmap = highMemory.pkmap
        let slot = pkmap.slot(of: frame)
        return [
            Fact("slot", slot.map { .number(Int64($0)) } ?? .null),
            Fact("pkmap_count", .number(slot.map { Int64(pkmap.slots[$0].count) } ?? 0)),
            Fact("last_pkmap_nr", .number(Int64(pkmap.last))),
        ]
    }
}

/// The call `void *kmap(struct page *page)`.
struct KmapCall: KernelCall {
    static let signature = CallSignature(
        "kmap",
        returns: "void *",
        [pageParameter],
        "Gives a page an address for as long as it is wanted; where no slot is free, it sleeps."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return CallResult(.pointer(0)) }
        let outcome = kernel.kmap(frame, in: context)
        let address = kernel.pageAddress(frame)
        switch outcome {
        case .direct:
            let facts = kernel.mappedFacts(frame, at: address, by: "direct")
            return CallResult(.pointer(address), detail: .facts(facts))
        case .slot(_, let isNew, let flushed):
            let facts =
                kernel.mappedFacts(frame, at: address, by: "pkmap") + kernel.slotFacts(frame) + [
                    Fact("new_slot", .boolean(isNew)),
                    Fact("flushed_slots", .number(Int64(flushed))),
                ]
            return CallResult(.pointer(address), detail: .facts(facts))
        case .sleeps(let isQueued): return kernel.blockedResult(frame, isQueued: isQueued)
        case .stuck: return kernel.blockedResult(frame, isQueued: false)
        }
    }
}

extension Kernel {
    /// A call that has not returned: its process sleeps until `kunmap` gives a slot up.
    fileprivate func blockedResult(_ frame: UInt32, isQueued: Bool) -> CallResult {
        let facts = mappedFacts(frame, at: 0, by: "none") + slotFacts(frame)
        return CallResult(
            .pointer(0),
            detail: .facts(
                facts + [
                    Fact("blocked", .boolean(true)), Fact("queued", .boolean(isQueued)),
                    Fact("task_state", .text("TASK_UNINTERRUPTIBLE")),
                    Fact("sleepers", .number(Int64(highMemory.pkmap.sleepers.count))),
                ]
            )
        )
    }

    /// Who was woken, with the address that the call which slept returns now.
    fileprivate func wokenFacts(_ woken: [PkmapTable.Sleeper]) -> FactValue {
        .list(
            woken.map { sleeper in
                .facts([
                    Fact("call", .number(Int64(clamping: sleeper.call))),
                    Fact("pid", .number(Int64(sleeper.pid))),
                    Fact("pfn", .number(Int64(sleeper.frame))),
                    Fact("return", .address(pageAddress(sleeper.frame))),
                ])
            }
        )
    }
}

/// The call `void kunmap(struct page *page)`.
struct KunmapCall: KernelCall {
    static let signature = CallSignature(
        "kunmap",
        returns: "void",
        [pageParameter],
        "Gives one use of a page's slot back; the entry stays until the window is flushed."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return .void }
        let woken = kernel.kunmap(frame, in: context)
        let mapping = kernel.isHighMemory(frame) ? "pkmap" : "direct"
        let facts = kernel.mappedFacts(frame, at: kernel.pageAddress(frame), by: mapping)
        guard kernel.isHighMemory(frame) else {
            return CallResult(.void, detail: .facts(facts))
        }
        return CallResult(
            .void,
            detail: .facts(
                facts + kernel.slotFacts(frame) + [Fact("woken", kernel.wokenFacts(woken))]
            )
        )
    }
}

/// The call `struct page *kmap_to_page(void *addr)`.
struct KmapToPage: KernelCall {
    static let signature = CallSignature(
        "kmap_to_page",
        returns: "struct page *",
        [Parameter("addr", .address, "What kmap, kmap_local_page or page_address gave.")],
        "The page behind a mapped address; elsewhere the direct map's arithmetic."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frame = kernel.kmapToPage(address, in: context)
        return CallResult(
            .pointer(kernel.layout.descriptor(frame)),
            detail: .facts([Fact("pfn", .number(Int64(clamping: frame)))])
        )
    }
}

/// The call `void kmap_flush_unused(void)`.
struct KmapFlushUnused: KernelCall {
    static let signature = CallSignature(
        "kmap_flush_unused",
        returns: "void",
        [],
        "Frees every slot that is given back, and the entries with them."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let flushed = kernel.kmapFlushUnused()
        return CallResult(
            .void,
            detail: .facts([Fact("flushed_slots", .number(Int64(flushed)))])
        )
    }
}

/// The call `unsigned long fix_to_virt(const unsigned int idx)`.
struct FixToVirt: KernelCall {
    static let signature = CallSignature(
        "fix_to_virt",
        returns: "unsigned long",
        [Parameter("idx", .uint, "The slot's number, counted downwards from FIXADDR_TOP.")],
        "The address of a fixed map; a number that no slot has would not compile, and is 0 here."
    )

    var index: UInt32

    init(_ arguments: borrowing CallArguments) { index = arguments.uint(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let fixmap = kernel.highMemory.fixmap
        let address = fixmap.checkedAddress(of: UInt64(index))
        return CallResult(
            .pointer(address ?? 0),
            errno: address == nil ? .EINVAL : nil,
            detail: .facts([Fact("slots", .number(Int64(clamping: fixmap.slotCount)))])
        )
    }
}

/// The call `unsigned long virt_to_fix(const unsigned long vaddr)`.
struct VirtToFix: KernelCall {
    static let signature = CallSignature(
        "virt_to_fix",
        returns: "unsigned long",
        [Parameter("vaddr", .address, "An address among the fixed maps.")],
        "The number of the fixed map that an address lies in; any other address is a BUG."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let index = kernel.highMemory.fixmap.index(of: address) else {
            kernel.log.bug(at: "include/asm-generic/fixmap.h:38", in: "virt_to_fix", context)
            return CallResult(.unsigned(0))
        }
        return CallResult(.unsigned(index))
    }
}
