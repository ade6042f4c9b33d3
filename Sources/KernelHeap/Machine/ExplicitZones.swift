/// Zones, free lists and per-CPU lists exactly as a client spelled them out, checked.
enum ExplicitZones {
    /// The zones' sizes and places.
    static func zones(_ descriptions: [ZoneDescription]) throws(MachineError) -> [Zone] {
        guard !descriptions.isEmpty, descriptions.count <= MachineBoot.maximumZones else {
            throw MachineError("/zones", "a machine has 1 to \(MachineBoot.maximumZones) zones")
        }
        var zones: [Zone] = []
        for (index, description) in descriptions.enumerated() {
            let (end, overflow) = description.startPFN.addingReportingOverflow(description.spanned)
            guard !overflow, end <= MachineBoot.frameLimit, description.spanned > 0 else {
                throw MachineError(
                    "/zones/\(index)/spanned",
                    "a zone spans 1 page or more and ends below frame \(MachineBoot.frameLimit)"
                )
            }
            guard description.present <= description.spanned,
                description.managed <= description.present
            else {
                throw MachineError(
                    "/zones/\(index)/managed",
                    "managed <= present <= spanned does not hold"
                )
            }
            guard (0..<4).contains(description.node) else {
                throw MachineError("/zones/\(index)/node", "a node is 0 to 3")
            }
            if let other = zones.firstIndex(where: {
                $0.startPFN < end && description.startPFN < $0.endPFN
            }) {
                throw MachineError("/zones/\(index)/start_pfn", "overlaps zone \(other)")
            }
            zones.append(
                Zone(
                    type: description.name,
                    node: description.node,
                    startPFN: description.startPFN,
                    spanned: description.spanned,
                    present: description.present,
                    managed: description.managed
                )
            )
        }
        return zones
    }

    /// Replaces computed marks by given ones.
    static func apply(
        _ description: ZoneDescription,
        to zone: inout Zone,
        has32Bits: Bool
    ) {
        if let marks = description.watermarks {
            zone.watermarks = Watermarks(
                min: pages(marks.min),
                low: pages(marks.low),
                high: pages(marks.high),
                boost: pages(marks.boost)
            )
        }
        guard let reserve = description.lowmemReserve else { return }
        // In the order in which the machine prints them; six values name all types.
        let order: [ZoneType] =
            reserve.count > 5 ? ZoneType.allCases : PageAllocator.zoneTypes(has32Bits: has32Bits)
        for (type, pages) in zip(order, reserve) {
            zone.lowmemReserve[Int(type.rawValue)] = Self.pages(pages)
        }
    }

    /// A client's page count, cut so that sums of marks cannot overflow.
    private static func pages(_ count: UInt64) -> Int { Int(min(count, 1 << 40)) }

    /// Puts the described blocks on their lists; without lists the managed pages are free.
    static func fill(
        _ allocator: inout PageAllocator,
        zone: Int,
        from description: ZoneDescription
    ) throws(MachineError) {
        var end: UInt64 = 0
        for (place, run) in (description.pageblocks ?? []).enumerated() {
            // Told twice, a zone's pageblocks would cost more than the machine is large.
            guard run.startPFN >= end else {
                throw MachineError(
                    "/zones/\(zone)/pageblocks/\(place)/start_pfn",
                    "runs of pageblocks ascend and do not overlap"
                )
            }
            try setPageblocks(
                &allocator,
                zone: zone,
                run,
                pointer: "/zones/\(zone)/pageblocks/\(place)"
            )
            let pages = UInt64(allocator.pageblockPages)
            end = (run.startPFN / pages + run.count) * pages
        }
        try fillPerCPU(&allocator, zone: zone, from: description)
        guard let lists = description.freeLists else {
            // Sizes of per-CPU lists alone do not say that the pages are in use.
            guard (description.pcp ?? []).allSatisfy(\.lists.isEmpty) else { return }
            let end = description.startPFN + description.spanned
            allocator.addBootMemory(end - description.managed..<end, zone: zone)
            return
        }
        for (place, list) in lists.enumerated() {
            let pointer = "/zones/\(zone)/free_lists/\(place)"
            guard (0...Zone.maxOrder).contains(list.order) else {
                throw MachineError("\(pointer)/order", "an order is 0 to \(Zone.maxOrder)")
            }
            for (index, pfn) in list.pfns.enumerated() {
                let frame = try check(
                    allocator,
                    pfn,
                    order: list.order,
                    zone: zone,
                    pointer: "\(pointer)/pfns/\(index)"
                )
                allocator.addToFreeList(
                    frame,
                    zone: zone,
                    order: list.order,
                    type: list.migrateType,
                    atTail: true
                )
                allocator.zones[zone].free += 1 << list.order
            }
        }
    }

    private static func setPageblocks(
        _ allocator: inout PageAllocator,
        zone: Int,
        _ run: PageblockRun,
        pointer: String
    ) throws(MachineError) {
        let pages = UInt64(allocator.pageblockPages)
        let (length, overflow) = run.count.multipliedReportingOverflow(by: pages)
        let first = run.startPFN / pages * pages
        let bounds = allocator.zones[zone]
        guard !overflow, bounds.spans(run.startPFN), run.count > 0,
            first.addingReportingOverflow(length).partialValue <= bounds.endPFN + pages - 1,
            run.lruPages <= pages
        else { throw MachineError(pointer, "pageblocks must lie in their zone") }
        if run.migrateType == .highAtomic {
            allocator.zones[zone].highAtomicReserved += Int(clamping: length)
        }
        for block in 0..<run.count {
            let frame = UInt32(truncatingIfNeeded: first + block * pages)
            if run.migrateType != .movable || allocator.pageblockType(of: frame) != .movable {
                allocator.setPageblockType(of: frame, to: run.migrateType)
            }
            if run.lruPages > 0 {
                allocator.lruPages[Int(frame) / allocator.pageblockPages] =
                    UInt16(truncatingIfNeeded: run.lruPages)
            }
        }
    }

    private static func fillPerCPU(
        _ allocator: inout PageAllocator,
        zone: Int,
        from description: ZoneDescription
    ) throws(MachineError) {
        for (place, pages) in (description.pcp ?? []).enumerated() {
            let pointer = "/zones/\(zone)/pcp/\(place)"
            guard (0..<allocator.cpuCount).contains(pages.cpu) else {
                throw MachineError("\(pointer)/cpu", "the machine has \(allocator.cpuCount) CPUs")
            }
            let index = allocator.perCPUIndex(zone: zone, cpu: pages.cpu)
            if let batch = pages.batch {
                allocator.perCPU[index].batch = Int(clamping: min(batch, 1 << 20))
            }
            if let high = pages.high {
                allocator.perCPU[index].high = Int(clamping: min(high, 1 << 40))
            }
            allocator.perCPU[index].freeFactor = Int(min(pages.freeFactor, 5))
            for (row, list) in pages.lists.enumerated() {
                guard (0..<PerCPUPages.listCount).contains(list.index) else {
                    throw MachineError("\(pointer)/lists/\(row)/index", "a list is 0 to 13")
                }
                let order = PerCPUPages.order(list: list.index, allocator.pageblockOrder)
                for (position, pfn) in list.pfns.enumerated() {
                    let frame = try check(
                        allocator,
                        pfn,
                        order: order,
                        zone: zone,
                        pointer: "\(pointer)/lists/\(row)/pfns/\(position)"
                    )
                    allocator.map[Int(frame)].set(
                        .perCPU,
                        order: order,
                        migrateType: allocator.pageblockType(of: frame),
                        zone: zone
                    )
                    allocator.map.pushTail(frame, on: &allocator.perCPU[index].lists[list.index])
                    allocator.perCPU[index].count += 1 << order
                }
            }
        }
    }

    /// A block's first frame, if the block is aligned, in its zone, and not listed already.
    private static func check(
        _ allocator: borrowing PageAllocator,
        _ pfn: UInt64,
        order: Int,
        zone: Int,
        pointer: String
    ) throws(MachineError) -> UInt32 {
        let pages: UInt64 = 1 << UInt64(order)
        let bounds = allocator.zones[zone]
        guard pfn % pages == 0, bounds.spans(pfn), bounds.endPFN - pfn >= pages else {
            throw MachineError(
                pointer,
                "\(pfn) is no frame of an order-\(order) block in this zone"
            )
        }
        for current in 0...Zone.maxOrder {
            let head = pfn & ~((1 << UInt64(current)) - 1)
            let page = allocator.map[Int(head)]
            if page.kind != .inner && (page.order >= current) {
                throw MachineError(pointer, "frame \(pfn) is on a list already")
            }
        }
        // A smaller block inside this one: its head is found by looking at each frame.
        for inner in pfn..<pfn + pages where allocator.map[Int(inner)].kind != .inner {
            throw MachineError(pointer, "frame \(inner) is on a list already")
        }
        return UInt32(truncatingIfNeeded: pfn)
    }
}
