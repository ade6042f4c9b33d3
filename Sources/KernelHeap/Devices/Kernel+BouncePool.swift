/// Copies between memory and its bounce buffer: `kernel/dma/swiotlb.c`, 6.1.
extension Kernel {
    /// `swiotlb_bounce()`: the slot of the address says what it stands for, no further than was mapped.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - use: an address in the pool, and how many bytes; any numbers.
    ///   - toOrigin: from the pool to the memory, rather than the reverse.
    ///   - context: of the caller.
    /// - Returns: bytes copied.
    mutating func bounce(
        _ place: Int,
        _ use: DMAUse,
        toOrigin: Bool,
        in context: CallContext
    ) -> UInt64 {
        guard let part = driverModel.dma.pool?.part(at: use.address) else { return 0 }
        guard part.offset <= part.bytes else {
            let sizes = "\(part.bytes). Mapping size: \(use.size)+\(part.offset)."
            warnOfOverflow(place, sizes, site: "swiotlb_bounce: begins behind", context)
            return 0
        }
        let left = part.bytes - part.offset
        if use.size > left {
            let sizes = "\(left). Mapping size: \(use.size)."
            warnOfOverflow(place, sizes, site: "swiotlb_bounce: ends behind", context)
        }
        let count = min(use.size, left)
        let origin = part.origin &+ part.offset
        if toOrigin {
            copyPhysical(from: use.address, to: origin, count)
        } else {
            copyPhysical(from: origin, to: use.address, count)
        }
        return count
    }

    private mutating func warnOfOverflow(
        _ place: Int,
        _ sizes: String,
        site: String,
        _ context: CallContext
    ) {
        let device = driverModel.devices[place]
        log.warnOnce(
            "\(device.driverText) \(device.name): Buffer overflow detected. Allocation size: "
                + sizes,
            at: "kernel/dma/swiotlb.c",
            in: "swiotlb_bounce",
            site: site,
            context
        )
    }

    /// Copies physical memory, high memory as well; what lies beyond memory is left out.
    mutating func copyPhysical(from source: UInt64, to target: UInt64, _ count: UInt64) {
        var done: UInt64 = 0
        while done < count {
            let (from, to) = (source &+ done, target &+ done)
            let length = min(count - done, 4_096 - from % 4_096, 4_096 - to % 4_096)
            if pages.isValid(from >> 12), pages.isValid(to >> 12) {
                copyFrame(
                    UInt32(truncatingIfNeeded: from >> 12),
                    Int(from % 4_096),
                    to: UInt32(truncatingIfNeeded: to >> 12),
                    Int(to % 4_096),
                    count: Int(length)
                )
            }
            done += length
        }
    }

    /// The pool of a machine with memory beyond 4 GiB: the lowest frames that boot has kept in a row.
    mutating func startBouncePool() {
        guard !driverModel.dma.hasSoughtPool, pages.endPFN > 1 << 20 else { return }
        driverModel.dma.hasSoughtPool = true
        let wanted = (UInt64(BouncePool.slotCount) * BouncePool.slotBytes) >> 12
        var frame: UInt64 = 4_096
        let limit = min(layout.directMapEndPFN, pages.endPFN, 1 << 20)
        while frame < limit {
            let run = frameRun(at: frame, limit: limit)
            if case .reserved = run.use, run.end - frame >= wanted {
                driverModel.dma.pool = BouncePool(start: frame << 12, cpus: machine.cpus)
                return
            }
            frame = max(run.end, frame + 1)
        }
    }
}
