/// Memory that a caller holds: a slab object, a block of pages, or a vmalloc area.
///
/// What the kernel holds for itself is left out: pages of processes, files and tables, kernel
/// stacks, the pages behind areas, open files, caches of the boot.
public struct OutstandingAllocation: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case object, pages, area
    }

    public var kind: Kind
    public var address: UInt64
    public var pfn: UInt64?
    /// Bytes that the caller may use.
    public var size: UInt64
    /// Of an object.
    public var cache: String?
    /// The call that allocated it; nil for the boot's.
    public var call: UInt64?

    /// The name of the kind.
    public var kindName: String { kind.rawValue }
}

extension Kernel {
    /// Everything that callers hold, objects by slab, then areas, then blocks of pages by frame.
    ///
    /// Costs what the machine holds.
    ///
    /// - Parameters:
    ///   - since: only allocations of calls behind this one; 0 for those of the boot, too.
    ///   - ofDevices: also what goes with a device that is there.
    /// - Returns: each allocation once.
    public func outstandingAllocations(
        since: UInt64 = 0,
        ofDevices: Bool = true
    ) -> [OutstandingAllocation] {
        var found: [OutstandingAllocation] = []
        let managed = ofDevices ? DeviceMemory() : deviceMemory()
        appendObjects(since, but: managed, to: &found)
        appendAreas(since, to: &found)
        appendPages(since, but: managed, to: &found)
        return found
    }

    private func appendObjects(
        _ since: UInt64,
        but managed: DeviceMemory,
        to found: inout [OutstandingAllocation]
    ) {
        for number in 0..<slab.slabLimit {
            let owner = slab.slabs[number]
            guard owner.isLive else { continue }
            let shape = slab.caches[Int(owner.cache)]
            for index in 0..<Int(owner.objects) {
                let place = Int(owner.states) + index
                guard slab.isOwned(place), let call = call(slab.states[place].call), call > since
                else { continue }
                let address = layout.virtual(owner.pfn) &+ shape.begin(of: index)
                guard isCallers(address, cache: Int(owner.cache), call),
                    !managed.owns(object: address, of: call)
                else { continue }
                found.append(
                    OutstandingAllocation(
                        kind: .object,
                        address: address,
                        pfn: UInt64(owner.pfn) &+ (shape.begin(of: index) >> 12),
                        size: UInt64(shape.objectSize),
                        cache: slab.catalog.names[Int(owner.cache)],
                        call: call
                    )
                )
            }
        }
    }

    /// Whether an object is a caller's: the files of devices have owners of their own, and the first
    /// two caches hold caches, of which those of the boot are nobody's.
    private func isCallers(_ address: UInt64, cache: Int, _ call: UInt64) -> Bool {
        if devices.files[address] != nil { return false }
        guard cache < 2 else { return true }
        return function(ofCall: call)?.hasPrefix("kmem_cache_create") ?? false
    }

    private func appendAreas(_ since: UInt64, to found: inout [OutstandingAllocation]) {
        guard vmalloc.isStarted else { return }
        let stacks = Set(devices.stacks.values)
        var place = vmalloc.busy.first(endingAfter: 0)
        while place != 0 {
            let node = vmalloc.busy[place]
            place = vmalloc.busy.next(place)
            let call = UInt64(node.use.maker)
            guard !node.use.isBoot, call > since, !stacks.contains(node.start) else { continue }
            let usable = vmalloc.usable(node)
            found.append(
                OutstandingAllocation(
                    kind: .area,
                    address: node.start,
                    size: usable.upperBound - usable.lowerBound,
                    call: call
                )
            )
        }
    }

    private func appendPages(
        _ since: UInt64,
        but managed: DeviceMemory,
        to found: inout [OutstandingAllocation]
    ) {
        let owned = framesWithOwners().union(managed.frames)
        let end = pages.endPFN
        var pfn: UInt64 = 0
        while pfn < end {
            let run = frameRun(at: pfn, limit: end)
            pfn = max(run.end, pfn + 1)
            guard case .block(let page) = run.use, page.kind == .allocated, !page.isOnLRU,
                !page.isPageTable, !owned.contains(run.start)
            else { continue }
            let call = self.call(page.call)
            guard since == 0 || call ?? 0 > since else { continue }
            found.append(
                OutstandingAllocation(
                    kind: .pages,
                    address: layout.virtual(UInt32(truncatingIfNeeded: run.start)),
                    pfn: run.start,
                    size: (run.end - run.start) << 12,
                    call: call
                )
            )
        }
    }

    /// Frames behind areas, and those of kernel stacks in the direct map.
    private func framesWithOwners() -> Set<UInt64> {
        var owned: Set<UInt64> = []
        for stack in devices.stacks.values {
            if let frame = frame(ofDirectMapped: stack) { owned.insert(UInt64(frame)) }
        }
        guard vmalloc.isStarted else { return owned }
        var place = vmalloc.busy.first(endingAfter: 0)
        while place != 0 {
            let use = vmalloc.busy[place].use
            // vmap() leaves its pages to whoever allocated them.
            if !use.isBoot, use.flags.contains(.alloc) || use.flags.contains(.putPages) {
                for frame in vmalloc.frames.frames(use.frames, count: Int(use.pageCount)) {
                    owned.insert(UInt64(frame))
                }
            }
            place = vmalloc.busy.next(place)
        }
        return owned
    }
}
