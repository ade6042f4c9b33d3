/// Short maps of high memory: by thread, or on the classic machine by type.
let localMapCalls: [any KernelCall.Type] = [
    KmapAtomic.self, KunmapAtomic.self, KmapLocalPage.self, KmapLocalPFN.self, KunmapLocal.self,
]

private let pageParameter = Parameter("page", .page, "A page descriptor.")
private let addressParameter = Parameter("vaddr", .address, "What the map's call returned.")
private let typeParameter = Parameter(
    "type",
    .names(
        FlagNames("km_type", KmapType.allCases.map { FlagName($0.name, $0.rawValue) })
    ),
    "Which of the CPU's slots, on linux-2.6-i386; left out, KM_USER0. 6.1 has no types.",
    optional: true
)

extension CallArguments {
    fileprivate func kmapType(_ index: Int) -> UInt64 {
        has(index) ? word(index) : KmapType.user0.rawValue
    }
}

extension Kernel {
    /// What the thread holds after a call.
    fileprivate func threadFacts(_ context: CallContext) -> [Fact] {
        let maps = highMemory.thread(context.cpu, context.pid)
        let types = highMemory.typed.count { $0.cpu == context.cpu }
        let held = highMemory.isClassic ? types : maps?.frames.count ?? 0
        return [
            Fact("cpu", .number(Int64(context.cpu))),
            Fact("maps_held", .number(Int64(held))),
            Fact("preempt_disabled", .number(Int64(maps?.atomicDepth ?? 0))),
            Fact("pagefault_disabled", .number(Int64(maps?.atomicDepth ?? 0))),
        ]
    }

    /// An address among the fixed maps, or of the direct map.
    fileprivate func localResult(
        _ frame: UInt32,
        _ address: UInt64,
        _ context: CallContext
    ) -> CallResult {
        let isFixed = highMemory.fixmap.isMap(address)
        let mapping = address == 0 ? "none" : isFixed ? "fixmap" : "direct"
        var facts = mappedFacts(frame, at: address, by: mapping)
        if isFixed, let index = highMemory.fixmap.index(of: address) {
            facts.append(Fact("fix_index", .number(Int64(clamping: index))))
        }
        return CallResult(.pointer(address), detail: .facts(facts + threadFacts(context)))
    }

    /// The classic kernel has no such function.
    fileprivate var hasLocalMaps: Bool { !highMemory.isClassic }

    fileprivate static let notThere = CallResult(.pointer(0), errno: .ENOSYS)
}

/// The call `void *kmap_atomic(struct page *page)`; in 2.6 with a type.
struct KmapAtomic: KernelCall {
    static let signature = CallSignature(
        "kmap_atomic",
        returns: "void *",
        [pageParameter, typeParameter],
        "Maps a page for a short time with preemption and page faults off; never sleeps."
    )

    var page: UInt64
    var type: UInt64

    init(_ arguments: borrowing CallArguments) {
        page = arguments.word(0)
        type = arguments.kmapType(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let frame = kernel.knownFrame(page) else { return CallResult(.pointer(0)) }
        guard kernel.hasLocalMaps else {
            return kernel.localResult(frame, kernel.kmapTyped(frame, type, in: context), context)
        }
        kernel.enterAtomicMap(context)
        let address = kernel.kmapLocal(page: frame, in: context)
        if address == 0 { kernel.leaveAtomicMap(context) }
        return kernel.localResult(frame, address, context)
    }
}

/// The call `void kunmap_atomic(const void *addr)`; in 2.6 with a type.
struct KunmapAtomic: KernelCall {
    static let signature = CallSignature(
        "kunmap_atomic",
        returns: "void",
        [addressParameter, typeParameter],
        "Undoes the newest kmap_atomic, and lets preemption and page faults come back."
    )

    var address: UInt64
    var type: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        type = arguments.kmapType(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.hasLocalMaps {
            kernel.kunmapLocal(address, in: context)
            kernel.leaveAtomicMap(context)
        } else {
            kernel.kunmapTyped(address, type, in: context)
        }
        return CallResult(.void, detail: .facts(kernel.threadFacts(context)))
    }
}

/// The call `void *kmap_local_page(struct page *page)`.
struct KmapLocalPage: KernelCall {
    static let signature = CallSignature(
        "kmap_local_page",
        returns: "void *",
        [pageParameter],
        "Maps a page for the calling thread, on its CPU; undone in reverse order."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.hasLocalMaps else { return Kernel.notThere }
        guard let frame = kernel.knownFrame(page) else { return CallResult(.pointer(0)) }
        return kernel.localResult(frame, kernel.kmapLocal(page: frame, in: context), context)
    }
}

/// The call `void *kmap_local_pfn(unsigned long pfn)`.
struct KmapLocalPFN: KernelCall {
    static let signature = CallSignature(
        "kmap_local_pfn",
        returns: "void *",
        [Parameter("pfn", .size, "A frame; of low memory and devices too.")],
        "Maps a frame for the calling thread, whether or not it has an address already."
    )

    var pfn: UInt64

    init(_ arguments: borrowing CallArguments) { pfn = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.hasLocalMaps else { return Kernel.notThere }
        let address = kernel.kmapLocal(pfn: pfn, in: context)
        return kernel.localResult(kernel.storedFrame(pfn), address, context)
    }
}

/// The call `void kunmap_local(const void *addr)`.
struct KunmapLocal: KernelCall {
    static let signature = CallSignature(
        "kunmap_local",
        returns: "void",
        [addressParameter],
        "Undoes the thread's newest map; any other address is warned about."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.hasLocalMaps else { return CallResult(.void, errno: .ENOSYS) }
        kernel.kunmapLocal(address, in: context)
        return CallResult(.void, detail: .facts(kernel.threadFacts(context)))
    }
}
