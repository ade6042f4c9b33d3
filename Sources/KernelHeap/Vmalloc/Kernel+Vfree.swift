/// Giving areas back, and the worker that collects their addresses.
extension Kernel {
    /// `vfree()`: NULL is ignored; interrupts leave the area to the worker.
    mutating func vfree(_ address: UInt64, in context: CallContext) {
        startVmalloc()
        guard context.kind != .nmi else {
            return log.bug(at: "mm/vmalloc.c:2852", in: "vfree+0x5b/0x60", context)
        }
        if profile.platform == .classicI386, context.isInInterrupt {
            return log.bug(at: "mm/vmalloc.c:413", in: "vfree+0x1d/0x20", context)
        }
        if !context.isInInterrupt, profile.platform != .classicI386 {
            mightSleep(at: "mm/vmalloc.c:2856", in: context)
        }
        guard address != 0 else { return }
        guard !context.isInInterrupt else { return deferFree(address, in: context) }
        removeArea(address, freesPages: true, in: context)
    }

    /// `vunmap()`: the pages of a `vmalloc` area would have no owner any more.
    mutating func vunmap(_ address: UInt64, in context: CallContext) {
        guard !context.isInInterrupt else {
            return log.bug(at: "mm/vmalloc.c:2876", in: "vunmap+0x33/0x40", context)
        }
        mightSleep(at: "mm/vmalloc.c:2877", in: context)
        startVmalloc()
        if address != 0 { removeArea(address, freesPages: false, in: context) }
    }

    /// `__vunmap()`: takes an area apart, by any address in it that is page-aligned, and then the
    /// area that holds its page pointers.
    mutating func removeArea(_ address: UInt64, freesPages: Bool, in context: CallContext) {
        guard address & 4095 == 0 else {
            log.warn(
                "Trying to vfree() bad address (\(pointer(address)))",
                at: "mm/vmalloc.c:2752",
                in: "__vunmap+0x31a/0x340",
                context
            )
            return
        }
        let place = vmalloc.busy.containing(address)
        guard place != 0, vmalloc.busy[place].use.kind == .area else {
            return warnOfNoArea(address, context)
        }
        var area = removeArea(at: place, freesPages: freesPages, in: context)
        // An area of 4 GiB has an array, and that one of its own; a client can put others there.
        for _ in 0..<3 where freesPages && area.flags.contains(.alloc) && area.address != 0 {
            guard let array = vmalloc.pageArray(of: area, pointerBytes: layout.wordBytes) else {
                return warnOfNoArea(area.address, context)
            }
            area = removeArea(at: array, freesPages: true, in: context)
        }
    }

    /// - Returns: what the area was for.
    private mutating func removeArea(
        at place: UInt32,
        freesPages: Bool,
        in context: CallContext
    ) -> VmapUse {
        let node = vmalloc.busy[place]
        releaseSanitizedArea(node.start, in: context)
        unmapArea(vmalloc.usable(node), order: Int(node.use.pageOrder))
        vmalloc.release(place)
        let count = Int(node.use.pageCount)
        let frames = vmalloc.frames.frames(node.use.frames, count: count)
        vmalloc.frames.remove(node.use.frames, count: count)
        guard freesPages else { return node.use }
        for frame in frames {
            freePages(PFN(rawValue: UInt64(frame)), order: 0, in: context)
        }
        // A call that gives pages back lets others run in between: the worker, if it was called.
        if count > 0 {
            if !node.use.flags.contains(.putPages) {
                vmalloc.usedPages -= min(UInt64(count), vmalloc.usedPages)
            }
            if vmalloc.isDrainPending { vmalloc.purge() }
        }
        return node.use
    }

    private mutating func warnOfNoArea(_ address: UInt64, _ context: CallContext) {
        log.warn(
            "Trying to vfree() nonexistent vm area (\(pointer(address)))",
            at: "mm/vmalloc.c:2758",
            in: "__vunmap+0x7e/0x340",
            context
        )
    }

    /// `__vfree_deferred()`: links the area into the CPU's list, by the first bytes of its memory.
    private mutating func deferFree(_ address: UInt64, in context: CallContext) {
        let next = vmalloc.deferred.last ?? 0
        let width = paging.format.levelCount == 4 ? 8 : 4
        let link = Array(next.littleEndianBytes.prefix(width))
        let (done, fault) = storeKernel(address, link, in: context)
        if let fault { return logAccessFault(at: address &+ done, code: fault.code) }
        // An area can be linked once, so the list is no longer than there are areas.
        if vmalloc.deferred.count < vmalloc.busy.count { vmalloc.deferred.append(address) }
    }

    /// Runs what waits for the worker: before the next call that may sleep, the CPU is given up.
    ///
    /// What would free too much for one call waits for the next one.
    @inline(never)
    mutating func runVmallocWork(in context: CallContext) {
        var freed: UInt64 = 0
        // The newest heads the list.
        while let address = vmalloc.deferred.last {
            let pages = vmalloc.areaPages(at: address) + 1
            guard freed == 0 || freed + pages <= Self.shortFree else { break }
            vmalloc.deferred.removeLast()
            freed += pages
            removeArea(address, freesPages: true, in: context)
        }
        if vmalloc.isDrainPending { vmalloc.purge() }
    }

    /// Pages that one call frees on the way to something else; a larger area goes alone.
    static let shortFree: UInt64 = 1 << 18

    /// Whether a call frees so large an area that a service runs it apart: its own, or the one that
    /// waits for the worker.
    ///
    /// - Parameters:
    ///   - call: any function.
    ///   - arguments: in the order of its signature.
    ///   - context: where it is made.
    /// - Returns: false for areas of up to 1 GiB.
    public func freesLargeArea(
        _ call: borrowing CallDescriptor,
        _ arguments: borrowing CallArguments,
        in context: CallContext
    ) -> Bool {
        if context.canSleep, let next = vmalloc.deferred.last,
            vmalloc.areaPages(at: next) > Self.shortFree
        {
            return true
        }
        return call.signature.freesArea && vmalloc.areaPages(at: arguments.word(0)) > Self.shortFree
    }
}

extension VmallocArena {
    /// Pages of the area that holds an address; 0 where none does.
    func areaPages(at address: UInt64) -> UInt64 {
        let place = busy.containing(address)
        guard place != 0 else { return 0 }
        let range = usable(busy[place])
        return (range.upperBound - range.lowerBound) >> 12
    }

    /// The area with another one's page pointers, if it still is what stands at its address.
    ///
    /// A client may have freed it, and something else may have its addresses by now.
    ///
    /// - Parameters:
    ///   - use: of the other area, which has `address` set.
    ///   - pointerBytes: of one pointer.
    /// - Returns: nil where no page array begins there that is large enough.
    func pageArray(of use: VmapUse, pointerBytes: UInt64) -> UInt32? {
        let place = busy.containing(use.address)
        guard place != 0 else { return nil }
        let node = busy[place]
        let pages = (UInt64(use.pageCount) * pointerBytes + 4095) >> 12
        // An area that did not get all its pages has an array that is larger than it needs.
        guard node.start == use.address, node.use.isPageArray, node.use.pageCount >= pages else {
            return nil
        }
        return place
    }
}
