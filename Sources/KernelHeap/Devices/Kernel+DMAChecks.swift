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
            return warnOfDMA(place, text, use.address, in: context)
        }
        let head = field(use.address)
        if known.size != use.size {
            let text =
                "device driver frees DMA memory with different size \(head) "
                + "[map size=\(known.size) bytes] [unmap size=\(use.size) bytes]"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        let bytes = "\(head) [size=\(use.size) bytes]"
        if known.isCoherent != isCoherent {
            let text =
                "device driver frees DMA memory with wrong function \(bytes) "
                + "[mapped as \(known.kindName)] [unmapped as \(isCoherent ? "coherent" : "single")]"
            warnOfDMA(place, text, use.address, known, in: context)
        } else if let virtual, virtual != known.virtual {
            let text =
                "device driver frees DMA memory with different CPU address \(bytes) "
                + "[cpu alloc address=0x\(digits(known.virtual))] "
                + "[cpu free address=0x\(digits(virtual))]"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        if known.direction != use.direction {
            let text =
                "device driver frees DMA memory with different direction \(bytes) "
                + "[mapped with \(known.direction.name)] [unmapped with \(use.direction.name)]"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        if !known.isCoherent, !known.isChecked {
            let text =
                "device driver failed to check map error\(bytes) [mapped as \(known.kindName)]"
            warnOfDMA(place, text, use.address, known, in: context)
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
            return warnOfDMA(place, text, use.address, in: context)
        }
        if !known.holds(use.address, use.size) {
            let (end, overflow) = (use.address - known.address)
                .addingReportingOverflow(use.size)
            let text =
                "device driver syncs DMA memory outside allocated range \(head) "
                + "[allocation size=\(known.size) bytes] "
                + "[sync offset+size=\(overflow ? .max : end)]"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        guard known.direction != .bidirectional else { return }
        let both = "[mapped with \(known.direction.name)] [synced with \(use.direction.name)]"
        if known.direction != use.direction {
            let text = "device driver syncs DMA memory with different direction \(bytes) \(both)"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        if isForCPU, !known.direction.isRead, use.direction != .toDevice {
            let text =
                "device driver syncs device read-only DMA memory for cpu \(bytes) \(both)"
            warnOfDMA(place, text, use.address, known, in: context)
        }
        if !isForCPU, !known.direction.isWrite, use.direction != .fromDevice {
            let text =
                "device driver syncs device write-only DMA memory to device \(bytes) \(both)"
            warnOfDMA(place, text, use.address, known, in: context)
        }
    }

    /// `check_for_stack()` and `check_for_illegal_area()` of memory that is about to be mapped.
    mutating func checkMapped(
        _ place: Int,
        _ virtual: UInt64,
        _ size: UInt64,
        in context: CallContext
    ) {
        if kernelStackRange(of: context.pid)?.contains(virtual) == true {
            let text = "device driver maps memory from stack [addr=\(pointer(virtual))]"
            warnOfDMA(place, text, virtual, in: context)
        } else if frame(ofDirectMapped: virtual) == nil {
            let text =
                "device driver maps memory that is no memory of the direct map "
                + "[addr=\(pointer(virtual))] [len=\(size)]"
            warnOfDMA(place, text, virtual, in: context)
        }
    }

    /// `dma_debug_device_change()`: what a driver that goes has left mapped.
    mutating func checkPendingMappings(of place: Int, _ driver: String, in context: CallContext) {
        let device = driverModel.devices[place].address
        guard let leaked = driverModel.dma.mappings.newest(of: device) else { return }
        let text =
            "device driver has pending DMA allocations while released from device "
            + "[count=\(driverModel.dma.mappings.count(of: device))]"
        let details =
            "One of leaked entries details: \(field(leaked.address)) "
            + "[size=\(leaked.size) bytes] [mapped with \(leaked.direction.name)] "
            + "[mapped as \(leaked.kindName)]"
        warnOfDMA(place, text + "\n" + details, leaked.address, leaked, from: driver, in: context)
    }

    private mutating func warnOfDMA(
        _ place: Int,
        _ text: String,
        _ address: UInt64,
        _ mapping: DMAMapping? = nil,
        from driver: String? = nil,
        in context: CallContext
    ) {
        let device = driverModel.devices[place]
        let line = "DMA-API: \(driver ?? device.driverText) \(device.name): \(text)"
        misuse.add(
            .dmaMisuse(
                DMAMisuse(
                    address: LinearAddress(rawValue: address),
                    device: device.name,
                    text: line,
                    call: mapping?.call
                )
            )
        )
        guard BootOptions(machine.bootOptions).value("dma_debug") == "on" else { return }
        let flat = line.split(separator: "\n").joined(separator: " ")
        log.warn(flat, at: "kernel/dma/debug.c", in: "check_unmap", context)
    }

    private func field(_ address: UInt64) -> String { "[device address=0x\(digits(address))]" }

    private func digits(_ address: UInt64) -> String {
        let digits = String(address, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
