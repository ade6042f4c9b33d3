/// Swap areas come and go: `mm/swapfile.c`, 6.1.
extension Kernel {
    /// `swapon()`.
    ///
    /// - Returns: `EINVAL` for an area without room for a page, `EBUSY` where the path is in use,
    ///   `EPERM` where there are too many, `ENOENT` and `ENAMETOOLONG` for paths.
    mutating func swapOn(_ path: String, bytes: UInt64) -> Errno? {
        guard !path.isEmpty else { return .ENOENT }
        guard path.utf8.count <= 255 else { return .ENAMETOOLONG }
        // An entry of 4 bytes has 23 bits for the place.
        let most = paging.format.entryBytes == 4 ? 1 << 23 : SwapAreas.pageLimit
        let pages = min(bytes >> 12, most)
        guard pages >= 2 else { return .EINVAL }
        guard !swap.areas.contains(where: { $0.isOn && $0.path == path }) else { return .EBUSY }
        guard let place = swap.add(path, pageCount: UInt32(truncatingIfNeeded: pages)) else {
            return .EPERM
        }
        let kilobytes = (pages - 1) * 4
        log.append(
            "Adding \(kilobytes)k swap on \(CacheName.escaped(path)).  "
                + "Priority:\(swap.areas[place].priority) extents:1 across:\(kilobytes)k "
        )
        return nil
    }

    /// `swapoff()`: every page in the area comes back first.
    ///
    /// - Returns: `EINVAL` for a path that is no area; `ENOMEM` where there is no room for what it
    ///   holds, which is then as before.
    mutating func swapOff(_ path: String, in context: CallContext) -> Errno? {
        let found = swap.areas.firstIndex { $0.isOn && $0.path == path }
        guard let area = found else { return .EINVAL }
        // Nothing may go out again while it comes back.
        let others = swap.freePages - UInt64(swap.areas[area].freePages)
        guard UInt64(swap.areas[area].usedPages) <= others + freeMemoryPages else {
            return .ENOMEM
        }
        swap.turn(area, on: false)
        guard bringBackAll(area, cpu: context.cpu) else {
            swap.turn(area, on: true)
            return .ENOMEM
        }
        for offset in swap.areas[area].usedOffsets {
            guard let pfn = swap.areas[area].cachedPage(offset) else { continue }
            freeFromSwapCache(pfn, cpu: context.cpu)
        }
        swap.closeGap(area)
        return nil
    }

    private var freeMemoryPages: UInt64 {
        pages.zones.indices.reduce(0) { $0 + UInt64(max(pages.zones[$1].free, 0)) }
    }

    /// `try_to_unuse()`: 6.1 would kill who asks before anybody else; here nobody is.
    private mutating func bringBackAll(_ area: Int, cpu: Int) -> Bool {
        isKillerOff = true
        defer { isKillerOff = false }
        guard bringBackFiles(area, cpu: cpu) else { return false }
        for process in processes.indices where processes[process].isAlive {
            guard bringBack(area, of: process, cpu: cpu) else { return false }
        }
        return true
    }

    private mutating func bringBackFiles(_ area: Int, cpu: Int) -> Bool {
        for place in files.swappedPlaces {
            let numbers = files[place]?.swapped.filter { $0.value.area == area }.keys.sorted()
            for number in numbers ?? [] where cachedPage(place, number, cpu: cpu) == nil {
                return false
            }
        }
        return true
    }

    /// `unuse_mm()`.
    private mutating func bringBack(_ area: Int, of process: Int, cpu: Int) -> Bool {
        var budget = WalkBudget(processes[process].space)
        var start: UInt64 = 0
        while start < userEnd {
            let part = start..<userEnd
            let (leaves, next) = userLeaves(process, part, limit: 4_096, &budget)
            for leaf in leaves where paging.format.isSwapEntry(leaf.entry) {
                guard paging.format.swapSlot(of: leaf.entry).slot.area == area,
                    let owner = processes[process].space.area(at: leaf.address)
                else { continue }
                let stop = swapIn(process, leaf, owner, for: .load, cpu: cpu)
                if stop?.reason == .outOfMemory { return false }
            }
            guard let next, next > start else { return true }
            start = next
        }
        return true
    }
}

/// Shrinkers are registered and asked: `mm/vmscan.c`, 6.1.
extension Kernel {
    /// `register_shrinker()`.
    ///
    /// - Returns: `EEXIST` for a name that is taken, `ENOMEM` where there are too many.
    mutating func register(_ shrinker: Shrinker) -> Errno? {
        guard !shrinkers.contains(where: { $0.name == shrinker.name }) else { return .EEXIST }
        guard shrinkers.count < Self.maximumShrinkers else { return .ENOMEM }
        shrinkers.append(shrinker)
        return nil
    }

    mutating func unregisterShrinker(_ name: String) -> Errno? {
        guard let place = shrinkers.firstIndex(where: { $0.name == name }) else { return .EINVAL }
        shrinkers.remove(at: place)
        return nil
    }

    /// `drop_caches_sysctl_handler()`.
    mutating func dropCaches(
        _ what: UInt32,
        in context: CallContext
    ) -> (pages: Int, slabPages: Int) {
        var result = (pages: 0, slabPages: 0)
        if what & 1 != 0 {
            result.pages = dropPageCache(cpu: context.cpu)
            events[.dropPagecache] &+= 1
        }
        if what & 2 != 0 {
            var scan = ScanControl(flags: .kernel, highestZone: .device, cpu: context.cpu)
            scan.priority = 0
            for node in 0..<slab.nodeCount { result.slabPages += shrinkSlabs(node: node, scan) }
            events[.dropSlab] &+= 1
        }
        if what & 4 == 0 {
            let name = process(context.pid).map { processes[$0].name } ?? "swapper"
            log.append("\(name) (\(context.pid)): drop_caches: \(what)")
        }
        return result
    }

    /// A file of a disk is at least so long.
    mutating func growDiskFile(_ place: Int, to size: UInt64) {
        if let file = files[place], file.size < size { files[place]?.size = size }
    }
}
