/// A process and the areas of its user space.
public struct ProcessView: Hashable, Sendable {
    /// A `struct vm_area_struct` and how much of it has pages.
    public struct Area: Hashable, Sendable {
        public var start: LinearAddress
        /// First address behind it.
        public var end: LinearAddress
        public var rights: MemoryRights
        public var flags: VMFlags
        /// Where it begins in its file, in bytes; 0 without one.
        public var offset: UInt64
        /// Of its file; 0 without one.
        public var inode: UInt64
        /// What stands behind it in `/proc/<pid>/maps`: `[heap]`, `/memfd:x (deleted)`; or nothing.
        public var name: String
        public var residentPages: UInt64

        public var isShared: Bool { flags.contains(.shared) }
    }

    /// A page of a process and the frame behind it.
    public struct Resident: Hashable, Sendable {
        public var address: LinearAddress
        public var pfn: PFN
    }

    /// What a process has of memory, in pages: the `Vm` lines of `/proc/<pid>/status`.
    public struct Memory: Hashable, Sendable {
        public var peakMapped: UInt64
        public var mapped: UInt64
        public var locked: UInt64
        public var peakResident: UInt64
        public var anonymous: UInt64
        public var ofFiles: UInt64
        public var data: UInt64 = 0
        public var stack: UInt64 = 0
        public var executable: UInt64 = 0
        public var tables: UInt64
        public var swapped: UInt64 = 0
    }

    public var pid: Int
    public var name: String
    /// The process that made it; 0 for the first.
    public var parent: Int
    public var memory: Memory
    public var areaCount: Int
    public var residentPages: UInt64
    /// The physical address of its PGD: CR3 while it runs.
    public var pageDirectory: PhysicalAddress
    /// Bytes of its tables below the PGD: `VmPTE`.
    public var pageTableBytes: UInt64
    /// Ascending; a part of them where there are many.
    public var areas: [Area]
    /// Where the areas go on, nil at their end.
    public var next: LinearAddress?
}

extension MemoryRights {
    /// As in `/proc/<pid>/maps`, without the letter for sharing: `rw-`.
    public var letters: String { text }
}

extension Kernel {
    /// The numbers of all processes, in order of creation.
    public var pids: [Int] { processes.filter(\.isAlive).map(\.pid) }

    /// A process with its areas from an address on.
    ///
    /// Costs the areas and, where pages are counted, those that the process has touched.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - address: areas that end at or below it are left out.
    ///   - limit: most areas to give.
    ///   - countsPages: whether the areas say how many pages they have; 0 otherwise.
    /// - Returns: `nil` where there is no such process.
    public func processView(
        _ pid: Int,
        areasFrom address: LinearAddress = .null,
        limit: Int,
        countsPages: Bool = true
    ) -> ProcessView? {
        guard let index = process(pid) else { return nil }
        let process = processes[index]
        let all = process.space.areas
        let first = all.firstIndex { $0.end > address.rawValue } ?? all.count
        let shown = Array(all[first...].prefix(max(limit, 0)))
        var budget = WalkBudget(process.space, ranges: shown.count)
        let counts = shown.map { countsPages ? residentPages(index, $0, &budget) : 0 }
        var view = ProcessView(
            pid: process.pid,
            name: process.name,
            parent: process.parent,
            memory: memory(of: process.space),
            areaCount: all.count,
            residentPages: process.space.residentPages,
            pageDirectory: PhysicalAddress(rawValue: root(of: index, bootTables()) << 12),
            pageTableBytes: UInt64(process.space.tableCount) * 4096,
            areas: []
        )
        for (area, count) in zip(shown, counts) {
            var areaView = areaView(area, of: process.space)
            areaView.residentPages = count
            view.areas.append(areaView)
        }
        if first + shown.count < all.count {
            view.next = LinearAddress(rawValue: all[first + shown.count].start)
        }
        return view
    }

    private func areaView(_ area: VMArea, of space: AddressSpace) -> ProcessView.Area {
        let file = area.file.flatMap { files[$0] }
        var name = file.map { $0.path + " (deleted)" } ?? ""
        let device = area.device.flatMap { devices.files[$0] }
            .flatMap { devices.device(major: $0.major) }.map { devices.devices[$0] }
        if let device {
            name = "/dev/" + device.name
        } else if file == nil {
            let isHeap = area.start <= space.heap.upperBound && area.end >= space.heap.lowerBound
            let isStack = area.start <= space.stackStart && area.end >= space.stackStart
            name = isHeap ? "[heap]" : isStack ? "[stack]" : ""
        }
        return ProcessView.Area(
            start: LinearAddress(rawValue: area.start),
            end: LinearAddress(rawValue: area.end),
            rights: area.rights,
            flags: area.flags,
            offset: file == nil && device == nil ? 0 : area.pageOffset << 12,
            inode: file?.inode ?? 0,
            name: name,
            residentPages: 0
        )
    }

    /// Adds up areas by what they are for: `vm_stat_account()`.
    private func memory(of space: AddressSpace) -> ProcessView.Memory {
        var memory = ProcessView.Memory(
            peakMapped: space.peakMappedPages,
            mapped: space.mappedPages,
            locked: space.lockedPages,
            peakResident: max(space.peakResidentPages, space.residentPages),
            anonymous: space.anonymousPages,
            ofFiles: space.filePages,
            tables: UInt64(space.tableCount),
            swapped: space.swapEntries
        )
        for area in space.areas {
            let isStack = area.flags.contains(.growsDown)
            let mayWrite = area.rights.contains(.write)
            if area.rights.contains(.execute) && !mayWrite && !isStack {
                memory.executable &+= area.pageCount
            } else if isStack {
                memory.stack &+= area.pageCount
            } else if mayWrite && !area.isShared {
                memory.data &+= area.pageCount
            }
        }
        return memory
    }

    /// Lowest tables of some processes together, or of all: what the time goes with that it takes
    /// to look at their pages.
    public func tableCount(ofProcess pid: Int?) -> Int {
        processes.reduce(0) { sum, process in
            let isMeant = process.isAlive && (pid == nil || process.pid == pid)
            return isMeant ? sum + process.space.tableCount : sum
        }
    }

    /// Counts an area's pages: the shared zero page is none.
    private func residentPages(
        _ process: Int,
        _ area: VMArea,
        _ budget: inout WalkBudget
    ) -> UInt64 {
        guard processes[process].space.residentPages > 0 else { return 0 }
        var count: UInt64 = 0
        forEachUserLeaf(process, area.start..<area.end, &budget) { leaf in
            guard !leaf.entry.flags.contains(.special), !paging.format.isSwapEntry(leaf.entry)
            else { return }
            count += 1
        }
        return count
    }

    /// The pages of a process that have a frame, by address.
    ///
    /// Costs the tables on the way. Pages of areas without rights are among them.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - address: where to begin.
    ///   - limit: most pages to give.
    ///   - most: entries of tables to look at, about: the zero page is passed over.
    /// - Returns: the pages, and where to go on, nil at the end; `nil` without such a process.
    public func residentPages(
        of pid: Int,
        from address: LinearAddress,
        limit: Int,
        lookingAt most: Int = 1 << 18
    ) -> (pages: [ProcessView.Resident], next: LinearAddress?)? {
        guard let index = process(pid) else { return nil }
        var found: [ProcessView.Resident] = []
        var start = address.rawValue
        var budget = WalkBudget(processes[index].space)
        var looked = 0
        while found.count < limit, looked < most, start < userEnd {
            let wanted = min(limit - found.count, most - looked, 4_096)
            let (leaves, next) = userLeaves(index, start..<userEnd, limit: wanted, &budget)
            looked += leaves.count
            for leaf in leaves
            where !leaf.entry.flags.contains(.special) && !paging.format.isSwapEntry(leaf.entry) {
                let place = LinearAddress(rawValue: leaf.address)
                guard found.count < limit else { return (found, place) }
                let pfn = paging.format.storedFrame(of: leaf.entry)
                found.append(ProcessView.Resident(address: place, pfn: PFN(rawValue: pfn)))
            }
            guard let next, next > start else { return (found, nil) }
            start = next
        }
        return (found, start < userEnd ? LinearAddress(rawValue: start) : nil)
    }
}
