/// What went when resources were released.
struct DevresRelease {
    /// Most resources that a call's detail lists.
    static let listLimit = 256

    /// Resources that were released, groups left out.
    var count = 0
    /// The first of them, in the order in which they went.
    var released: [FactValue] = []
    /// The kernel died in a callback: what was left is nobody's.
    var isDead = false

    var facts: [Fact] {
        [Fact("released", .list(released)), Fact("released_count", .number(Int64(count)))]
    }
}

/// Managed resources: `drivers/base/devres.c`, 6.1.
extension Kernel {
    /// `alloc_dr()`: memory for a node and its data.
    ///
    /// - Parameters:
    ///   - bytes: of the data.
    ///   - flags: as for `kmalloc()`.
    ///   - context: of the caller.
    /// - Returns: what `kmalloc()` came to, for all bytes; nil where their number overflows.
    mutating func allocateDevres(
        bytes: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> (outcome: KmallocOutcome, total: UInt64)? {
        let header = deviceLayout.header
        let (total, overflow) = bytes.addingReportingOverflow(header)
        guard !overflow, total <= layout.addressMask else { return nil }
        let outcome = allocate(size: total, flags: flags, in: context)
        let address = address(of: outcome)
        guard address != 0 else { return nil }
        // A constructor of broken lists aside, memory of kmalloc() is in the direct map.
        if !flags.contains(.zero) { clearKernel(address, header) }
        return (outcome, total)
    }

    /// The newest resource of a device that fits.
    func devres(of place: Int, where fits: (DevresNode) -> Bool) -> Int? {
        driverModel.devices[place].resources.lastIndex(where: fits)
    }

    /// Memory of `devm_kmalloc()` by the address that the driver has.
    func managedMemory(_ address: UInt64, of place: Int) -> Int? {
        let begin = address &- deviceLayout.header
        return devres(of: place) { node in
            if case .memory = node.kind { node.address == begin } else { false }
        }
    }

    /// `devres_destroy()`: takes a resource off its list and frees its node without releasing it.
    mutating func destroyDevres(_ index: Int, of place: Int, in context: CallContext) {
        let node = driverModel.devices[place].resources.remove(at: index)
        driverModel.forget(node)
        freeManaged(node.address, in: context)
    }

    /// `devres_release()`: takes a resource off its list and releases it.
    mutating func releaseDevres(
        _ index: Int,
        of place: Int,
        in context: CallContext
    ) -> DevresRelease {
        let node = driverModel.devices[place].resources.remove(at: index)
        return release(of: place, [node], in: context)
    }

    /// `devres_release_all()`.
    mutating func releaseAllResources(
        of place: Int,
        in context: CallContext
    ) -> DevresRelease {
        let nodes = driverModel.devices[place].resources
        driverModel.devices[place].resources = []
        return release(of: place, nodes, in: context)
    }

    /// `release_nodes()`: the newest first.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - nodes: that are on no list any more.
    ///   - context: of whoever ends them.
    /// - Returns: what was released.
    mutating func release(
        of place: Int,
        _ nodes: [DevresNode],
        in context: CallContext
    ) -> DevresRelease {
        var release = DevresRelease()
        for node in nodes { driverModel.forget(node) }
        for node in nodes.reversed() {
            var facts = node.facts(header: deviceLayout.header)
            switch node.kind {
            // Both ends of a group are in one piece of memory.
            case .groupClose: continue
            case .groupOpen:
                freeManaged(node.address, in: context)
                continue
            case .memory: break
            case .pages(let address, let order):
                if let frame = frame(ofDirectMapped: address) {
                    freePages(PFN(rawValue: UInt64(frame)), order: order, in: context)
                }
            case .coherent(let virtual, let handle, let bytes):
                dmaFreeCoherent(
                    place,
                    size: bytes,
                    virtual: virtual,
                    address: handle,
                    in: context
                )
            case .action(let action):
                let run = runAction(action, in: context)
                facts.append(Fact("steps", .list(run.steps)))
                release.isDead = run.value == nil
            }
            release.count += 1
            if release.released.count < DevresRelease.listLimit {
                release.released.append(.facts(facts))
            }
            if release.isDead { break }
            freeManaged(node.address, in: context)
        }
        return release
    }

    /// Calls a callback with its data.
    mutating func runAction(_ action: DevresAction, in context: CallContext) -> MethodRun {
        var variables = [UInt64](repeating: 0, count: action.script.variables.count)
        return runSteps(
            action.script[.action],
            [(.arg, action.data)],
            &variables,
            in: context
        )
    }

    /// `kfree()` of a node, which its driver may have freed already.
    mutating func freeManaged(_ address: UInt64, in context: CallContext) {
        checkFree(address)
        kfree(LinearAddress(rawValue: address), in: context)
    }
}

extension DevresNode {
    /// The resource for a call's detail.
    ///
    /// - Parameter header: bytes from the node to its data.
    /// - Returns: its kind, where it lies and who asked for it.
    func facts(header: UInt64) -> [Fact] {
        var facts = [
            Fact("kind", .text(kindName)), Fact("function", .text(function)),
            Fact("call", .count(call)), Fact("address", .address(address &+ header)),
            Fact("size", .count(size)),
        ]
        switch kind {
        case .memory, .groupOpen, .groupClose: break
        case .pages(let address, let order):
            facts.append(Fact("pages", .address(address)))
            facts.append(Fact("order", .number(Int64(order))))
        case .coherent(let virtual, let handle, let bytes):
            facts.append(Fact("cpu_addr", .address(virtual)))
            facts.append(Fact("dma_handle", .address(handle)))
            facts.append(Fact("bytes", .count(bytes)))
        case .action(let action):
            facts.append(Fact("action", .text(action.name)))
            facts.append(Fact("data", .address(action.data)))
        }
        return facts
    }
}
