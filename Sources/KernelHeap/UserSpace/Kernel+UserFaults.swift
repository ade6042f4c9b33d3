extension Kernel {
    /// Which access a fault wants to make.
    enum UserAccess { case load, store }

    /// Makes one page of user memory accessible, as the page fault handler does.
    ///
    /// - Returns: the frame, nil for the shared zero page; or why the access is refused.
    mutating func userPage(
        _ process: Int,
        at address: UInt64,
        for access: UserAccess,
        cpu: Int
    ) -> Result<UInt32?, UserFault.Stop> {
        guard let area = processes[process].space.area(at: address) else {
            return .failure(UserFault.Stop(.notMapped))
        }
        if area.rights.isEmpty { return .failure(UserFault.Stop(.noAccess)) }
        if access == .store && !area.rights.contains(.write) {
            return .failure(UserFault.Stop(.readOnly))
        }
        let number = address / AddressSpace.pageBytes
        if let pfn = processes[process].space.pages[number] { return .success(pfn) }
        if access == .load { return .success(nil) }
        let request = AllocationRequest(order: 0, flags: .highUserMovable, cpu: cpu)
        guard let pfn = pages.allocate(request) else {
            return .failure(UserFault.Stop(.outOfMemory))
        }
        pageFaults &+= 1
        pages.contents.clear(pfn, pages: 1)
        markOnLRU(pfn)
        processes[process].space.pages[number] = pfn
        if pages.decisions.isOn {
            pages.decisions.add(
                .pageFaulted(
                    address: LinearAddress(rawValue: address),
                    pfn: PFN(rawValue: UInt64(pfn))
                )
            )
        }
        return .success(pfn)
    }

    private mutating func markOnLRU(_ pfn: UInt32) {
        pages.map[Int(pfn)].isOnLRU = true
        pages.lruPages[Int(pfn) / PageAllocator.pageblockPages] &+= 1
    }

    /// Gives back a page that left a process.
    mutating func dropUserPage(_ pfn: UInt32, cpu: Int) {
        if pages.map[Int(pfn)].isOnLRU {
            pages.map[Int(pfn)].isOnLRU = false
            pages.lruPages[Int(pfn) / PageAllocator.pageblockPages] &-= 1
        }
        // The page may have been freed under the process: then this is one reference too many.
        freePages(PFN(rawValue: UInt64(pfn)), order: 0, in: CallContext(cpu: cpu))
    }

    /// Walks a user range page by page until it ends or an access is refused.
    ///
    /// The body gets the frame (nil for the zero page), the offset in it, and a count of bytes. The
    /// result is the bytes walked, and the fault that stopped the walk.
    mutating func walkUser(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        for access: UserAccess,
        cpu: Int,
        _ body: (inout Kernel, UInt32?, Int, Int) -> Void
    ) -> (done: UInt64, fault: UserFault?) {
        var done: UInt64 = 0
        while done < count {
            let place = address &+ done
            let offset = place % AddressSpace.pageBytes
            let length = min(count - done, AddressSpace.pageBytes - offset)
            switch userPage(process, at: place, for: access, cpu: cpu) {
            case .success(let pfn):
                body(&self, pfn, Int(offset), Int(length))
                done += length
            case .failure(let stop):
                let fault = UserFault(address: LinearAddress(rawValue: place), reason: stop.reason)
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

        init(_ reason: Reason) { self.reason = reason }
    }
}
