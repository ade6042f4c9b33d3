/// How a driver names memory of its device.
struct DMAUse: Hashable, Sendable {
    /// The device's address.
    var address: UInt64
    /// Bytes.
    var size: UInt64
    var direction: DMADirection
}

/// What a kernel with `CONFIG_DMA_API_DEBUG` notices: `kernel/dma/debug.c`, 6.1.
///
/// The recorded kernels are built without: the answer's warnings have the texts, and the log as
/// well where the boot options say `dma_debug=on`.
extension Kernel {
    /// `check_unmap()`, and forgets the mapping.
    mutating func endMapping(
        _ place: Int,
        _ use: DMAUse,
        virtual: UInt64?,
        isCoherent: Bool,
        in context: CallContext
    ) {
        let device = driverModel.devices[place].address
        guard let known = driverModel.dma.mappings.take(use.address, of: device, size: use.size)
        else {
            let text =
                use.address == dmaMappingError
                ? "device driver tries to free an invalid DMA memory address"
                : "device driver tries to free DMA memory it has not allocated "
                    + "\(field(use.address)) [size=\(use.size) bytes]"
            return warnOfDMA(place, text, use.address, from: "check_unmap", in: context)
        }
        driverModel.dma.lines.remove(layout.physical(of: known.virtual), known.direction)
        let head = field(use.address)
        if known.size != use.size {
            let text =
                "device driver frees DMA memory with different size \(head) "
                + "[map size=\(known.size) bytes] [unmap size=\(use.size) bytes]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_unmap", in: context)
        }
        let bytes = "\(head) [size=\(use.size) bytes]"
        if known.isCoherent != isCoherent {
            let text =
                "device driver frees DMA memory with wrong function \(bytes) "
                + "[mapped as \(known.kindName)] [unmapped as \(isCoherent ? "coherent" : "single")]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_unmap", in: context)
        } else if let virtual, virtual != known.virtual {
            let text =
                "device driver frees DMA memory with different CPU address \(bytes) "
                + "[cpu alloc address=0x\(digits(known.virtual))] "
                + "[cpu free address=0x\(digits(virtual))]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_unmap", in: context)
        }
        if known.direction != use.direction {
            let text =
                "device driver frees DMA memory with different direction \(bytes) "
                + "[mapped with \(known.direction.name)] [unmapped with \(use.direction.name)]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_unmap", in: context)
        }
        if !known.isCoherent, !known.isChecked {
            let text =
                "device driver failed to check map error\(bytes) [mapped as \(known.kindName)]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_unmap", in: context)
        }
    }

    /// `check_sync()`: any part of a mapping may be synchronised.
    mutating func checkSync(
        _ place: Int,
        _ use: DMAUse,
        isForCPU: Bool,
        in context: CallContext
    ) {
        let device = driverModel.devices[place].address
        let head = field(use.address)
        let bytes = "\(head) [size=\(use.size) bytes]"
        let mappings = driverModel.dma.mappings
        guard
            let known = mappings.mapping(of: device, holding: use.address, size: use.size)
                ?? mappings.mapping(of: device, holding: use.address, size: 1)
        else {
            let text = "device driver tries to sync DMA memory it has not allocated \(bytes)"
            return warnOfDMA(place, text, use.address, from: "check_sync", in: context)
        }
        if !known.holds(use.address, use.size) {
            let (end, overflow) = (use.address - known.address)
                .addingReportingOverflow(use.size)
            let text =
                "device driver syncs DMA memory outside allocated range \(head) "
                + "[allocation size=\(known.size) bytes] "
                + "[sync offset+size=\(overflow ? .max : end)]"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_sync", in: context)
        }
        guard known.direction != .bidirectional else { return }
        let both = "[mapped with \(known.direction.name)] [synced with \(use.direction.name)]"
        if known.direction != use.direction {
            let text = "device driver syncs DMA memory with different direction \(bytes) \(both)"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_sync", in: context)
        }
        if isForCPU, !known.direction.isRead, use.direction != .toDevice {
            let text =
                "device driver syncs device read-only DMA memory for cpu \(bytes) \(both)"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_sync", in: context)
        }
        if !isForCPU, !known.direction.isWrite, use.direction != .fromDevice {
            let text =
                "device driver syncs device write-only DMA memory to device \(bytes) \(both)"
            warnOfDMA(place, text, use.address, call: known.call, from: "check_sync", in: context)
        }
    }

    /// `debug_dma_map_single()` and `check_for_stack()` of memory that is about to be mapped.
    mutating func checkMapped(
        _ place: Int,
        _ virtual: UInt64,
        _ size: UInt64,
        in context: CallContext
    ) {
        if !isValidVirtual(virtual) {
            let text =
                "device driver maps memory from invalid area [addr=\(pointer(virtual))] "
                + "[len=\(size)]"
            warnOfDMA(place, text, virtual, from: "debug_dma_map_single", in: context)
        } else if kernelStackRange(of: context.pid)?.contains(virtual) == true {
            let text = "device driver maps memory from stack [addr=\(pointer(virtual))]"
            warnOfDMA(place, text, virtual, from: "check_for_stack", in: context)
        }
    }

    /// `add_dma_entry()`: two mappings that a device stores through must not share a cache line.
    mutating func checkOverlap(_ place: Int, _ mapping: DMAMapping, in context: CallContext) {
        let physical = layout.physical(of: mapping.virtual)
        let insertion = driverModel.dma.lines.insert(
            physical,
            mapping.direction,
            call: mapping.call
        )
        guard case .overlaps(let call, let isFull) = insertion else { return }
        if isFull, logsDMAMisuse {
            log.warnOnce(
                "DMA-API: exceeded \(DMACacheLines.overlapLimit) overlapping mappings of "
                    + "cacheline 0x\(digits(physical >> DMACacheLines.shift))",
                at: "kernel/dma/debug.c",
                in: "active_cacheline_inc_overlap",
                site: "active_cacheline_inc_overlap",
                context
            )
        }
        warnOfDMA(
            place,
            "cacheline tracking EEXIST, overlapping mappings aren't supported",
            mapping.address,
            call: call,
            from: "add_dma_entry",
            in: context
        )
    }

    /// `dma_debug_device_change()`: what a driver that has gone has left mapped.
    ///
    /// The device has no driver any more, so that its bus stands in the line.
    mutating func checkPendingMappings(of place: Int, in context: CallContext) {
        let device = driverModel.devices[place].address
        guard let leaked = driverModel.dma.mappings.newest(of: device) else { return }
        let text =
            "device driver has pending DMA allocations while released from device "
            + "[count=\(driverModel.dma.mappings.count(of: device))]"
        let details =
            "One of leaked entries details: \(field(leaked.address)) "
            + "[size=\(leaked.size) bytes] [mapped with \(leaked.direction.name)] "
            + "[mapped as \(leaked.kindName)]"
        warnOfDMA(
            place,
            text + "\n" + details,
            leaked.address,
            call: leaked.call,
            from: "dma_debug_device_change",
            in: context
        )
    }

    private var logsDMAMisuse: Bool {
        BootOptions(machine.bootOptions).value("dma_debug") == "on"
    }

    /// `err_printk()`.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - text: of the message.
    ///   - address: what it is about.
    ///   - call: that made the mapping; nil where there is none.
    ///   - function: of the kernel that found it.
    ///   - context: of the caller.
    private mutating func warnOfDMA(
        _ place: Int,
        _ text: String,
        _ address: UInt64,
        call: UInt64? = nil,
        from function: String,
        in context: CallContext
    ) {
        let device = driverModel.devices[place]
        let line = "DMA-API: \(device.driverText) \(device.name): \(text)"
        misuse.add(
            .dmaMisuse(
                DMAMisuse(
                    address: LinearAddress(rawValue: address),
                    device: device.name,
                    text: line,
                    call: call
                )
            )
        )
        guard logsDMAMisuse else { return }
        let flat = line.split(separator: "\n").joined(separator: " ")
        log.warn(flat, at: "kernel/dma/debug.c", in: function, context)
    }

    private func field(_ address: UInt64) -> String { "[device address=0x\(digits(address))]" }

    private func digits(_ address: UInt64) -> String {
        let digits = String(address, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
