/// `page->flags` in the kernel's own bits, as `%pGp` prints them.
extension Kernel {
    /// Bits of `enum pageflags`, 6.1, in the order in which they are printed.
    private static let pageFlagBits: [(flag: PageFlags, bit: UInt64, name: String)] = [
        (.locked, 0, "locked"), (.referenced, 1, "referenced"), (.upToDate, 2, "uptodate"),
        (.dirty, 3, "dirty"), (.lru, 4, "lru"), (.active, 5, "active"), (.slab, 9, "slab"),
        // `PG_swapcache` is another name of the bit.
        (.swapCache, 10, "owner_priv_1"), (.reserved, 12, "reserved"),
        (.writeback, 15, "writeback"), (.compoundHead, 16, "head"), (.reclaim, 18, "reclaim"),
        (.swapBacked, 19, "swapbacked"), (.unevictable, 20, "unevictable"),
        (.mlocked, 21, "mlocked"),
    ]

    /// The flags of a page.
    ///
    /// - Parameter frame: of memory.
    /// - Returns: such as `0xfffffc0000200(slab|node=0|zone=1|lastcpupid=0x1fffff)`.
    func pageFlagsText(of frame: UInt32) -> String {
        let flags = ownFlags(of: frame)
        let zone = pages.zoneIndex(of: UInt64(frame)).map { pages.zones[$0] }
        let number = BadPage.number(of: zone?.type ?? .dma, layout)
        let node = UInt64(clamping: zone?.node ?? 0)
        var word: UInt64 = 0
        var names: [String] = []
        for entry in Self.pageFlagBits where flags.contains(entry.flag) {
            word |= 1 << entry.bit
            names.append(entry.name)
        }
        if layout.is32Bit {
            word |= number << 30
            names.append("zone=\(number)")
        } else {
            word |= BadPage.lastCPU << 30 | number << 51 | node << 54
            names += [
                "node=\(node)", "zone=\(number)", "lastcpupid=\(hexadecimal(BadPage.lastCPU))",
            ]
        }
        return "\(hexadecimal(word))(\(names.joined(separator: "|")))"
    }

    /// What the page itself has of flags; those behind the head of a block or slab have none.
    private func ownFlags(of frame: UInt32) -> PageFlags {
        let page = pages.map.elementOrZero(Int(frame))
        var flags: PageFlags = pages.oddPages[frame].isLocked ? .locked : []
        switch page.kind {
        case .slab:
            let owner = slab.slabs[Int(page.slabNumber)]
            guard owner.pfn == frame else { return flags }
            flags.formUnion(owner.order > 0 ? [.slab, .compoundHead] : .slab)
        case .allocated:
            if page.isOnLRU { flags.formUnion(PageFlags(page)) }
            if page.isReserved { flags.insert(.reserved) }
            if page.isCompound { flags.insert(.compoundHead) }
        case .inner, .buddy, .perCPU: break
        }
        return flags
    }
}
