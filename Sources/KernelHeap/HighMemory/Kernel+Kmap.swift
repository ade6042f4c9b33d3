/// Permanent maps: `kmap()` and what belongs to it.
extension Kernel {
    /// What a wish for a page's address came to.
    enum Kmap {
        /// The page has an address of its own.
        case direct(UInt64)
        /// In the window.
        case slot(Int, isNew: Bool, flushed: Int)
        /// The window is full, and the caller sleeps until a slot is given up.
        case sleeps(isQueued: Bool)
        /// The window is full, and the caller may not sleep.
        case stuck
    }

    /// `PageHighMem()`.
    func isHighMemory(_ frame: UInt32) -> Bool { !layout.isMapped(UInt64(frame)) }

    /// `page_address()`; 0 for a page of high memory that has no permanent map.
    func pageAddress(_ frame: UInt32) -> UInt64 {
        guard isHighMemory(frame) else { return layout.virtual(frame) }
        return highMemory.pkmap.slot(of: frame).map { highMemory.pkmap.address(of: $0) } ?? 0
    }

    /// `kmap()`: may sleep, and says so where it must not.
    ///
    /// - Parameters:
    ///   - frame: of the page.
    ///   - context: of the caller.
    /// - Returns: where the page is seen.
    mutating func kmap(_ frame: UInt32, in context: CallContext) -> Kmap {
        mightSleep(at: highMemory.isClassic ? Self.classicKmap : Self.kmapInline, in: context)
        guard isHighMemory(frame) else { return .direct(layout.virtual(frame)) }
        let outcome = mapPermanently(frame, call: sequence, cpu: context.cpu)
        switch outcome {
        case .found(let slot): return .slot(slot, isNew: false, flushed: 0)
        case .taken(let slot):
            return .slot(slot, isNew: true, flushed: highMemory.pkmap.flushed.count)
        case .full: break
        }
        guard schedule(in: context) else { return .stuck }
        let hasRoom = highMemory.pkmap.sleepers.count < PkmapTable.sleeperLimit
        if hasRoom {
            highMemory.pkmap.sleepers.append(
                PkmapTable.Sleeper(
                    frame: frame,
                    pid: context.pid,
                    cpu: context.cpu,
                    call: sequence
                )
            )
        }
        return .sleeps(isQueued: hasRoom)
    }

    private static let kmapInline: StaticString = "include/linux/highmem-internal.h:38"
    private static let kunmapInline: StaticString = "include/linux/highmem-internal.h:49"
    private static let classicKmap: StaticString = "arch/x86/mm/highmem_32.c:5"

    private mutating func mapPermanently(
        _ frame: UInt32,
        call: UInt64,
        cpu: Int
    ) -> PkmapTable.Outcome {
        let outcome = highMemory.pkmap.map(frame, call: call)
        clearSlots(highMemory.pkmap.flushed)
        if case .taken(let slot) = outcome {
            let address = highMemory.pkmap.address(of: slot)
            // The window has its table since boot; where a client took that away, nothing is mapped.
            _ = mapKernel(
                address,
                frame: UInt64(frame),
                [.kernelPage, .noExecute],
                cpu: cpu
            )
        }
        return outcome
    }

    /// Empties entries and flushes the TLB: the end of `flush_all_zero_pkmaps()`.
    private mutating func clearSlots(_ slots: [Int]) {
        guard !slots.isEmpty else { return }
        for slot in slots {
            let address = highMemory.pkmap.address(of: slot)
            unmapKernel(address..<address + 4_096)
        }
        flushKernel()
    }

    /// `kunmap()`: gives one use back, and wakes those who wait for a slot.
    ///
    /// - Parameters:
    ///   - frame: of the page; low memory is ignored.
    ///   - context: of the caller.
    /// - Returns: who was woken and has a slot now.
    mutating func kunmap(_ frame: UInt32, in context: CallContext) -> [PkmapTable.Sleeper] {
        if highMemory.isClassic {
            guard !context.isInInterrupt else {
                log.bug(at: "arch/x86/mm/highmem_32.c:14", in: "kunmap+0x1d/0x20", context)
                return []
            }
        } else {
            mightSleep(at: Self.kunmapInline, in: context)
        }
        guard isHighMemory(frame) else { return [] }
        do throws(PkmapTable.Misuse) {
            guard try highMemory.pkmap.unmap(frame) != nil else { return [] }
        } catch {
            switch error {
            case .notMapped:
                log.bug(at: "mm/highmem.c:378", in: "kunmap_high+0x92/0xa0", context)
            case .notInUse:
                log.bug(at: "mm/highmem.c:389", in: "kunmap_high+0x90/0xa0", context)
            }
            return []
        }
        return wakeSleepers()
    }

    /// Lets those who wait try again, the longest waiting first: `wake_up(pkmap_map_wait)`.
    private mutating func wakeSleepers() -> [PkmapTable.Sleeper] {
        var woken: [PkmapTable.Sleeper] = []
        while let first = highMemory.pkmap.sleepers.first {
            let outcome = mapPermanently(first.frame, call: first.call, cpu: first.cpu)
            guard outcome != .full else { break }
            highMemory.pkmap.sleepers.removeFirst()
            woken.append(first)
        }
        return woken
    }

    /// `kmap_flush_unused()`.
    ///
    /// - Returns: how many slots were flushed.
    mutating func kmapFlushUnused() -> Int {
        let slots = highMemory.pkmap.flushUnused()
        clearSlots(slots)
        return slots.count
    }

    /// `kmap_to_page()`: the frame behind an address of a window, or of the direct map by arithmetic.
    mutating func kmapToPage(_ address: UInt64, in context: CallContext) -> UInt64 {
        let page = address & ~4_095
        if highMemory.pkmap.addresses.contains(address) {
            if !highMemory.isClassic { warnOfKmapToPage(context) }
            return frame(behind: page) ?? 0
        }
        if highMemory.fixmap.isMap(page), !highMemory.isClassic {
            warnOfKmapToPage(context)
            let maps = highMemory.thread(context.cpu, context.pid)?.frames ?? []
            for (number, frame) in maps.enumerated()
            where localAddress(context.cpu, number) == page {
                return UInt64(frame)
            }
        }
        return layout.physical(of: address) >> 12
    }

    private mutating func warnOfKmapToPage(_ context: CallContext) {
        log.warnOnce(at: "mm/highmem.c:167", in: "__kmap_to_page+0x7c/0x90", context)
    }
}
