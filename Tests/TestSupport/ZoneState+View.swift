public import KernelHeap

extension ZoneState {
    /// What `/proc/pagetypeinfo` says of the zone in this state, counted from the recorded lists.
    public var view: ZoneView {
        var view = ZoneView(node: zone.node, type: zone.name)
        view.present = zone.present
        let none = [UInt64](repeating: 0, count: MigrateType.allCases.count)
        view.freeBlocks = [[UInt64]](repeating: none, count: 11)
        for list in zone.freeLists ?? [] {
            view.freeBlocks[list.order][Int(list.migrateType.rawValue)] += UInt64(list.pfns.count)
        }
        view.pageblocks = none
        for run in zone.pageblocks ?? [] {
            view.pageblocks[Int(run.migrateType.rawValue)] += run.count
        }
        return view
    }
}

extension PageTrace.Line {
    /// The zone's whole state, where this line is one.
    public var state: ZoneState? {
        if case .state(let state) = step { state } else { nil }
    }
}

extension PageTrace {
    /// The zones of a machine that starts as the trace does: its own last, below it one that always
    /// serves what the own one refuses.
    public var zones: [ZoneDescription] {
        guard start.zone.name != .dma else { return [start.zone] }
        var lower = ZoneDescription()
        lower.name = .dma
        lower.startPFN = 1
        lower.spanned = 4095
        lower.present = 3998
        lower.managed = 3840
        lower.lowmemReserve = [0, 0, 0, 0, 0]
        lower.watermarks = WatermarksDescription(min: 1, low: 1, high: 1)
        return [lower, start.zone]
    }

    /// The flags of a request of a class.
    public func flags(_ type: MigrateType) -> GFPFlags {
        var flags = GFPFlags(rawValue: UInt32(truncatingIfNeeded: gfp ?? 0xcc0))
        flags.subtract([.movable, .reclaimable])
        if type == .movable { flags.insert(.movable) }
        if type == .reclaimable { flags.insert(.reclaimable) }
        return flags
    }
}
