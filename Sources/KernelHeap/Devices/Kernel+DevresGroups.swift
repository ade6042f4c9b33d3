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
        let serial = driverModel.nextGroupSerial()
        let node = DevresNode(
            kind: .groupOpen(id: id, serial: serial, isClosed: false),
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
        guard !group.isClosed else {
            // add_dr(): a node that is on a list already.
            return log.bug(at: "drivers/base/devres.c", in: "add_dr", context)
        }
        driverModel.devices[place].resources[group.begin].kind =
            .groupOpen(id: group.id, serial: group.serial, isClosed: true)
        let node = DevresNode(
            kind: .groupClose(serial: group.serial),
            address: driverModel.devices[place].resources[group.begin].address,
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
        if let end = end(of: group, place) {
            driverModel.devices[place].resources.remove(at: end)
        }
        let node = driverModel.devices[place].resources.remove(at: group.begin)
        freeManaged(node.address, in: context)
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
        let last = end(of: group, place) ?? driverModel.devices[place].resources.count - 1
        let nodes = removeNodes(place, group.begin..<last + 1)
        return release(of: place, nodes, in: context)
    }

    /// `remove_nodes()`: resources of a range, and groups that lie in it as a whole behind them.
    private mutating func removeNodes(_ place: Int, _ range: Range<Int>) -> [DevresNode] {
        var plain: [DevresNode] = []
        var groups: [DevresNode] = []
        var gone: Set<UInt64> = []
        var opened: [UInt64: DevresNode] = [:]
        for node in driverModel.devices[place].resources[range] {
            switch node.kind {
            case .memory, .pages, .action, .coherent: plain.append(node)
            case .groupOpen(_, let serial, isClosed: true): opened[serial] = node
            case .groupOpen(_, let serial, isClosed: false):
                groups.append(node)
                gone.insert(serial)
            case .groupClose(let serial):
                guard let start = opened.removeValue(forKey: serial) else { continue }
                groups.append(start)
                gone.insert(serial)
            }
        }
        var index = -1
        driverModel.devices[place].resources.removeAll { node in
            index += 1
            switch node.kind {
            case .memory, .pages, .action, .coherent: return range.contains(index)
            case .groupOpen(_, let serial, _), .groupClose(let serial):
                return gone.contains(serial)
            }
        }
        return plain + groups
    }

    /// A group of a device.
    private struct Group {
        /// The place of its beginning among the resources.
        var begin: Int
        var id: UInt64
        var serial: UInt64
        var isClosed: Bool
    }

    /// `find_group()`: the newest group of an id; for 0 the newest that is open.
    ///
    /// Walks the resources once, as the kernel does.
    private func findGroup(_ place: Int, id: UInt64) -> Group? {
        let begin = devres(of: place) { node in
            guard case .groupOpen(let known, _, let isClosed) = node.kind else { return false }
            return id == 0 ? !isClosed : known == id
        }
        guard let begin,
            case .groupOpen(let id, let serial, let isClosed) =
                driverModel.devices[place].resources[begin].kind
        else { return nil }
        return Group(begin: begin, id: id, serial: serial, isClosed: isClosed)
    }

    /// Where a closed group ends: always behind its beginning.
    private func end(of group: Group, _ place: Int) -> Int? {
        guard group.isClosed else { return nil }
        return driverModel.devices[place].resources[(group.begin + 1)...].firstIndex { node in
            if case .groupClose(group.serial) = node.kind { true } else { false }
        }
    }

    /// `WARN_ON()` of a function that was asked for what the device does not have.
    mutating func warnAboutDevres(_ function: String, _ context: CallContext) {
        log.warn(nil, at: "drivers/base/devres.c", in: function, context)
    }
}
