extension Kernel {
    /// Which access a fault wants to make.
    enum UserAccess { case load, store }

    /// Makes one page of user memory accessible, as the processor and its fault handler do.
    ///
    /// - Parameters:
    ///   - process: as an index.
    ///   - address: any.
    ///   - access: what is wanted.
    ///   - isCopy: by the kernel, in a user copy; otherwise by the process itself.
    ///   - mayFault: whether the fault handler may help; false where the kernel must not sleep.
    ///   - cpu: where memory is asked for.
    /// - Returns: the frame, nil where no memory is behind it; or why the access is refused.
    mutating func userPage(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess,
        isCopy: Bool = false,
        mayFault: Bool = true,
        cpu: Int
    ) -> Result<UInt32?, UserFault.Stop> {
        let kind: PageAccess =
            switch access {
            case .load: isCopy ? .copyLoad : .userLoad
            case .store: isCopy ? .copyStore : .userStore
            }
        // One fault brings the page. Where a second one follows, a client has changed the tables:
        // a real machine would fault for ever.
        var code: UInt32 = 0
        for _ in 0..<2 {
            switch translate(address, for: kind, process: process) {
            case .success(let frame): return .success(memoryFrame(frame))
            case .failure(let fault): code = fault.code
            }
            guard mayFault else {
                let refusal = refusal(process, at: address, for: access)
                var stop = refusal ?? UserFault.Stop(.faultsDisabled)
                stop.code = code
                return .failure(stop)
            }
            if var stop = handleUserFault(process, at: address, for: access, cpu: cpu) {
                stop.code = code
                return .failure(stop)
            }
        }
        var stop = UserFault.Stop(.badPageTable)
        stop.code = code
        return .failure(stop)
    }

    /// Brings the page of an address, or finds out why not: `handle_mm_fault()`, 6.1.
    ///
    /// - Returns: nil where the access can be made now.
    mutating func handleUserFault(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess,
        cpu: Int
    ) -> UserFault.Stop? {
        guard let area = processes[process].space.area(at: address) else {
            return UserFault.Stop(.notMapped)
        }
        if let refusal = refusal(process, at: address, for: access) { return refusal }
        let leaf: UserLeaf
        switch makeLeaf(process, at: address, cpu: cpu) {
        case .success(let place): leaf = place
        case .failure(let stop): return stop
        }
        let flags = leaf.entry.flags
        if leaf.entry.rawValue == 0 {
            guard access == .store else {
                mapZeroPage(leaf, area)
                return nil
            }
            return mapNewPage(process, leaf, area, cpu: cpu)
        }
        // Neither present nor empty: no swap exists that it could name.
        guard flags.contains(.present) else { return UserFault.Stop(.badPageTable) }
        guard access == .store, !flags.contains(.writable) else { return nil }
        if flags.contains(.special) { return mapNewPage(process, leaf, area, cpu: cpu) }
        // The page is the process's own: `wp_page_reuse()`.
        let bits = flags.union([.writable, .accessed, .dirty])
        setTableEntry(leaf.table, leaf.index, paging.format.entry(leaf.entry, with: bits))
        paging.buffer.flush(page: address)
        return nil
    }

    /// Why the process's areas do not allow an access.
    private func refusal(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess
    ) -> UserFault.Stop? {
        guard let area = processes[process].space.area(at: address) else {
            return UserFault.Stop(.notMapped)
        }
        if area.rights.isEmpty { return UserFault.Stop(.noAccess) }
        if access == .store && !area.rights.contains(.write) { return UserFault.Stop(.readOnly) }
        return nil
    }

    /// A read of memory that nobody has written: `do_anonymous_page()` maps the shared zero page.
    private mutating func mapZeroPage(_ leaf: UserLeaf, _ area: VMArea) {
        pageFaults &+= 1
        let frame = keptBootTables().zeroFrame
        let flags = protection(area.rights).union(.special)
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: frame, flags))
        notePage(leaf.address, frame)
    }

    /// A write finds nothing, or the zero page: the process gets a page of zeros.
    private mutating func mapNewPage(
        _ process: Int,
        _ leaf: UserLeaf,
        _ area: VMArea,
        cpu: Int
    ) -> UserFault.Stop? {
        let request = AllocationRequest(
            order: 0,
            flags: .highUserMovable,
            cpu: cpu,
            zones: pages.gfpZones
        )
        guard let pfn = pages.allocate(request) else { return UserFault.Stop(.outOfMemory) }
        pageFaults &+= 1
        pages.contents.clear(pfn, pages: 1)
        markOnLRU(pfn)
        processes[process].space.residentPages &+= 1
        let flags = protection(area.rights).union([.writable, .dirty])
        setTableEntry(leaf.table, leaf.index, paging.format.entry(frame: UInt64(pfn), flags))
        paging.buffer.flush(page: leaf.address)
        notePage(leaf.address, UInt64(pfn))
        return nil
    }

    private mutating func notePage(_ address: UInt64, _ frame: UInt64) {
        guard pages.decisions.isOn else { return }
        pages.decisions.add(
            .pageFaulted(address: LinearAddress(rawValue: address), pfn: PFN(rawValue: frame))
        )
    }

    private mutating func markOnLRU(_ pfn: UInt32) {
        pages.map[Int(pfn)].isOnLRU = true
        pages.lruPages[Int(pfn) / pages.pageblockPages] &+= 1
    }

    /// Gives back a page that left a process.
    mutating func dropUserPage(_ pfn: UInt32, cpu: Int) {
        if pages.map[Int(pfn)].isOnLRU {
            pages.map[Int(pfn)].isOnLRU = false
            pages.lruPages[Int(pfn) / pages.pageblockPages] &-= 1
        }
        // The page may have been freed under the process: then this is one reference too many.
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    /// Walks a user range page by page until it ends or an access is refused.
    ///
    /// The body gets the frame (nil where no memory is behind it, which reads as zeros), the offset
    /// in it, and a count of bytes. The result is the bytes walked, and the fault that stopped the
    /// walk.
    mutating func walkUser(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        for access: UserAccess,
        isCopy: Bool = false,
        mayFault: Bool = true,
        cpu: Int,
        _ body: (inout Kernel, UInt32?, Int, Int) -> Void
    ) -> (done: UInt64, fault: UserFault?) {
        var done: UInt64 = 0
        while done < count {
            let place = address &+ done
            let offset = place % AddressSpace.pageBytes
            let length = min(count - done, AddressSpace.pageBytes - offset)
            let page = userPage(
                process,
                at: place,
                for: access,
                isCopy: isCopy,
                mayFault: mayFault,
                cpu: cpu
            )
            switch page {
            case .success(let pfn):
                body(&self, pfn, Int(offset), Int(length))
                done += length
            case .failure(let stop):
                var fault = UserFault(address: LinearAddress(rawValue: place), reason: stop.reason)
                fault.code = stop.code
                return (done, fault)
            }
        }
        return (done, nil)
    }
}

extension UserFault {
    /// A refusal on its way to becoming a fault with an address.
    struct Stop: Error {
        let reason: Reason
        /// What the processor pushed.
        var code: UInt32 = 0

        init(_ reason: Reason) { self.reason = reason }
    }
}
