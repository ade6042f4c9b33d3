/// Objects of slabs under the sanitizer: `mm/kasan/common.c`, 6.1.
extension Kernel {
    /// An object was allocated: `kasan_slab_alloc()`, `kasan_kmalloc()`.
    ///
    /// - Parameters:
    ///   - object: as the slab gave it.
    ///   - requested: bytes that `kmalloc()` was asked for; 0 elsewhere, where all are usable.
    ///   - flags: a caller that may block first makes the quarantine smaller.
    ///   - context: of the caller.
    mutating func noteSanitized(
        _ object: SlabAllocator.Object,
        requested: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) {
        if flags.contains(.directReclaim), sanitizer.quarantine.isFull { reduceQuarantine(context) }
        guard object.slab != Slab.none else { return }
        let owner = slab.slabs[Int(object.slab)]
        let shape = slab.caches[Int(owner.cache)]
        let size = UInt64(shape.objectSize)
        let place = Int(owner.states) &+ Int(object.index)
        // kmsan_slab_alloc(): what owners leave as they found it stays as well known as it was.
        let isKept = shape.isTypesafe && slab.sanitized[place].allocation != nil
        let old = slab.sanitized[place].writes
        slab.sanitized[place].allocate(
            usableBytes: requested > 0 ? min(requested, size) : size,
            writes: shape.isConstructed ? .all : isKept ? old : .none,
            by: track(context)
        )
    }

    /// Who makes the running call.
    @inline(__always)
    func track(_ context: CallContext) -> MemoryTrack {
        MemoryTrack(call: sequence, cpu: context.cpu, pid: context.pid)
    }

    /// Checks a free, and keeps the object from its freelist: `kasan_slab_free()`.
    ///
    /// - Parameters:
    ///   - address: what is freed.
    ///   - page: of its slab.
    ///   - function: which function frees.
    ///   - context: of the caller.
    /// - Returns: whether the free ends here; otherwise the object goes to its freelist at once.
    mutating func endsFree(
        of address: UInt64,
        in page: Page,
        _ function: StaticString,
        in context: CallContext
    ) -> Bool {
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let physical = address &- layout.pageOffset
        guard let index = slab.exactIndex(ofPhysical: physical, in: owner) else {
            reportFree(address, .invalidFree, function, in: context)
            return true
        }
        // Readers may look at such objects after they were freed, and so they stay as they are.
        if shape.isTypesafe { return false }
        let place = Int(owner.states) &+ Int(index)
        guard slab.sanitized[place].state == .allocated else {
            reportFree(address, .doubleFree, function, in: context)
            return true
        }
        if slab.clearsOnFree(Int(owner.cache)) { clearFreed(address, Int(owner.cache)) }
        if slab.sanitized[place].writes == .some { written.end(address) }
        slab.sanitized[place].free(.quarantined, by: track(context))
        if cgroups.isOn { cgroups.forget(address) }
        noteQuarantined(address, context)
        sanitizer.quarantine.put(address, size: UInt64(shape.size), cpu: context.cpu)
        return true
    }

    /// Frees the oldest batch of the quarantine.
    @inline(never)
    private mutating func reduceQuarantine(_ context: CallContext) {
        let objects = sanitizer.quarantine.reduce(memory: managedPages << 12)
        leaveQuarantine(objects, in: context)
    }

    /// Takes a cache's objects out of the quarantine: `kasan_cache_shrink()`,
    /// `kasan_cache_shutdown()`.
    mutating func emptyQuarantine(of cache: Int, in context: CallContext) {
        guard isSanitized else { return }
        let size = UInt64(slab.caches[cache].size)
        var quarantine = sanitizer.quarantine
        sanitizer.quarantine = Quarantine(cpus: 0)
        let objects = quarantine.remove(size: size) { address in
            guard let frame = frame(ofDirectMapped: address) else { return false }
            let page = pages.map[Int(frame)]
            return page.kind == .slab && page.slabCache == cache
        }
        sanitizer.quarantine = quarantine
        leaveQuarantine(objects, in: context)
    }

    /// Objects go to their freelists: `qlist_free_all()`.
    ///
    /// A client may have broken their slabs meanwhile: what is no object in quarantine any more is
    /// left alone.
    private mutating func leaveQuarantine(_ objects: [UInt64], in context: CallContext) {
        for address in objects {
            guard let frame = frame(ofDirectMapped: address) else { continue }
            let page = pages.map[Int(frame)]
            guard page.kind == .slab else { continue }
            let owner = slab.slabs[Int(page.slabNumber)]
            let physical = address &- layout.pageOffset
            guard let index = slab.exactIndex(ofPhysical: physical, in: owner) else { continue }
            let place = Int(owner.states) &+ Int(index)
            guard slab.sanitized[place].state == .quarantined else { continue }
            slab.sanitized[place].state = .free
            if slab.caches[Int(owner.cache)].isChecked {
                freeChecked(address, slab: page.slabNumber, in: context)
                continue
            }
            let freed = slab.free(
                at: address,
                of: page,
                cpu: context.cpu,
                call: slab.sanitized[place].freeingCall,
                pages: &pages
            )
            if !freed { log.bug(at: "mm/slub.c:419", in: "___cache_free+0x0/0x0", context) }
        }
    }

    /// The bytes of an object that may be touched change: `kasan_krealloc()`, and
    /// `kasan_unpoison_range()` of `ksize()`.
    mutating func setUsable(_ address: UInt64, _ bytes: UInt64) {
        guard let frame = frame(ofDirectMapped: address) else { return }
        let page = pages.map[Int(frame)]
        if page.kind == .slab {
            let owner = slab.slabs[Int(page.slabNumber)]
            let physical = address &- layout.pageOffset
            guard let index = slab.exactIndex(ofPhysical: physical, in: owner) else { return }
            let place = Int(owner.states) &+ Int(index)
            guard slab.sanitized[place].state == .allocated else { return }
            let size = UInt64(slab.caches[Int(owner.cache)].objectSize)
            slab.sanitized[place].usableBytes = min(bytes, size)
        } else if requestedBytes(ofBlockAt: frame) > 0 {
            sanitizer.pages[Int(frame)].request(min(bytes, 4096 << UInt64(page.order)))
        }
    }
}

extension SlabAllocator {
    /// Nobody had an object of a new slab: `kasan_poison_slab()`.
    mutating func forgetOwners(ofStates start: Int, count: Int) {
        if start + count > sanitized.capacity { sanitized.grow(toAtLeast: start + count) }
        for place in start..<start + count { sanitized[place] = SanitizedObject() }
    }

    /// Whether somebody owns an object: what waits in the quarantine is nobody's.
    func isOwned(_ place: Int) -> Bool {
        states[place].isAllocated && !(isSanitized && sanitized[place].state == .quarantined)
    }
}
