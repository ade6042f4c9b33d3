/// Entries of page tables, as bytes of simulated memory or by the boot's rule.
extension Kernel {
    /// The boot's tables; made anew where nothing has asked for them yet.
    func bootTables() -> BootTables {
        if let boot = paging.boot { return boot }
        if let layout = paging.givenLayout { return BootTables(layout) }
        return BootTables(bootLayout())
    }

    /// The same, kept.
    mutating func keptBootTables() -> BootTables {
        let boot = bootTables()
        if paging.boot == nil { paging.boot = boot }
        return boot
    }

    private func bootLayout() -> BootLayout {
        var memory = BootLayout.Memory(frames: [])
        let space = MachineBoot(machine).space
        if machine.zones == nil {
            let map = machine.memoryMap ?? MemoryMap.pc(memory: machine.memoryBytes)
            memory.frames = MemoryMap.frames(map)
            let image = space.map { BootLayout.imageI386($0) } ?? BootLayout.imageX8664
            memory.hasImage =
                machine.reserved == nil
                && memory.frames.contains {
                    $0.lowerBound <= image.text.lowerBound && image.end <= $0.upperBound
                }
            if machine.reserved == nil, space == nil { memory.top = topFrames() }
            // The lowest MiB is mapped whatever the firmware says of it.
            memory.frames = [0..<0x100] + memory.frames.filter { $0.lowerBound >= 0x100 }
        } else {
            for place in pages.zones.indices {
                let zone = pages.zones[place]
                memory.frames.append(zone.startPFN..<zone.endPFN)
            }
            memory.frames = Self.join(memory.frames)
        }
        if let space {
            let low = 0..<layout.directMapEndPFN
            memory.frames = memory.frames.map { $0.clamped(to: low) }.filter { !$0.isEmpty }
            return .linux61I386(memory, space, cpus: machine.cpus)
        }
        let options = BootOptions(machine.bootOptions)
        return .linux61X8664(memory, hasGigabytePages: options.contains("gbpages"))
    }

    /// What is kept behind the free memory of the last zone.
    private func topFrames() -> Range<UInt64> {
        let boot = MachineBoot(machine)
        if let map = machine.memoryMap {
            guard let layout = try? MemoryMapLayout(map, reserved: nil),
                let last = layout.zones.last, let free = last.free.last,
                free.upperBound <= last.zone.endPFN
            else { return 0..<0 }
            return free.upperBound..<last.zone.endPFN
        }
        guard let last = try? boot.layout().last, last.free.upperBound <= last.zone.endPFN else {
            return 0..<0
        }
        return last.free.upperBound..<last.zone.endPFN
    }

    private static func join(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var joined: [Range<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, range.lowerBound <= last.upperBound {
                let end = max(last.upperBound, range.upperBound)
                joined[joined.count - 1] = last.lowerBound..<end
            } else {
                joined.append(range)
            }
        }
        return joined
    }

    /// An entry of the table in a frame, or nil where no memory is behind the frame.
    ///
    /// Any frame can be read as a table: that is what the processor does with what it finds.
    func tableEntry(_ table: UInt64, _ index: Int, _ boot: BootTables) -> PageTableEntry? {
        guard let frame = UInt32(exactly: table) else { return nil }
        if let known = boot.table(at: table), !paging.writtenOut.contains(frame) {
            return boot.entry(known, index)
        }
        guard isMemory(table) || paging.writtenOut.contains(frame) else { return nil }
        let bytes = paging.format.entryBytes
        let word = pages.contents.word(frame, offset: index &* bytes, bytes: bytes)
        return PageTableEntry(rawValue: word)
    }

    /// Whether memory of this machine is behind a frame; elsewhere are devices, or nothing.
    func isMemory(_ frame: UInt64) -> Bool {
        frame < UInt64(pages.map.capacity) && pages.isValid(frame) && !pages.isInGap(frame)
    }

    /// Whether a frame holds a page table that the kernel made.
    func isTable(_ frame: UInt64, _ boot: BootTables) -> Bool {
        guard let number = UInt32(exactly: frame) else { return false }
        if frame < UInt64(pages.map.capacity), pages.map[Int(number)].isPageTable { return true }
        return boot.table(at: frame) != nil || paging.writtenOut.contains(number)
    }

    /// Writes an entry of a table that the kernel made; elsewhere nothing is written.
    mutating func setTableEntry(_ table: UInt64, _ index: Int, _ entry: PageTableEntry) {
        let boot = keptBootTables()
        guard isTable(table, boot), let frame = UInt32(exactly: table) else { return }
        writeOut(frame, boot)
        let bytes = paging.format.entryBytes
        pages.contents.setWord(frame, offset: index * bytes, bytes: bytes, to: entry.rawValue)
    }

    /// Gives a boot table its bytes.
    private mutating func writeOut(_ frame: UInt32, _ boot: BootTables) {
        guard !paging.writtenOut.contains(frame), let table = boot.table(at: UInt64(frame)) else {
            return
        }
        pages.contents.write(frame, offset: 0, bytes(of: table, boot)[...])
        paging.writtenOut.insert(frame)
    }

    private func bytes(of table: BootTables.Table, _ boot: BootTables) -> [UInt8] {
        let size = paging.format.entryBytes
        var bytes = [UInt8](repeating: 0, count: PageContents.pageBytes)
        for index in 0..<paging.format.entryCount(table.level) {
            let word = boot.entry(table, index).rawValue
            guard word != 0 else { continue }
            for place in 0..<size {
                bytes[index * size + place] = UInt8(truncatingIfNeeded: word >> UInt64(place * 8))
            }
        }
        return bytes
    }

    /// The bytes of a boot table that has none yet, or nil for any other frame.
    func unwrittenTable(_ frame: UInt32) -> [UInt8]? {
        let boot = bootTables()
        if boot.descriptorPlace(of: frame) != nil { return unwrittenDescriptors(frame, boot) }
        // Most frames that are asked about are the inner ones of a block that somebody has.
        guard let table = boot.table(at: UInt64(frame)), !paging.writtenOut.contains(frame) else {
            return nil
        }
        return bytes(of: table, boot)
    }

    /// A client's store goes to a frame that may hold a table: then translations change.
    ///
    /// Real processors see it after a flush; here the flush comes with the store, and only
    /// `set_pte_flags` leaves one out.
    @inline(never)
    mutating func willStoreIntoTable(_ frame: UInt32) {
        let boot = keptBootTables()
        writeOutDescriptors(frame, boot)
        guard isTable(UInt64(frame), boot) else { return }
        writeOut(frame, boot)
        paging.isTampered = true
        paging.flushAll()
    }
}

/// Tables in pages of the page allocator.
extension Kernel {
    /// Takes a cleared page for a table.
    ///
    /// `pte_alloc_one()` and its like, 6.1: `GFP_PGTABLE_USER` for processes, `GFP_PGTABLE_KERNEL`
    /// for the kernel. Tables of a process's two lowest levels count as `PageTables` in meminfo.
    ///
    /// - Parameters:
    ///   - level: of the table.
    ///   - isUser: for a process.
    ///   - cpu: where the request is made.
    /// - Returns: the frame; nil where there is no memory.
    mutating func allocateTable(level: Int, isUser: Bool, cpu: Int) -> UInt32? {
        var flags: GFPFlags = [.kernel, .zero]
        if isUser { flags.insert(.account) }
        // CONFIG_HIGHPTE: the lowest tables of 32-bit processes are in high memory.
        let isLeaf = level == paging.format.leafLevel
        if isUser && isLeaf && paging.format.addressBits == 32 { flags.insert(.highMem) }
        let node = slab.nodeCount == 1 ? 0 : cpu % slab.nodeCount
        let request = AllocationRequest(
            order: 0,
            flags: flags,
            cpu: cpu,
            node: node,
            zones: pages.gfpZones
        )
        let context = CallContext(cpu: cpu, pid: runningProcess)
        let served =
            pages.allocate(request)
            ?? allocateUnderPressure(request, in: context) { $0.pages.allocate(request) }
        guard let frame = served else { return nil }
        guard chargeBlock(frame, order: 0, flags, in: context, isTable: true) else {
            freePages(PFN(rawValue: UInt64(frame)), order: 0, in: context)
            return nil
        }
        pages.contents.clear(frame, pages: 1)
        pages.map[Int(frame)].isPageTable = true
        if isUser && isCounted(level) { paging.countedTables[self.node(of: frame)] &+= 1 }
        return frame
    }

    /// Gives a table's page back.
    mutating func freeTable(_ frame: UInt32, level: Int, isUser: Bool, cpu: Int) {
        guard Int(frame) < pages.map.capacity, pages.map[Int(frame)].isPageTable else { return }
        pages.map[Int(frame)].isPageTable = false
        let node = node(of: frame)
        if isUser && isCounted(level) && paging.countedTables[node] > 0 {
            paging.countedTables[node] &-= 1
        }
        freePages(PFN(rawValue: UInt64(frame)), order: 0, in: CallContext(cpu: cpu))
    }

    private func isCounted(_ level: Int) -> Bool {
        level > 0 && level >= paging.format.leafLevel - 1
    }

    func node(of frame: UInt32) -> Int {
        let zone = pages.zoneIndex(of: UInt64(frame)).map { pages.zones[$0].node } ?? 0
        return min(max(zone, 0), Kernel.maximumNodes - 1)
    }
}
