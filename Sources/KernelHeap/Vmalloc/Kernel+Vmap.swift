/// Mapping what exists: pages of others, and devices.
extension Kernel {
    /// `vmap()`: maps pages one after another.
    ///
    /// - Parameters:
    ///   - frames: the pages; nil stands for something that is no page.
    ///   - flags: of the area; with `VM_MAP_PUT_PAGES` it owns the pages.
    ///   - isWritable: `PAGE_KERNEL` rather than `PAGE_KERNEL_RO`.
    ///   - context: must not be an interrupt.
    /// - Returns: the address; 0 for NULL, without a word for more pages than the machine has.
    mutating func vmap(
        _ frames: [UInt32?],
        _ flags: VmapUse.Flags,
        isWritable: Bool,
        in context: CallContext
    ) -> UInt64 {
        mightSleep(at: "mm/vmalloc.c:2905", in: context)
        let size = UInt64(frames.count) << 12
        guard size > 0, UInt64(frames.count) <= managedPages else { return 0 }
        guard let place = newArea(size: size, alignment: 4096, flags, in: context) else {
            return 0
        }
        let address = vmalloc.busy[place].start
        let known = frames.prefix { $0 != nil }.compactMap(\.self)
        var bits: PageTableEntry.Flags = [.kernelPage, .noExecute]
        if !isWritable { bits = bits.subtracting(.writable).subtracting(.dirty) }
        let isMapped = mapFrames(address, known, bits, cpu: context.cpu)
        guard isMapped, known.count == frames.count else {
            if isMapped {
                log.warn(nil, at: "mm/vmalloc.c", in: "vmap_pages_range_noflush", context)
            }
            removeArea(address, freesPages: false, in: context)
            return 0
        }
        if flags.contains(.putPages) { setPages(known, of: address, array: 0, order: 0) }
        return address
    }

    /// `ioremap()`: maps a device's registers, uncached.
    ///
    /// - Parameters:
    ///   - physical: any byte; the address has the same place in its page.
    ///   - size: bytes.
    ///   - context: must not be an interrupt.
    /// - Returns: the address; 0 for NULL.
    mutating func ioremap(_ physical: UInt64, size: UInt64, in context: CallContext) -> UInt64 {
        // Without PAE a physical address has 32 bits, and the call's argument no more.
        let isNarrow = paging.format == .twoLevel
        let physical = isNarrow ? physical & 0xffff_ffff : physical
        let (last, overflow) = physical.addingReportingOverflow(size &- 1)
        guard size > 0, !overflow, !isNarrow || last <= 0xffff_ffff else { return 0 }
        guard last < layout.physicalEnd else {
            log.append("ioremap: invalid physical address \(String(physical, radix: 16))")
            log.warnOnce(
                at: "arch/x86/mm/ioremap.c:191",
                in: "__ioremap_caller+0x2f0/0x310",
                context
            )
            return 0
        }
        guard !isSystemMemory(physical >> 12...last >> 12) else {
            log.warnOnce(
                "ioremap on RAM at \(wide(physical)) - \(wide(last))",
                at: "arch/x86/mm/ioremap.c:210",
                in: "__ioremap_caller+0x2a5/0x310",
                context
            )
            return 0
        }
        let first = physical & ~4095
        let bytes = (last | 4095) + 1 - first
        startVmalloc()
        // A power of two that holds it, between a page and the largest that the machine aligns to.
        var order: UInt64 = 12
        while order < vmalloc.layout.ioremapMaximumOrder && 1 << order < bytes { order += 1 }
        let area = newArea(
            size: bytes,
            alignment: 1 << order,
            .ioremap,
            address: first,
            in: context
        )
        guard let area else { return 0 }
        let start = vmalloc.busy[area].start
        let flags: PageTableEntry.Flags = [.kernelDevice, .noExecute]
        let isMapped = mapEach(start, count: Int(bytes >> 12), flags, cpu: context.cpu) {
            first >> 12 + UInt64($0)
        }
        guard isMapped else {
            removeArea(start, freesPages: false, in: context)
            return 0
        }
        return start + (physical & 4095)
    }

    /// Digits of a `phys_addr_t`.
    var physicalDigits: Int { paging.format == .twoLevel ? 8 : 16 }

    /// As `%pa` prints it.
    private func wide(_ address: UInt64) -> String {
        let digits = String(address, radix: 16)
        return "0x" + String(repeating: "0", count: physicalDigits - digits.count) + digits
    }

    /// Whether one of the frames is what the firmware calls usable memory.
    private func isSystemMemory(_ frames: ClosedRange<UInt64>) -> Bool {
        guard machine.zones == nil else {
            return pages.zones.indices.contains { place in
                let zone = pages.zones[place]
                return zone.startPFN <= frames.upperBound && frames.lowerBound < zone.endPFN
            }
        }
        let map = machine.memoryMap ?? MemoryMap.pc(memory: machine.memoryBytes)
        return MemoryMap.frames(map).contains {
            $0.lowerBound <= frames.upperBound && frames.lowerBound < $0.upperBound
        }
    }

    /// `iounmap()`: addresses of the direct map are ignored.
    mutating func iounmap(_ address: UInt64, in context: CallContext) {
        startVmalloc()
        // Up to high_memory the address is one of the direct map, which stays.
        let lowEnd = min(layout.directMapEndPFN, pages.endPFN)
        guard address > layout.pageOffset &+ lowEnd << 12 else { return }
        let page = address & ~4095
        let place = vmalloc.busy.containing(page)
        guard place != 0, vmalloc.busy[place].use.kind == .area else {
            return log.append("iounmap: bad address \(pointer(page))")
        }
        removeArea(page, freesPages: false, in: context)
    }
}
