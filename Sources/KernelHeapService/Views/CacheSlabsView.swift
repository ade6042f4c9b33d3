internal import KernelHeap

extension StateView {
    /// Most slots that one answer may be asked for.
    private static let slotLimit: UInt64 = 4_096

    /// `GET …/caches/{name}/slabs`: every slab of a cache with every slot, a part at a time.
    ///
    /// - Parameter name: any of the cache's names.
    /// - Returns: the view of that cache, whether there is one or not.
    static func slabs(ofCache name: String) -> StateView {
        StateView("slabs", parameters: ["cursor", "limit"]) { (kernel, query) throws(Problem) in
            let limit = Int(try query.number("limit", default: 256, in: 1...slotLimit))
            let cursor = try query.word("cursor") ?? 0
            guard let cache = kernel.cache(named: name) else {
                let shown = name.count <= 64 ? name : String(name.prefix(64)) + "…"
                let problem = Problem(.unknownCache, "no cache \"\(shown)\"")
                throw unsafe Array(name.utf8).withUnsafeBytes { bytes in
                    unsafe problem.suggesting(ByteSlice(bytes), from: kernel.cacheNames)
                }
            }
            let view = kernel.slabs(of: cache, from: cursor, limit: limit)
            var json = JSONWriter(capacity: 32_768)
            json.object { json in
                json.member("seq", kernel.sequence)
                json.member("cache", kernel.cacheName(cache))
                json.member("slabs", objects: view.slabs) { $0.slab($1) }
                json.member("next_cursor", orNull: view.next.map { String($0) })
            }
            return ViewAnswer(json)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func slab(_ slab: SlabView) {
        member("pfn", slab.pfn.rawValue)
        member("order", slab.order)
        member("node", slab.node)
        member("objects", slab.objects)
        member("inuse", slab.inuse)
        member("frozen", slab.isFrozen)
        member("linked_by_bytes", slab.isLinkedByBytes)
        member("holder") { $0.holder(slab.holder) }
        member("freelists", objects: slab.freelists) { $0.freelist($1) }
        member("usage") { $0.usage(slab.usage) }
        member("slots", objects: slab.slots) { $0.slot($1) }
    }

    private mutating func holder(_ holder: SlabView.Holder) {
        switch holder {
        case .cpu(let cpu):
            member("kind", "cpu")
            member("cpu", cpu)
        case .cpuPartial(let cpu, let position):
            member("kind", "cpu_partial")
            member("cpu", cpu)
            member("position", position)
        case .nodePartial(let node, let position):
            member("kind", "node_partial")
            member("node", node)
            member("position", orNull: position.map { UInt64(clamping: $0) })
        case .full: member("kind", "full")
        case .gracePeriod: member("kind", "grace_period")
        case .none: member("kind", "none")
        }
    }

    private mutating func freelist(_ freelist: FreelistView) {
        member("of", freelist.owner.name)
        if case .cpu(let cpu) = freelist.owner { member("cpu", cpu) }
        member("length", freelist.length)
        switch freelist.end {
        case .null: member("end", "null")
        case .loop(let index):
            member("end", "loop")
            member("end_index", index)
        case .outside(let address):
            member("end", "outside")
            member("end_address", address: address.rawValue)
        case .cut(let address):
            member("end", "cut")
            member("end_address", address: address.rawValue)
        }
        name("strays")
        list(freelist.strays) { (json, stray) in json.address(stray.rawValue) }
    }

    private mutating func slot(_ slot: SlotView) {
        member("index", slot.index)
        member("address", address: slot.address.rawValue)
        member("state", slot.isAllocated ? "allocated" : "free")
        member("call", orNull: slot.call)
        member("function", orNull: slot.function)
        member("requested", orNull: slot.requested)
        member("freelist", orNull: slot.freelist?.name)
        member("position", orNull: slot.position.map { UInt64(clamping: $0) })
        guard !slot.marks.isEmpty else { return }
        member("marks", objects: slot.marks) { $0.mark($1) }
    }

    private mutating func mark(_ mark: SlotMark) {
        member("name", mark.name)
        member("address", address: mark.address.rawValue)
        member("length", mark.length)
        member("value", address: UInt64(mark.value))
        member("intact", mark.overwritten == nil)
        guard let wrong = mark.overwritten else { return }
        member("first_wrong", address: wrong.lowerBound)
        member("last_wrong", address: wrong.upperBound - 1)
    }

    /// What the bytes of slabs are used for.
    mutating func usage(_ usage: SlabUsage) {
        member("objects", usage.objects)
        member("allocated_objects", usage.allocatedObjects)
        member("requested", usage.requested)
        member("allocated", usage.allocated)
        member("free", usage.free)
        member("padding", usage.padding)
        member("tail", usage.tail)
        member("slab_bytes", usage.bytes)
    }
}

extension FreelistView.Owner {
    /// Whose freelist it is, as clients see it.
    fileprivate var name: String {
        switch self {
        case .cpu: "cpu"
        case .slab: "slab"
        }
    }
}
