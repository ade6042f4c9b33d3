/// Groups of managed resources, which are released together: `drivers/base/devres.c`, 6.1.
extension Kernel {
    /// `devres_open_group()`.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - id: any number that finds the group again; 0 for the group's own address.
    ///   - flags: for the memory of the group.
    ///   - context: of the caller.
    /// - Returns: the id; 0 without memory.
    mutating func openGroup(
        _ place: Int,
        id: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> UInt64 {
        let memory = allocate(size: deviceLayout.groupBytes, flags: flags, in: context)
        let address = address(of: memory)
        guard address != 0 else { return 0 }
        let id = id == 0 ? address : id
        let node = DevresNode(
            kind: .groupOpen(id: id),
            address: address,
            size: deviceLayout.groupBytes,
            call: sequence,
            function: "devres_open_group"
        )
        driverModel.add(node, to: place)
        return id
    }

    /// `devres_close_group()`: what comes later is not of the group.
    mutating func closeGroup(_ place: Int, id: UInt64, in context: CallContext) {
        guard let group = findGroup(place, id: id) else {
            return warnAboutDevres("devres_close_group", context)
        }
        let address = driverModel.devices[place].resources[group].address
        guard groupEnd(place, address) == nil else {
            // add_dr(): a node that is on a list already.
            return log.bug(at: "drivers/base/devres.c", in: "add_dr", context)
        }
        let node = DevresNode(
            kind: .groupClose,
            address: address,
            size: deviceLayout.groupBytes,
            call: sequence,
            function: "devres_close_group"
        )
        driverModel.add(node, to: place)
    }

    /// `devres_remove_group()`: the resources stay, only the group goes.
    mutating func removeGroup(_ place: Int, id: UInt64, in context: CallContext) {
        guard let group = findGroup(place, id: id) else {
            return warnAboutDevres("devres_remove_group", context)
        }
        let address = driverModel.devices[place].resources[group].address
        if let end = groupEnd(place, address) {
            driverModel.devices[place].resources.remove(at: end)
        }
        driverModel.devices[place].resources.remove(at: group)
        freeManaged(address, in: context)
    }

    /// `devres_release_group()`: resources between the group's ends go, or up to now while it is open.
    ///
    /// - Returns: what was released; nil where there is no such group.
    mutating func releaseGroup(
        _ place: Int,
        id: UInt64,
        in context: CallContext
    ) -> DevresRelease? {
        guard let group = findGroup(place, id: id) else {
            warnAboutDevres("devres_release_group", context)
            return nil
        }
        let resources = driverModel.devices[place].resources
        let end = groupEnd(place, resources[group].address) ?? resources.count - 1
        let nodes = removeNodes(place, group...end)
        return release(of: place, nodes, in: context)
    }

    /// `remove_nodes()`: resources of a range, and groups that lie in it as a whole behind them.
    private mutating func removeNodes(_ place: Int, _ range: ClosedRange<Int>) -> [DevresNode] {
        let resources = driverModel.devices[place].resources
        var closed: Set<UInt64> = []
        for node in resources {
            if case .groupClose = node.kind { closed.insert(node.address) }
        }
        var plain: [DevresNode] = []
        var groups: [DevresNode] = []
        var opened: [UInt64: DevresNode] = [:]
        for node in resources[range] {
            switch node.kind {
            case .memory, .pages, .action, .coherent: plain.append(node)
            case .groupOpen:
                if closed.contains(node.address) {
                    opened[node.address] = node
                } else {
                    groups.append(node)
                }
            case .groupClose:
                if let start = opened.removeValue(forKey: node.address) { groups.append(start) }
            }
        }
        let gone = Set(groups.map(\.address))
        var index = -1
        driverModel.devices[place].resources.removeAll { node in
            index += 1
            switch node.kind {
            case .memory, .pages, .action, .coherent: return range.contains(index)
            case .groupOpen, .groupClose: return gone.contains(node.address)
            }
        }
        return plain + groups
    }

    /// `find_group()`: the newest group of an id; for 0 the newest that is open.
    private func findGroup(_ place: Int, id: UInt64) -> Int? {
        devres(of: place) { node in
            guard case .groupOpen(let known) = node.kind else { return false }
            return id == 0 ? groupEnd(place, node.address) == nil : known == id
        }
    }

    private func groupEnd(_ place: Int, _ address: UInt64) -> Int? {
        devres(of: place) { node in
            if case .groupClose = node.kind { node.address == address } else { false }
        }
    }

    /// `WARN_ON()` of a function that was asked for what the device does not have.
    mutating func warnAboutDevres(_ function: String, _ context: CallContext) {
        log.warn(nil, at: "drivers/base/devres.c", in: function, context)
    }
}
