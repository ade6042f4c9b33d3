/// Memory and callbacks that end with their device: `drivers/base/devres.c`, 6.1.
extension Kernel {
    /// `devm_kmalloc()`.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - size: bytes; 0 gives `ZERO_SIZE_PTR` and nothing to free.
    ///   - flags: as for `kmalloc()`.
    ///   - function: the C function that was called.
    ///   - context: of the caller.
    /// - Returns: the address of the data, and where the whole allocation lies.
    mutating func devmKmalloc(
        _ place: Int,
        size: UInt64,
        flags: GFPFlags,
        from function: String,
        in context: CallContext
    ) -> CallResult {
        guard size > 0 else { return CallResult(.pointer(Self.zeroSizePointer)) }
        guard let (outcome, total) = allocateDevres(bytes: size, flags: flags, in: context) else {
            return CallResult(.pointer(0))
        }
        let address = address(of: outcome)
        let node = DevresNode(
            kind: .memory,
            address: address,
            size: size,
            call: sequence,
            function: function
        )
        driverModel.add(node, to: place)
        var result = result(of: outcome, requested: total)
        result.value = .pointer(address &+ deviceLayout.header)
        return result
    }

    /// `devm_krealloc()`: memory that has room stays; else a new piece takes its place in the list.
    ///
    /// 6.1 counts the node twice for the new piece.
    mutating func devmKrealloc(
        _ place: Int,
        _ address: UInt64,
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> CallResult {
        guard size > 0 else {
            devmKfree(place, address, in: context)
            return CallResult(.pointer(Self.zeroSizePointer))
        }
        guard address > Self.zeroSizePointer else {
            return devmKmalloc(
                place,
                size: size,
                flags: flags,
                from: "devm_krealloc",
                in: context
            )
        }
        let header = deviceLayout.header
        let (total, overflow) = size.addingReportingOverflow(header)
        guard !overflow else { return CallResult(.pointer(0)) }
        let old = address &- header
        let room = wholeSize(LinearAddress(rawValue: old), "ksize", in: context)
        guard room > 0 else {
            let text = "Pointer doesn't point to dynamically allocated memory."
            log.warn(text, at: "drivers/base/devres.c", in: "devm_krealloc", context)
            return CallResult(.pointer(0))
        }
        guard total > room else { return CallResult(.pointer(address)) }
        guard let (outcome, requested) = allocateDevres(bytes: total, flags: flags, in: context)
        else { return CallResult(.pointer(0)) }
        let new = self.address(of: outcome)
        guard let index = managedMemory(address, of: place) else {
            freeManaged(new, in: context)
            let text = "Memory chunk not managed or managed by a different device."
            log.warn(text, at: "drivers/base/devres.c", in: "devm_krealloc", context)
            return CallResult(.pointer(0))
        }
        driverModel.devices[place].resources[index] = DevresNode(
            kind: .memory,
            address: new,
            size: total,
            call: sequence,
            function: "devm_krealloc"
        )
        let copied = room - min(header, room)
        let unwritten = unwrittenParts(address, copied)
        copyKernel(from: address, to: new &+ header, copied)
        noteWrite(new &+ header, copied)
        noteUnwritten(unwritten, at: new &+ header, stored: 0..<copied)
        freeManaged(old, in: context)
        var result = result(of: outcome, requested: requested)
        result.value = .pointer(new &+ header)
        return result
    }

    /// `devm_kfree()`: memory that is not the device's is warned about and left alone.
    mutating func devmKfree(_ place: Int, _ address: UInt64, in context: CallContext) {
        guard address > Self.zeroSizePointer else { return }
        guard let index = managedMemory(address, of: place) else {
            noteForeignMemory(address, of: place)
            return warnAboutDevres("devm_kfree", context)
        }
        destroyDevres(index, of: place, in: context)
    }

    /// `devm_get_free_pages()`.
    mutating func devmGetFreePages(
        _ place: Int,
        flags: GFPFlags,
        order: Int,
        in context: CallContext
    ) -> CallResult {
        guard
            let block = allocPages(
                order: order,
                flags: flags.subtracting(.highMem),
                in: context
            )
        else { return CallResult(.pointer(0)) }
        let frame = UInt32(truncatingIfNeeded: block.rawValue)
        let address = layout.virtual(frame)
        let bytes = 2 * layout.wordBytes
        let kernelZero = GFPFlags.kernel.union(.zero)
        guard let memory = allocateDevres(bytes: bytes, flags: kernelZero, in: context) else {
            freePages(block, order: order, in: context)
            return CallResult(.pointer(0))
        }
        let node = DevresNode(
            kind: .pages(address: address, order: order),
            address: self.address(of: memory.outcome),
            size: bytes,
            call: sequence,
            function: "devm_get_free_pages"
        )
        driverModel.add(node, to: place)
        return CallResult(.pointer(address), detail: .pages(detail(of: frame)))
    }

    /// `devm_free_pages()`.
    mutating func devmFreePages(_ place: Int, _ address: UInt64, in context: CallContext) {
        let index = devres(of: place) { node in
            if case .pages(address, _) = node.kind { true } else { false }
        }
        guard let index else {
            noteForeignMemory(address, of: place)
            return warnAboutDevres("devm_free_pages", context)
        }
        _ = releaseDevres(index, of: place, in: context)
    }

    /// `devm_add_action()`: a callback for the end of the device.
    ///
    /// - Returns: whether there was memory for it, and room.
    mutating func devmAddAction(
        _ place: Int,
        _ action: DevresAction,
        from function: String,
        in context: CallContext
    ) -> Bool {
        guard driverModel.actionCount < DriverModel.actionLimit else { return false }
        let bytes = 2 * layout.wordBytes
        let flags = GFPFlags.kernel.union(.zero)
        guard let memory = allocateDevres(bytes: bytes, flags: flags, in: context) else {
            return false
        }
        let node = DevresNode(
            kind: .action(action),
            address: address(of: memory.outcome),
            size: bytes,
            call: sequence,
            function: function
        )
        driverModel.add(node, to: place)
        return true
    }

    /// The newest callback of a name with these data.
    func managedAction(_ name: String, data: UInt64, of place: Int) -> Int? {
        devres(of: place) { node in
            guard case .action(let action) = node.kind else { return false }
            return action.data == data && action.name == name
        }
    }
}

/// Memory of a device in the wrong hands.
extension Kernel {
    /// Notes that the address of a managed resource goes to a function that does not know of it.
    mutating func checkManaged(_ address: UInt64) {
        guard !driverModel.devices.isEmpty else { return }
        let begin = address &- deviceLayout.header
        for device in driverModel.devices {
            for node in device.resources where node.address == begin {
                return misuse.add(
                    .managedMemory(
                        ManagedMemory(
                            address: LinearAddress(rawValue: address),
                            device: device.name,
                            owner: device.name,
                            function: node.function,
                            call: node.call
                        )
                    )
                )
            }
        }
    }

    /// Notes that a device was asked to free what it does not have.
    private mutating func noteForeignMemory(_ address: UInt64, of place: Int) {
        var memory = ManagedMemory(
            address: LinearAddress(rawValue: address),
            device: driverModel.devices[place].name
        )
        let begin = address &- deviceLayout.header
        for device in driverModel.devices {
            guard let node = device.resources.last(where: { $0.address == begin }) else { continue }
            memory.owner = device.name
            memory.function = node.function
            memory.call = node.call
        }
        misuse.add(.managedMemory(memory))
    }
}
