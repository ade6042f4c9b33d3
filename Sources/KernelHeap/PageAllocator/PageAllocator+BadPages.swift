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

    /// Gives a block back, unless one of its further pages has references.
    ///
    /// Then it stays off the lists for good. Follows `free_pages_prepare()`, 6.1.
    mutating func releaseChecked(_ frame: UInt32, order: Int, cpu: Int) {
        if order > 0 && !strayReferences.isEmpty {
            var isSound = true
            for offset in 1..<UInt32(1 << order) {
                guard let references = strayReferences.remove(frame + offset) else { continue }
                isSound = false
                report(
                    BadPage(
                        frame: frame + offset,
                        reason: .references,
                        references: references,
                        place: .tail
                    )
                )
            }
            guard isSound else {
                map[Int(frame)].word = 0
                return map[Int(frame)].clear()
            }
        }
        release(frame, order: order, cpu: cpu)
    }

    /// Reports a page that leaves a per-CPU list with references.
    ///
    /// It goes on no other list.
    mutating func keepOff(_ frame: UInt32) {
        let references = Int32(bitPattern: map[Int(frame)].word)
        report(
            BadPage(frame: frame, reason: .references, references: references, place: .list)
        )
        map[Int(frame)].word = 0
        map[Int(frame)].clear()
    }

    /// Whether no page of a block just taken off the buddy lists has references; otherwise the
    /// block is lost, and counted out: `check_new_pages()`.
    mutating func isSound(_ frame: UInt32, order: Int, zone: Int) -> Bool {
        var isSound = true
        for offset in 0..<UInt32(1 << order) {
            guard let references = strayReferences.remove(frame + offset) else { continue }
            isSound = false
            report(
                BadPage(
                    frame: frame + offset,
                    reason: .references,
                    references: references,
                    place: .head
                )
            )
        }
        if !isSound { zones[zone].free -= 1 << order }
        return isSound
    }

    /// Remembers a bad page for the log; of many in one call the first count.
    mutating func report(_ page: BadPage) {
        if badPages.count < 64 { badPages.append(page) }
    }
}
