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

    /// `__vunmap()`: takes an area apart, by any address in it that is page-aligned.
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
            log.warn(
                "Trying to vfree() nonexistent vm area (\(pointer(address)))",
                at: "mm/vmalloc.c:2758",
                in: "__vunmap+0x7e/0x340",
                context
            )
            return
        }
        let node = vmalloc.busy[place]
        unmapArea(vmalloc.usable(node), order: Int(node.use.pageOrder))
        vmalloc.release(place)
        let count = Int(node.use.pageCount)
        let frames = vmalloc.frames.frames(node.use.frames, count: count)
        vmalloc.frames.remove(node.use.frames, count: count)
        guard freesPages else { return }
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
        let hasArray = node.use.flags.contains(.alloc) && node.use.address != 0
        if hasArray { removeArea(node.use.address, freesPages: true, in: context) }
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
    @inline(never)
    mutating func runVmallocWork(in context: CallContext) {
        if !vmalloc.deferred.isEmpty {
            let waiting = vmalloc.deferred
            vmalloc.deferred = []
            // The newest heads the list.
            for address in waiting.reversed() {
                removeArea(address, freesPages: true, in: context)
            }
        }
        if vmalloc.isDrainPending { vmalloc.purge() }
    }
}
