/// An address translated by a walk, each level shown; nothing is changed by looking.
public struct TranslationView: Sendable {
    /// What wants to touch the address.
    public enum Access: UInt64, CaseIterable, Sendable {
        case read, write, execute

        public var name: String { String(describing: self) }

        /// The same for segments.
        public var segmentAccess: SegmentationUnit.Access {
            switch self {
            case .read: .read
            case .write: .write
            case .execute: .execute
            }
        }
    }

    /// A level of the walk.
    public struct Level: Hashable, Sendable {
        /// `PGD`, `PUD`, `PMD`, `PTE`.
        public var name: String
        /// The frame that the table is in.
        public var table: PFN
        public var index: Int
        public var entry: PageTableEntry
    }

    /// Why the access is refused.
    public struct Fault: Hashable, Sendable {
        /// As pushed: P 1, W 2, U 4, RSVD 8, I 16.
        public var code: UInt32
        /// One word: `not_present`, `protection`, `smap`, `smep`, `reserved_bits`, `non_canonical`.
        public var reason: String
    }

    /// What one CPU's TLB has.
    public struct CachedPage: Hashable, Sendable {
        public var cpu: Int
        public var pfn: PFN
        /// Whether the CPU stores without another walk.
        public var isWritable: Bool
    }

    /// How the linear address came about; nil where it was given.
    public var logical: LogicalAddressView?
    public var linear: LinearAddress
    /// Nil where no entry maps the address.
    public var physical: PhysicalAddress?
    public var levels: [Level] = []
    /// Bytes of the page; 0 where none is mapped.
    public var pageBytes: UInt64 = 0
    public var isWritable = false
    public var isUser = false
    public var isExecutable = false
    /// Nil where the access may be made.
    public var fault: Fault?
    /// The frame that the TLB of the CPU that ran last has for the page, which may be stale.
    public var cached: PFN?
    /// All CPUs that have the page, with the frame.
    public var cachedBy: [CachedPage] = []
    public var cr2: LinearAddress
    public var cr3: PhysicalAddress
    public var hasWriteProtect: Bool
    public var hasSMAP: Bool
    public var hasSMEP: Bool

    /// False where segmentation ended the way.
    public var hasLinear: Bool { logical == nil || logical?.linear != nil }
}

extension Kernel {
    /// Walks the tables for an address.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - pid: whose tables; the first process's where there is no such.
    ///   - access: what is to be done.
    ///   - isUser: at CPL 3; otherwise by the kernel, without `stac`.
    /// - Returns: the levels, and what the access would come to.
    public func translationView(
        _ address: LinearAddress,
        pid: Int,
        access: TranslationView.Access = .read,
        isUser: Bool = false
    ) -> TranslationView {
        let boot = bootTables()
        let process = process(pid) ?? 0
        let root = root(of: process, boot)
        var view = emptyTranslation(of: address, root: root)
        guard paging.format.isCanonical(address.rawValue) else {
            view.fault = TranslationView.Fault(code: 0, reason: "non_canonical")
            return view
        }
        view.cachedBy = cachedPages(address.rawValue, process: process)
        view.cached = view.cachedBy.first { $0.cpu == paging.buffer.cpu }?.pfn
        let walk = walk(address.rawValue, root: root, boot)
        describe(walk, in: &view)
        let wanted = pageAccess(access, isUser: isUser)
        guard walk.end != .mapped || !rights(of: walk).contains(PageRights(wanted)) else {
            return view
        }
        let fault = fault(address.rawValue, wanted, walk)
        view.fault = TranslationView.Fault(code: fault.code, reason: reason(walk, wanted))
        return view
    }

    /// Goes on from segmentation: in real mode the linear address is the physical one.
    ///
    /// - Parameters:
    ///   - logical: with its linear address, or the fault that ends the way.
    ///   - pid: whose tables; the first process's where there is no such.
    ///   - access: what is to be done.
    ///   - isUser: at CPL 3; nil for the CPL of the processor.
    /// - Returns: all steps.
    public func translationView(
        _ logical: LogicalAddressView,
        pid: Int,
        access: TranslationView.Access,
        isUser: Bool?
    ) -> TranslationView {
        var view: TranslationView
        let linear = LinearAddress(rawValue: UInt64(logical.linear ?? 0))
        if logical.linear == nil || logical.mode == .real {
            let root = root(of: process(pid) ?? 0, bootTables())
            view = emptyTranslation(of: linear, root: root)
            view.physical = logical.linear.map { PhysicalAddress(rawValue: UInt64($0)) }
        } else {
            let isUser = isUser ?? (logical.cpl == 3)
            view = translationView(linear, pid: pid, access: access, isUser: isUser)
        }
        view.logical = logical
        return view
    }

    /// The CPUs that would find an address in their TLB: the kernel's half whatever runs on them.
    private func cachedPages(_ address: UInt64, process: Int) -> [TranslationView.CachedPage] {
        (0..<machine.cpus).compactMap { cpu in
            guard address >= userEnd || paging.process(loadedBy: cpu) == process,
                let known = paging.buffer.cached(address, cpu: cpu)
            else { return nil }
            return TranslationView.CachedPage(
                cpu: cpu,
                pfn: PFN(rawValue: UInt64(known.frame)),
                isWritable: !known.rights.isDisjoint(with: .stores)
            )
        }
    }

    private func emptyTranslation(of address: LinearAddress, root: UInt64) -> TranslationView {
        TranslationView(
            linear: address,
            cr2: LinearAddress(rawValue: paging.cr2),
            cr3: PhysicalAddress(rawValue: root << 12),
            hasWriteProtect: paging.controls.writeProtect,
            hasSMAP: paging.controls.smap,
            hasSMEP: paging.controls.smep
        )
    }

    private func describe(_ walk: PageWalk, in view: inout TranslationView) {
        let format = paging.format
        for place in 0..<walk.count {
            let step = walk.steps[place]
            view.levels.append(
                TranslationView.Level(
                    name: format.name(step.level),
                    table: PFN(rawValue: step.table),
                    index: step.index,
                    entry: step.entry
                )
            )
        }
        guard walk.end == .mapped else { return }
        view.physical = PhysicalAddress(
            rawValue: walk.frame << 12 | view.linear.rawValue & 4095
        )
        view.pageBytes = format.span(walk.last.level)
        view.isWritable = walk.isWritable
        view.isUser = walk.isUser
        view.isExecutable = walk.isExecutable
    }

    private func pageAccess(_ access: TranslationView.Access, isUser: Bool) -> PageAccess {
        switch access {
        case .read: isUser ? .userLoad : .kernelLoad
        case .write: isUser ? .userStore : .kernelStore
        case .execute: isUser ? .userFetch : .kernelFetch
        }
    }

    private func reason(_ walk: PageWalk, _ access: PageAccess) -> String {
        switch walk.end {
        case .absent: "not_present"
        case .reservedBits: "reserved_bits"
        case .mapped:
            if access.isUser || !walk.isUser {
                "protection"
            } else if access.isFetch {
                paging.controls.smep ? "smep" : "protection"
            } else {
                paging.controls.smap ? "smap" : "protection"
            }
        }
    }
}
