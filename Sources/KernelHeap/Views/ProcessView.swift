/// A process and the areas of its user space.
public struct ProcessView: Hashable, Sendable {
    /// A `struct vm_area_struct` and how much of it has pages.
    public struct Area: Hashable, Sendable {
        public var start: LinearAddress
        /// First address behind it.
        public var end: LinearAddress
        public var rights: MemoryRights
        public var isShared: Bool
        public var residentPages: UInt64
    }

    /// A page of a process and the frame behind it.
    public struct Resident: Hashable, Sendable {
        public var address: LinearAddress
        public var pfn: PFN
    }

    public var pid: Int
    public var name: String
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
    public var pids: [Int] { processes.map(\.pid) }

    /// A process with its areas from an address on.
    ///
    /// Costs the areas and the pages that the process has touched.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - address: areas that end at or below it are left out.
    ///   - limit: most areas to give.
    /// - Returns: `nil` where there is no such process.
    public func processView(
        _ pid: Int,
        areasFrom address: LinearAddress = .null,
        limit: Int
    ) -> ProcessView? {
        guard let index = process(pid) else { return nil }
        let process = processes[index]
        let all = process.space.areas
        let first = all.firstIndex { $0.end > address.rawValue } ?? all.count
        let shown = Array(all[first...].prefix(max(limit, 0)))
        let counts = shown.map { residentPages(index, $0) }
        var view = ProcessView(
            pid: process.pid,
            name: process.name,
            areaCount: all.count,
            residentPages: process.space.residentPages,
            pageDirectory: PhysicalAddress(rawValue: root(of: index, bootTables()) << 12),
            pageTableBytes: UInt64(process.space.tableCount) * 4096,
            areas: []
        )
        for (area, count) in zip(shown, counts) {
            view.areas.append(
                ProcessView.Area(
                    start: LinearAddress(rawValue: area.start),
                    end: LinearAddress(rawValue: area.end),
                    rights: area.rights,
                    isShared: area.isShared,
                    residentPages: count
                )
            )
        }
        if first + shown.count < all.count {
            view.next = LinearAddress(rawValue: all[first + shown.count].start)
        }
        return view
    }

    /// Counts an area's pages of its own: the shared zero page is none.
    private func residentPages(_ process: Int, _ area: VMArea) -> UInt64 {
        guard processes[process].space.residentPages > 0 else { return 0 }
        let leaves = userLeaves(process, area.start..<area.end).found
        return UInt64(leaves.count { !$0.entry.flags.contains(.special) })
    }

    /// The pages of a process that have a frame, by address.
    ///
    /// Costs the tables on the way. Pages of areas without rights are among them.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - address: where to begin.
    ///   - limit: most pages to give.
    /// - Returns: the pages, and where to go on, nil at the end; `nil` without such a process.
    public func residentPages(
        of pid: Int,
        from address: LinearAddress,
        limit: Int
    ) -> (pages: [ProcessView.Resident], next: LinearAddress?)? {
        guard let index = process(pid) else { return nil }
        var found: [ProcessView.Resident] = []
        var start = address.rawValue
        while found.count < limit, start < userEnd {
            let wanted = min(limit - found.count, 4_096)
            let (leaves, next) = userLeaves(index, start..<userEnd, limit: wanted)
            for leaf in leaves where !leaf.entry.flags.contains(.special) {
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
