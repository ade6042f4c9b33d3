/// Coherent memory that is freed with its device: `kernel/dma/mapping.c`, 6.1.
extension Kernel {
    /// `dmam_alloc_coherent()`.
    mutating func dmamAllocCoherent(
        _ place: Int,
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> UInt32? {
        // A struct dma_devres: size, address, handle, attributes.
        let handleBytes: UInt64 = layout.is32Bit && !machine.pae ? 4 : 8
        let bytes = 3 * layout.wordBytes + handleBytes
        let zeroed = flags.union(.zero)
        guard let memory = allocateDevres(bytes: bytes, flags: zeroed, in: context) else {
            return nil
        }
        let devres = address(of: memory.outcome)
        guard
            let frame = dmaAllocCoherent(
                place,
                size: size,
                flags: flags,
                from: "dmam_alloc_coherent",
                in: context
            )
        else {
            freeManaged(devres, in: context)
            return nil
        }
        let kind = DevresNode.Kind.coherent(
            virtual: layout.virtual(frame),
            handle: UInt64(frame) << 12,
            bytes: size
        )
        let node = DevresNode(
            kind: kind,
            address: devres,
            size: bytes,
            call: sequence,
            function: "dmam_alloc_coherent"
        )
        driverModel.add(node, to: place)
        return frame
    }

    /// `dmam_free_coherent()`: frees, and warns where no resource fits.
    mutating func dmamFreeCoherent(
        _ place: Int,
        size: UInt64,
        virtual: UInt64,
        address: UInt64,
        in context: CallContext
    ) {
        dmaFreeCoherent(place, size: size, virtual: virtual, address: address, in: context)
        let index = devres(of: place) { node in
            if case .coherent(virtual, _, _) = node.kind { true } else { false }
        }
        if let index {
            destroyDevres(index, of: place, in: context)
        } else {
            log.warn(nil, at: "kernel/dma/mapping.c", in: "dmam_free_coherent", context)
        }
    }
}
