/// References that are dropped once too often, or kept too long, and what comes of them.
extension PageAllocator {
    /// The head of the compound page that a frame lies in; the frame itself otherwise.
    func compoundHead(of frame: UInt32) -> UInt32 {
        guard map[Int(frame)].kind == .inner else { return frame }
        for order in 1...Zone.maxOrder {
            let head = frame & ~UInt32((1 << order) - 1)
            let page = map[Int(head)]
            if page.kind == .inner { continue }
            let isInside = page.kind == .allocated && page.isCompound && page.order >= order
            return isInside ? head : frame
        }
        return frame
    }

    /// Drops a reference of a page that heads no allocated block: silent, as recorded.
    mutating func dropReference(_ frame: UInt32) {
        let page = map[Int(frame)]
        switch page.kind {
        case .perCPU: map[Int(frame)].word = page.word &- 1
        case .buddy, .inner: strayReferences.change(frame, by: -1)
        case .allocated, .slab: break
        }
    }

    /// Frees the halves of a block above its first page, which somebody still holds.
    mutating func releaseUpperHalves(_ frame: UInt32, order: Int, cpu: Int) {
        let page = map[Int(frame)]
        let references = page.word
        map[Int(frame)].set(.allocated, order: 0, migrateType: page.migrateType, zone: page.zone)
        map[Int(frame)].isReserved = page.isReserved
        map[Int(frame)].word = references
        for half in (0..<order).reversed() {
            let head = frame + UInt32(1 << half)
            map[Int(head)].set(
                .allocated,
                order: half,
                migrateType: page.migrateType,
                zone: page.zone
            )
            releaseChecked(head, order: half, cpu: cpu)
        }
    }

    /// Gives a block back, unless one of its pages is in a state that no free page may have.
    ///
    /// Then it stays off the lists for good. Follows `free_pages_prepare()`, 6.1: what goes to a
    /// per-CPU list has its first page looked at only when it leaves that list.
    mutating func releaseChecked(_ frame: UInt32, order: Int, cpu: Int) {
        if !(strayReferences.isEmpty && oddPages.isEmpty) {
            guard mayRelease(frame, order: order) else {
                map[Int(frame)].word = 0
                return map[Int(frame)].clear()
            }
        }
        release(frame, order: order, cpu: cpu)
    }

    @inline(never)
    private mutating func mayRelease(_ frame: UInt32, order: Int) -> Bool {
        var isSound = true
        if order > 0 {
            let isCompound = map[Int(frame)].isCompound
            for offset in 1..<UInt32(1 << order) {
                // The pages of a compound page use the field for themselves.
                if isCompound { oddPages[frame + offset].mapping = 0 }
                if reportIfBad(frame + offset, strays(frame + offset), .tail, .flags) {
                    isSound = false
                }
            }
        }
        if oddPages[frame].mapping & OddFields.mappingMarks != 0 { oddPages[frame].mapping = 0 }
        if !PerCPUPages.allows(order: order, pageblockOrder), reportIfBad(frame, 0, .head, .flags) {
            isSound = false
        }
        return isSound
    }

    /// References of a page inside a block; they are forgotten.
    private mutating func strays(_ frame: UInt32) -> Int32 { strayReferences.remove(frame) ?? 0 }

    /// Reports a page that should be free and is not plain; its fields are forgotten then.
    private mutating func reportIfBad(
        _ frame: UInt32,
        _ references: Int32,
        _ place: BadPage.Place,
        _ flags: BadPage.Reason
    ) -> Bool {
        let fields = oddPages[frame]
        guard let reason = Self.reason(references, fields, flags) else { return false }
        report(
            BadPage(
                frame: frame,
                reason: reason,
                references: references,
                place: place,
                fields: fields,
                layout: layout
            )
        )
        oddPages[frame] = OddFields()
        return true
    }

    /// What is wrong with a page that should be free: `page_bad_reason()`, where the last word wins.
    private static func reason(
        _ references: Int32,
        _ fields: OddFields,
        _ flags: BadPage.Reason
    ) -> BadPage.Reason? {
        if fields.isLocked { return flags }
        if references != 0 { return .references }
        if fields.mapping != 0 { return .mapping }
        return fields.mapCount != 0 ? .mapCount : nil
    }

    /// Whether a page that leaves a per-CPU list has fields that it may not have.
    ///
    /// Marks of anonymous memory went when the page was freed.
    mutating func isOdd(_ frame: UInt32) -> Bool {
        if oddPages[frame].mapping & OddFields.mappingMarks != 0 { oddPages[frame].mapping = 0 }
        return !oddPages[frame].isPlain
    }

    /// Reports a page that leaves a per-CPU list with references or odd fields.
    ///
    /// It goes on no other list.
    mutating func keepOff(_ frame: UInt32, order: Int) {
        let references = Int32(bitPattern: map[Int(frame)].word)
        _ = reportIfBad(frame, references, .list, .flags)
        lostPages &+= 1 << UInt64(order)
        map[Int(frame)].word = 0
        map[Int(frame)].clear()
    }

    /// Whether every page of a block just taken off the buddy lists may be handed out; otherwise
    /// the block is lost, and counted out: `check_new_pages()`.
    mutating func isSound(_ frame: UInt32, order: Int, zone: Int) -> Bool {
        var isSound = true
        for offset in 0..<UInt32(1 << order)
        where reportIfBad(
            frame + offset,
            strays(frame + offset),
            .head,
            .flagsAtAllocation
        ) {
            isSound = false
        }
        if !isSound {
            zones[zone].free -= 1 << order
            lostPages &+= 1 << UInt64(order)
        }
        return isSound
    }

    /// Remembers a bad page for the log, which prints no more than 60 of one call.
    mutating func report(_ page: BadPage) {
        guard badPages.count < 60 else { return omittedBadPages &+= 1 }
        var page = page
        if owners.isOn { page.owner = owners[page.frame] }
        badPages.append(page)
    }
}
