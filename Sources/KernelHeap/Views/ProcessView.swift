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
        let counts = residentPages(of: process.space, in: shown)
        var view = ProcessView(
            pid: process.pid,
            name: process.name,
            areaCount: all.count,
            residentPages: UInt64(process.space.pages.count),
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

    /// Counts each area's pages in one pass over the pages, whose order does not matter here.
    private func residentPages(of space: AddressSpace, in areas: [VMArea]) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: areas.count)
        for number in space.pages.keys {
            let address = number &* AddressSpace.pageBytes
            var low = 0
            var high = areas.count
            while low < high {
                let middle = (low + high) / 2
                if areas[middle].end > address { high = middle } else { low = middle + 1 }
            }
            if low < areas.count, areas[low].start <= address { counts[low] += 1 }
        }
        return counts
    }

    /// The pages of a process that have a frame, by address.
    ///
    /// Looks at a limited number of addresses, so a part of a sparse space may come out empty and
    /// still name where to go on.
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
        let space = processes[index].space
        var found: [ProcessView.Resident] = []
        var steps = 1 << 18
        for area in space.areas where area.end > address.rawValue {
            let first = max(area.start, address.rawValue) / AddressSpace.pageBytes
            for number in first..<area.end / AddressSpace.pageBytes {
                let place = LinearAddress(rawValue: number * AddressSpace.pageBytes)
                guard steps > 0, found.count < limit else { return (found, place) }
                steps -= 1
                guard let pfn = space.pages[number] else { continue }
                found.append(
                    ProcessView.Resident(address: place, pfn: PFN(rawValue: UInt64(pfn)))
                )
            }
        }
        return (found, nil)
    }
}
