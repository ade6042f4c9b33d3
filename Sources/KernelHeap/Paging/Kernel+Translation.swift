extension Kernel {
    /// Translates an address for an access, through the TLB or by a walk.
    ///
    /// A walk sets A in every entry and D for a store, as the processor does. A hit costs a few
    /// nanoseconds and changes nothing.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - access: what is to be done, and with which rights.
    ///   - process: whose PGD is in CR3, as an index.
    /// - Returns: the frame, which is memory of this machine or not; or the fault, also in CR2.
    @inline(__always)
    mutating func translate(
        _ address: UInt64,
        for access: PageAccess,
        process: Int
    ) -> Result<UInt64, PageFault> {
        if process == paging.loadedProcess,
            let frame = paging.buffer.frame(address, for: access)
        {
            return .success(UInt64(frame))
        }
        return translateByWalk(address, for: access, process: process)
    }

    /// The frame that a load by kernel code finds behind an address, in the first process's tables.
    ///
    /// - Returns: nil where the load faults.
    public mutating func frameOfLoad(from address: LinearAddress) -> PFN? {
        switch translate(address.rawValue, for: .kernelLoad, process: 0) {
        case .success(let frame): PFN(rawValue: frame)
        case .failure: nil
        }
    }

    @inline(never)
    private mutating func translateByWalk(
        _ address: UInt64,
        for access: PageAccess,
        process: Int
    ) -> Result<UInt64, PageFault> {
        load(process)
        guard paging.format.isCanonical(address) else {
            return .failure(PageFault(address: address, isGeneralProtection: true))
        }
        if let frame = paging.buffer.frame(address, for: access) { return .success(UInt64(frame)) }
        let boot = keptBootTables()
        let walk = walk(address, root: root(of: process, boot), boot)
        let rights = rights(of: walk)
        guard walk.end == .mapped, rights.contains(PageRights(access)) else {
            // A refused access takes the entry out of the TLB, so that the next one walks again.
            paging.buffer.flushOwn(page: address)
            paging.cr2 = address
            return .failure(fault(address, access, walk))
        }
        markAccess(walk, isStore: access.isStore)
        if let frame = UInt32(exactly: walk.frame), isMemory(walk.frame) {
            let isDirty = access.isStore || walk.last.entry.flags.contains(.dirty)
            let cached = isDirty ? rights : rights.subtracting(.stores)
            paging.buffer.insert(address, frame, cached)
        }
        return .success(walk.frame)
    }

    /// The fault of an access that a walk refuses.
    func fault(_ address: UInt64, _ access: PageAccess, _ walk: PageWalk) -> PageFault {
        let tellsFetches = paging.format.hasNoExecute
        return PageFault(address: address, access, walk, tellsFetches: tellsFetches)
    }

    /// What a walk's entries allow under this machine's CR0 and CR4.
    func rights(of walk: PageWalk) -> PageRights {
        PageRights(
            isWritable: walk.isWritable,
            isUser: walk.isUser,
            isExecutable: walk.isExecutable,
            paging.controls
        )
    }

    /// Loads a process's PGD into CR3.
    private mutating func load(_ process: Int) {
        if process != paging.loadedProcess { paging.load(process) }
    }

    /// The frame of a process's PGD; the first one's is a boot table.
    func root(of process: Int, _ boot: BootTables) -> UInt64 {
        guard processes.indices.contains(process) else { return boot.processRoot }
        return processes[process].space.root.map(UInt64.init) ?? boot.processRoot
    }

    private mutating func markAccess(_ walk: PageWalk, isStore: Bool) {
        for place in 0..<walk.count {
            let step = walk.steps[place]
            guard step.level > 0 || paging.format.rootHasRights else { continue }
            var bits = PageTableEntry.Flags.accessed.rawValue
            if isStore && place == walk.count - 1 {
                bits |= PageTableEntry.Flags.dirty.rawValue
            }
            guard step.entry.rawValue & bits != bits else { continue }
            let entry = PageTableEntry(rawValue: step.entry.rawValue | bits)
            setTableEntry(step.table, step.index, entry)
        }
    }
}

/// Loads and stores of kernel code, page by page.
extension Kernel {
    /// Walks a range as kernel code would access it, until it ends or an access faults.
    ///
    /// The body gets the frame (nil where no memory is behind the address: a device), the offset
    /// in it, and a count of bytes. User addresses are open without SMAP, and pages come as they
    /// do for the process itself, where the context may take faults.
    ///
    /// - Returns: the bytes walked, and the fault that stopped the walk.
    mutating func walkKernel(
        _ address: UInt64,
        _ count: UInt64,
        for access: PageAccess,
        process: Int,
        in context: CallContext,
        _ body: (inout Kernel, UInt32?, Int, Int) -> Void
    ) -> (done: UInt64, fault: PageFault?) {
        var done: UInt64 = 0
        while done < count {
            let (place, overflow) = address.addingReportingOverflow(done)
            guard !overflow else {
                return (done, PageFault(address: 0, isGeneralProtection: true))
            }
            let offset = place & 4095
            let length = min(count - done, 4096 - offset)
            switch reachKernel(place, for: access, process: process, in: context) {
            case .success(let frame):
                body(&self, memoryFrame(frame), Int(offset), Int(length))
                done += length
            case .failure(let fault): return (done, fault)
            }
        }
        return (done, nil)
    }

    /// Translates; a fault on user memory that the kernel may touch is handled as for the process.
    ///
    /// `do_user_addr_fault()`, 6.1: but not where the fault handler is disabled.
    private mutating func reachKernel(
        _ address: UInt64,
        for access: PageAccess,
        process: Int,
        in context: CallContext
    ) -> Result<UInt64, PageFault> {
        let first = translate(address, for: access, process: process)
        let isOpen = !paging.controls.smap || access == .copyLoad || access == .copyStore
        guard case .failure(let fault) = first, address < userEnd, isOpen,
            !fault.isGeneralProtection, mayFault(process, in: context)
        else { return first }
        let user: UserAccess = access.isStore ? .store : .load
        let stop = handleUserFault(
            process,
            at: address,
            for: user,
            code: fault.code,
            cpu: context.cpu
        )
        guard stop == nil else { return first }
        return translate(address, for: access, process: process)
    }

    /// A frame as a place in the page map, or nil where no memory is behind it.
    @inline(__always)
    func memoryFrame(_ frame: UInt64) -> UInt32? {
        guard frame < UInt64(pages.map.capacity), !pages.isInGap(frame) else { return nil }
        return UInt32(truncatingIfNeeded: frame)
    }

    /// How many bytes from an address on kernel code could access, and what stops it.
    mutating func reachableKernelBytes(
        _ address: UInt64,
        _ count: UInt64,
        for access: PageAccess,
        in context: CallContext
    ) -> (done: UInt64, fault: PageFault?) {
        let process = process(context.pid) ?? 0
        return walkKernel(address, count, for: access, process: process, in: context) {
            _,
            _,
            _,
            _ in
        }
    }

    /// Loads bytes as kernel code would; devices read as ones.
    mutating func loadKernel(
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> (bytes: [UInt8], fault: PageFault?) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(clamping: min(count, 1 << 20)))
        let process = process(context.pid) ?? 0
        let (_, fault) = walkKernel(
            address,
            count,
            for: .kernelLoad,
            process: process,
            in: context
        ) { kernel, frame, offset, length in
            if let frame {
                kernel.readFrame(frame, offset: offset, count: length, into: &bytes)
            } else {
                bytes.append(contentsOf: repeatElement(0xff, count: length))
            }
        }
        return (bytes, fault)
    }

    /// Stores bytes as kernel code would; devices take none.
    mutating func storeKernel(
        _ address: UInt64,
        _ bytes: [UInt8],
        in context: CallContext
    ) -> (done: UInt64, fault: PageFault?) {
        var rest = bytes[...]
        let process = process(context.pid) ?? 0
        if isSanitized { noteWrite(address, UInt64(bytes.count)) }
        return walkKernel(
            address,
            UInt64(bytes.count),
            for: .kernelStore,
            process: process,
            in: context
        ) { kernel, frame, offset, length in
            if let frame { kernel.writeFrame(frame, offset: offset, rest.prefix(length)) }
            rest = rest.dropFirst(length)
        }
    }

    /// Sets bytes as kernel code would.
    mutating func setKernel(
        _ address: UInt64,
        _ count: UInt64,
        to value: UInt8,
        in context: CallContext
    ) -> (done: UInt64, fault: PageFault?) {
        let process = process(context.pid) ?? 0
        return walkKernel(
            address,
            count,
            for: .kernelStore,
            process: process,
            in: context
        ) { kernel, frame, offset, length in
            guard let frame else { return }
            kernel.fillFrame(frame, offset: offset, count: length, with: value)
        }
    }
}
