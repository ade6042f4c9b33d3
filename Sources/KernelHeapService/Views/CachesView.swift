internal import KernelHeap

extension StateView {
    /// `GET …/caches`: every slab cache, newest first; `?name=` one of them.
    static let caches = StateView(
        "caches",
        parameters: ["name"]
    ) { (kernel, query) throws(Problem) in
        let isOne = query.text("name") != nil
        // One cache shows its lists; the list of all caches shows how long they are.
        let shown = isOne ? 256 : 0
        let states =
            isOne
            ? try query.choice("name", from: kernel.cacheNames) { name in
                kernel.cacheState(named: name, partialLimit: shown).map { [$0] }
            } ?? [] : kernel.cacheStates(partialLimit: shown)
        let usage =
            isOne ? states.first.flatMap { kernel.usage(ofCacheNamed: $0.counts.name) } : nil
        var json = JSONWriter(capacity: 32_768)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("caches", objects: states) { json, state in
                json.cache(state, withPartialLists: isOne)
                guard isOne else { return }
                json.name("usage")
                if let usage { json.object { $0.usage(usage) } } else { json.raw("null") }
            }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func cache(_ cache: CacheStateView, withPartialLists: Bool) {
        let geometry = cache.detail.geometry
        member("name", cache.counts.name)
        name("names")
        strings(cache.names)
        name("address")
        if let address = cache.address { self.address(address.rawValue) } else { raw("null") }
        member("live_objects", cache.liveObjects)
        member("active_objects", cache.counts.activeObjects)
        member("objects", cache.counts.objects)
        member("active_slabs", cache.counts.activeSlabs)
        member("slabs", cache.counts.slabs)
        member("reclaimable", cache.counts.isReclaimable)
        self.geometry(geometry)
        member("constructor", cache.detail.constructor)
        member("nodes", objects: zip(cache.detail.nodes, cache.partial)) { json, row in
            let (node, partial) = row
            json.member("node", node.id)
            json.member("slabs", node.slabs)
            json.member("objects", node.objects)
            json.member("cpu_slabs", node.cpuSlabs)
            json.member("partial_slabs", node.partialSlabs)
            json.member("partial_objects_in_use", node.partialObjectsInUse)
            json.member("partial_objects_free", node.partialObjectsFree)
            if withPartialLists {
                json.member("partial", objects: partial) { $0.heldSlab($1) }
            }
        }
        member("cpus", objects: cache.cpus) { json, cpu in
            json.member("cpu", cpu.id)
            json.name("slab")
            if let slab = cpu.slab {
                json.object { $0.heldSlab(slab) }
            } else {
                json.raw("null")
            }
            json.member("partial", objects: cpu.partial) { $0.heldSlab($1) }
        }
    }

    private mutating func geometry(_ geometry: SlabGeometry) {
        member("object_size", geometry.objectSize)
        member("size", geometry.size)
        member("align", geometry.align)
        member("inuse", geometry.inuse)
        member("offset", geometry.offset)
        member("red_left_pad", geometry.redLeftPad)
        member("order", geometry.order)
        member("pages_per_slab", 1 << geometry.order)
        member("objects_per_slab", geometry.objectsPerSlab)
        member("min_order", geometry.minOrder)
        member("min_objects", geometry.minObjects)
        member("min_partial", geometry.minPartial)
        member("cpu_partial", geometry.cpuPartial)
        member("cpu_partial_slabs", geometry.cpuPartialSlabs)
        name("flags")
        strings(SlabFlags.names.filter { geometry.flags.contains($0.flag) }.map(\.name))
        member("flags_hex", address: UInt64(geometry.flags.rawValue))
        member("usercopy_offset", geometry.usercopyOffset)
        member("usercopy_size", geometry.usercopySize)
    }

    private mutating func heldSlab(_ slab: CacheStateView.HeldSlab) {
        member("pfn", slab.pfn.rawValue)
        member("order", slab.order)
        member("objects", slab.objects)
        member("objects_in_use", slab.objectsInUse)
    }
}
