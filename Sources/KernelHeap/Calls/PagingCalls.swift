/// Looking at page tables, and changing them by hand.
let pagingCalls: [any KernelCall.Type] = [
    Translate.self, SetPTEFlags.self, InvalidatePage.self, FlushTLB.self,
]

private let addressParameter = Parameter("address", .address, "A linear address.")
private let pidParameter = Parameter(
    "pid",
    .unsigned(bits: 31),
    "Whose tables; left out, the calling process's.",
    optional: true
)

extension TranslationView {
    /// As the detail of a call, and as the answer of `GET …/translate`.
    public var facts: [Fact] {
        [
            Fact("logical", logical.map { .facts($0.facts) } ?? .null),
            Fact("linear", hasLinear ? .address(linear.rawValue) : .null),
            Fact("physical", physical.map { .address($0.rawValue) } ?? .null),
            Fact("page_size", .number(Int64(pageBytes))),
            Fact("writable", .boolean(isWritable)), Fact("user", .boolean(isUser)),
            Fact("executable", .boolean(isExecutable)),
            Fact("levels", .list(levels.map { .facts($0.facts) })),
            Fact("fault", fault.map { .facts($0.facts) } ?? .null),
            Fact("tlb_pfn", cached.map { .number(Int64($0.rawValue)) } ?? .null),
            Fact("tlb", .list(cachedBy.map { .facts($0.facts) })),
            Fact("cr2", .address(cr2.rawValue)), Fact("cr3", .address(cr3.rawValue)),
            Fact("write_protect", .boolean(hasWriteProtect)), Fact("smap", .boolean(hasSMAP)),
            Fact("smep", .boolean(hasSMEP)),
        ]
    }
}

extension TranslationView.CachedPage {
    fileprivate var facts: [Fact] {
        [
            Fact("cpu", .number(Int64(cpu))), Fact("pfn", .count(pfn.rawValue)),
            Fact("writable", .boolean(isWritable)),
        ]
    }
}

extension TranslationView.Level {
    fileprivate var facts: [Fact] {
        [
            Fact("level", .text(name)),
            Fact("table_pfn", .number(Int64(bitPattern: table.rawValue))),
            Fact("index", .number(Int64(index))), Fact("entry", .address(entry.rawValue)),
            Fact("bits", .text(entry.text)),
        ]
    }
}

extension TranslationView.Fault {
    fileprivate var facts: [Fact] {
        [Fact("error_code", .number(Int64(code))), Fact("reason", .text(reason))]
    }
}

/// Translates an address: the result is the physical address, NULL where there is none.
struct Translate: KernelCall {
    static let signature = CallSignature(
        "translate",
        returns: "phys_addr_t",
        [
            Parameter("address", .address, "A linear address.", optional: true), pidParameter,
            Parameter("access", .names(accesses), "read, write or execute.", optional: true),
            Parameter(
                "mode",
                .names(modes),
                "kernel or user; for a logical address as the CPL is, where left out.",
                optional: true
            ),
            Parameter(
                "segment",
                .names(SegmentRegister.flagNames),
                "Instead of an address: a segment register, and an offset.",
                optional: true
            ),
            Parameter(
                "selector",
                .unsigned(bits: 16),
                "Instead of an address: a selector that would be loaded, and an offset.",
                optional: true
            ),
            Parameter("offset", .unsigned(bits: 32), "In the segment; 0.", optional: true),
            Parameter("size", .unsigned(bits: 32), "Bytes of the access; 1.", optional: true),
        ],
        "Translates logical to linear to physical and shows each step; changes nothing."
    )
    private static let accesses = FlagNames(
        "access",
        TranslationView.Access.allCases.map { FlagName($0.name, $0.rawValue) }
    )
    private static let modes = FlagNames("mode", [FlagName("kernel", 0), FlagName("user", 1)])

    var address: UInt64?
    var pid: Int?
    var access: TranslationView.Access
    var isUser: Bool?
    var segment: LogicalAddressView.Segment?
    var offset: UInt32
    var size: UInt32
    /// Not exactly one of address, segment and selector is given.
    var isUnclear: Bool

    init(_ arguments: borrowing CallArguments) {
        address = arguments.has(0) ? arguments.word(0) : nil
        pid = arguments.has(1) ? Int(truncatingIfNeeded: arguments.word(1)) : nil
        access = TranslationView.Access(rawValue: arguments.word(2)) ?? .read
        isUser = arguments.has(3) ? arguments.word(3) & 1 != 0 : nil
        if arguments.has(4) { segment = .register(SegmentRegister(arguments.word(4))) }
        if arguments.has(5) {
            segment = .selector(Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(5))))
        }
        offset = arguments.uint(6)
        size = arguments.has(7) ? arguments.uint(7) : 1
        let isLogical = arguments.has(4) != arguments.has(5)
        isUnclear = isLogical == arguments.has(0) || arguments.has(4) && arguments.has(5)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard !isUnclear else {
            return CallResult(.integer(-Int64(Errno.EINVAL.rawValue)), errno: .EINVAL)
        }
        let pid = pid ?? context.pid
        var view: TranslationView
        if let segment {
            let logical = kernel.logicalAddressView(
                segment,
                offset,
                count: size,
                access: access.segmentAccess,
                cpu: context.cpu
            )
            guard let logical else { return .noSegmentation }
            view = kernel.translationView(logical, pid: pid, access: access, isUser: isUser)
        } else {
            view = kernel.translationView(
                LinearAddress(rawValue: address ?? 0),
                pid: pid,
                access: access,
                isUser: isUser ?? false
            )
        }
        return CallResult(.pointer(view.physical?.rawValue ?? 0), detail: .facts(view.facts))
    }
}

/// Sets and clears bits of the entry that maps an address.
struct SetPTEFlags: KernelCall {
    static let signature = CallSignature(
        "set_pte_flags",
        returns: "int",
        [
            addressParameter,
            Parameter("set", .names(bits), "Bits to set: RW|US, and so on.", optional: true),
            Parameter("clear", .names(bits), "Bits to clear.", optional: true), pidParameter,
            Parameter(
                "flush",
                .boolean,
                "Whether all CPUs' TLBs forget the page; true where left out.",
                optional: true
            ),
        ],
        "Changes bits of the last entry on the way to an address, be it of a large page."
    )
    private static let bits = FlagNames(
        "bits",
        PageTableEntry.names.map { FlagName($0.name == "PS/PAT" ? "PS" : $0.name, $0.bits) }
    )

    var address: UInt64
    var set: UInt64
    var clear: UInt64
    var pid: Int?
    var flushes: Bool

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        let known = Self.bits.names.reduce(0) { $0 | $1.bits }
        set = arguments.word(1) & known
        clear = arguments.word(2) & known
        pid = arguments.has(3) ? Int(truncatingIfNeeded: arguments.word(3)) : nil
        flushes = !arguments.has(4) || arguments.flag(4)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let pid = pid ?? context.pid
        let process = kernel.process(pid) ?? 0
        let isChanged = kernel.changeEntry(address, process, flushes: flushes) { word in
            word & ~clear | set
        }
        guard isChanged else {
            return CallResult(.integer(-Int64(Errno.EFAULT.rawValue)), errno: .EFAULT)
        }
        let view = kernel.translationView(LinearAddress(rawValue: address), pid: pid)
        return CallResult(.integer(0), detail: .facts(view.facts))
    }
}

/// The instruction INVLPG: the CPU that runs it forgets a page, the others do not.
struct InvalidatePage: KernelCall {
    static let signature = CallSignature(
        "invlpg",
        returns: "void",
        [addressParameter],
        "The calling CPU's TLB forgets the page of an address; other CPUs keep it."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let format = kernel.paging.format
        guard format.isCanonical(address) else { return .void }
        let boot = kernel.bootTables()
        let root = kernel.root(of: kernel.paging.loadedProcess, boot)
        let walk = kernel.walk(address, root: root, boot)
        // The TLB holds a large page as many small ones.
        if walk.end == .mapped, walk.last.level < format.leafLevel {
            kernel.paging.buffer.flushOwnAll()
        } else {
            kernel.paging.buffer.flushOwn(page: address)
        }
        return .void
    }
}

/// The call `void flush_tlb_all(void)`: every CPU is interrupted and forgets everything.
struct FlushTLB: KernelCall {
    static let signature = CallSignature(
        "flush_tlb_all",
        returns: "void",
        [],
        "The TLBs of all CPUs forget all translations."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.paging.flushAll()
        return .void
    }
}

extension Kernel {
    /// Changes the last entry on the way to an address, as a client asks for.
    ///
    /// - Parameters:
    ///   - address: leads to the entry.
    ///   - process: whose tables, as an index.
    ///   - flushes: whether the TLB forgets what the entry mapped.
    ///   - change: makes the new entry of the old one.
    /// - Returns: false where the address is no address or a table is not one of the kernel's.
    fileprivate mutating func changeEntry(
        _ address: UInt64,
        _ process: Int,
        flushes: Bool,
        _ change: (UInt64) -> UInt64
    ) -> Bool {
        guard paging.format.isCanonical(address) else { return false }
        let boot = keptBootTables()
        let walk = walk(address, root: root(of: process, boot), boot)
        guard walk.count > 0, isTable(walk.last.table, boot) else { return false }
        let new = PageTableEntry(rawValue: change(walk.last.entry.rawValue))
        setTableEntry(walk.last.table, walk.last.index, new)
        paging.isTampered = true
        if !flushes {
            paging.isStale = true
        } else if walk.last.level == paging.format.leafLevel {
            paging.buffer.flush(page: address)
        } else {
            paging.flushAll()
        }
        return true
    }
}
