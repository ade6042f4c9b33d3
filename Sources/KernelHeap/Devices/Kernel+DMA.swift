/// Memory for devices that transfer by themselves: `kernel/dma/direct.c` and `mapping.c`, 6.1, without
/// an IOMMU, so that a device's address is a physical one.
extension Kernel {
    /// What became of a request to map memory.
    struct DMAOutcome {
        /// `DMA_MAPPING_ERROR` where it was refused.
        var address: UInt64
        var facts: [Fact] = []
    }

    /// A `dma_addr_t` of ones.
    var dmaMappingError: UInt64 { layout.is32Bit && !machine.pae ? 0xffff_ffff : .max }

    /// `dma_direct_supported()`: a mask that does not even reach `ZONE_DMA` is refused.
    func supportsDMA(mask: UInt64) -> Bool {
        let end = pages.endPFN
        return mask >= min((end - min(end, 1)) << 12, 0xff_ffff)
    }

    /// `dma_alloc_coherent()`.
    ///
    /// - Parameters:
    ///   - place: of the device; its coherent mask chooses the zone.
    ///   - size: bytes; whole pages are given.
    ///   - flags: zone modifiers are the caller's no longer.
    ///   - function: the C function that was called.
    ///   - context: of the caller.
    /// - Returns: the first frame; nil where no memory is within the mask.
    mutating func dmaAllocCoherent(
        _ place: Int,
        size: UInt64,
        flags: GFPFlags,
        from function: String,
        in context: CallContext
    ) -> UInt32? {
        let device = driverModel.devices[place]
        let order = size == 0 ? Zone.orderCount : Self.order(ofBytes: size) ?? Zone.orderCount
        let mask = device.coherentMask
        var flags = flags.subtracting([.dma, .dma32, .highMem, .zero])
        if mask <= 0xff_ffff {
            flags.insert(.dma)
        } else if mask <= 0xffff_ffff {
            flags.insert(.dma32)
        }
        let bytes = order < Zone.orderCount ? (size + 4_095) & ~4_095 : 0
        while true {
            guard let block = allocPages(order: order, flags: flags, in: context) else {
                return nil
            }
            if (block.rawValue << 12) + (bytes - 1) <= mask {
                let frame = UInt32(truncatingIfNeeded: block.rawValue)
                clearKernel(layout.virtual(frame), bytes)
                note(
                    place,
                    DMAMapping(
                        device: device.address,
                        address: block.rawValue << 12,
                        size: size,
                        direction: .bidirectional,
                        isCoherent: true,
                        virtual: layout.virtual(frame),
                        call: sequence,
                        function: function,
                        isBounced: false
                    ),
                    in: context
                )
                return frame
            }
            freePages(block, order: order, in: context)
            if !layout.is32Bit, mask < .max, flags.isDisjoint(with: [.dma, .dma32]) {
                flags.insert(.dma32)
            } else if !flags.contains(.dma) {
                flags.remove(.dma32)
                flags.insert(.dma)
            } else {
                return nil
            }
        }
    }

    /// `dma_free_coherent()`: the pages behind the device's address go, whatever the other one is.
    mutating func dmaFreeCoherent(
        _ place: Int,
        size: UInt64,
        virtual: UInt64,
        address: UInt64,
        in context: CallContext
    ) {
        if context.areInterruptsOff {
            log.warn(nil, at: "kernel/dma/mapping.c", in: "dma_free_attrs", context)
        }
        guard virtual != 0 else { return }
        let use = DMAUse(address: address, size: size, direction: .bidirectional)
        endMapping(place, use, virtual: virtual, isCoherent: true, in: context)
        let order = size == 0 ? Zone.orderCount : Self.order(ofBytes: size) ?? Zone.orderCount
        if layout.isVmalloc(virtual) { vunmap(virtual, in: context) }
        let frame = address >> 12
        guard frame < UInt64(pages.map.capacity) else {
            return logAccessFault(at: layout.descriptor(frame) &+ 52, isWrite: true)
        }
        freePages(PFN(rawValue: frame), order: order, in: context)
    }

    /// `dma_map_single()`.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - virtual: memory of the direct map; whatever else it is, the arithmetic is done.
    ///   - size: bytes.
    ///   - direction: who stores and who loads.
    ///   - context: of the caller.
    /// - Returns: the device's address.
    mutating func dmaMap(
        _ place: Int,
        _ virtual: UInt64,
        size: UInt64,
        _ direction: DMADirection,
        in context: CallContext
    ) -> DMAOutcome {
        let device = driverModel.devices[place]
        let who = "\(device.driverText) \(device.name): "
        if layout.isVmalloc(virtual) {
            log.warnOnce(
                who + "rejecting DMA map of vmalloc memory",
                at: "include/linux/dma-mapping.h",
                in: "dma_map_single_attrs",
                context
            )
            return refused(vmallocReason(virtual))
        }
        checkMapped(place, virtual, size, in: context)
        let physical = layout.physical(of: virtual)
        let use = DMAUse(address: physical, size: size, direction: direction)
        if isReachable(use, mask: device.mask) {
            return map(place, use, virtual: virtual, physical: physical, in: context)
        }
        startBouncePool()
        let mask = hexDigits(device.mask)
        guard driverModel.dma.pool != nil else {
            log.warnOnce(
                who
                    + "DMA addr 0x\(padded(physical))+\(size) overflow (mask \(mask), bus limit 0).",
                at: "kernel/dma/direct.h",
                in: "dma_direct_map_page",
                context
            )
            return refused("the memory is beyond the device's mask, and there is no bounce buffer")
        }
        guard let bounce = driverModel.dma.pool?.take(size, for: physical, cpu: context.cpu)
        else {
            let used = driverModel.dma.pool?.usedCount ?? 0
            log.append(
                who + "swiotlb buffer is full (sz: \(size) bytes), total \(BouncePool.slotCount) "
                    + "(slots), used \(used) (slots)"
            )
            return refused("the bounce buffer has not so many free slots in a row")
        }
        // Whatever the direction: the device may leave a part as it is, which then is not stale.
        copyPhysical(from: physical, to: bounce, size)
        let bounced = DMAUse(address: bounce, size: size, direction: direction)
        guard isReachable(bounced, mask: device.mask) else {
            driverModel.dma.pool?.release(bounce)
            log.warnOnce(
                who + "swiotlb addr 0x\(padded(bounce))+\(size) overflow (mask \(mask), "
                    + "bus limit 0).",
                at: "kernel/dma/swiotlb.c",
                in: "swiotlb_map",
                context
            )
            return refused("even the bounce buffer is beyond the device's mask")
        }
        return map(
            place,
            bounced,
            virtual: virtual,
            physical: physical,
            isBounced: true,
            in: context
        )
    }

    /// `dma_unmap_single()`: what the device stored comes from the bounce buffer.
    mutating func dmaUnmap(_ place: Int, _ use: DMAUse, in context: CallContext) -> [Fact] {
        endMapping(place, use, virtual: nil, isCoherent: false, in: context)
        guard driverModel.dma.pool?.contains(use.address) == true else {
            return [Fact("bounced", .boolean(false)), Fact("copied", .number(0))]
        }
        let copied = use.direction.isRead ? bounce(place, use, toOrigin: true, in: context) : 0
        driverModel.dma.pool?.release(use.address)
        return [Fact("bounced", .boolean(true)), Fact("copied", .count(copied))]
    }

    /// `dma_sync_single_for_cpu()` and `dma_sync_single_for_device()`.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - use: the mapping, or a part of it.
    ///   - isForCPU: what the device stored is to be loaded, rather than the reverse.
    ///   - context: of the caller.
    /// - Returns: bytes copied.
    mutating func dmaSync(
        _ place: Int,
        _ use: DMAUse,
        isForCPU: Bool,
        in context: CallContext
    ) -> [Fact] {
        checkSync(place, use, isForCPU: isForCPU, in: context)
        let isBounced = driverModel.dma.pool?.contains(use.address) == true
        let isDue = isForCPU ? use.direction.isRead : use.direction.isWrite
        let copied =
            isBounced && isDue ? bounce(place, use, toOrigin: isForCPU, in: context) : 0
        return [Fact("bounced", .boolean(isBounced)), Fact("copied", .count(copied))]
    }

    private func isReachable(_ use: DMAUse, mask: UInt64) -> Bool {
        let (last, overflow) = use.address.addingReportingOverflow(use.size &- 1)
        return use.size == 0 ? use.address &- 1 <= mask : !overflow && last <= mask
    }

    private mutating func map(
        _ place: Int,
        _ use: DMAUse,
        virtual: UInt64,
        physical: UInt64,
        isBounced: Bool = false,
        in context: CallContext
    ) -> DMAOutcome {
        if use.direction.isRead { noteDeviceStores(physical, use.size) }
        note(
            place,
            DMAMapping(
                device: driverModel.devices[place].address,
                address: use.address,
                size: use.size,
                direction: use.direction,
                isCoherent: false,
                virtual: virtual,
                call: sequence,
                function: "dma_map_single",
                isBounced: isBounced
            ),
            in: context
        )
        return DMAOutcome(
            address: use.address,
            facts: [
                Fact("physical", .address(physical)), Fact("bounced", .boolean(isBounced)),
            ]
        )
    }

    private mutating func note(_ place: Int, _ mapping: DMAMapping, in context: CallContext) {
        guard driverModel.dma.mappings.add(mapping) else { return }
        checkOverlap(place, mapping, in: context)
    }

    private func refused(_ reason: String) -> DMAOutcome {
        DMAOutcome(address: dmaMappingError, facts: [Fact("refused", .text(reason))])
    }

    private func vmallocReason(_ virtual: UInt64) -> String {
        let stack = devices.stacks.keys.contains { pid in
            kernelStackRange(of: pid)?.contains(virtual) == true
        }
        let what = stack ? "a kernel stack, which is" : "the address is"
        return what + " in the vmalloc area: its pages lie anywhere, and the direct map's "
            + "arithmetic gives another address"
    }

    private func hexDigits(_ number: UInt64) -> String { String(number, radix: 16) }

    private func padded(_ address: UInt64) -> String {
        let digits = String(address, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
