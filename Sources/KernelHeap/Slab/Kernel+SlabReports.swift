/// What `kmem_cache_destroy()` prints for a cache that still has objects.
extension Kernel {
    /// Lines of one report; what does not fit the log would only push the beginning out.
    private static let reportLimit = KernelLog.capacity / 2

    /// Reports the objects of partial slabs, as `list_slab_objects()` does.
    mutating func reportRemaining(in slabs: [UInt32], of cache: Int, _ context: CallContext) {
        let name = CacheName.escaped(slab.catalog.names[cache])
        let end = log.nextNumber + Self.reportLimit
        for number in slabs {
            guard log.nextNumber < end else { return }
            let text = "Objects remaining in \(name) on __kmem_cache_shutdown()"
            reportSlab(number, text, in: context)
            let owner = slab.slabs[Int(number)]
            let first = pages.layout.virtual(owner.pfn)
            let shape = slab.caches[cache]
            let layout = checkedLayout(ofCache: cache)
            for index in 0..<Int(owner.objects) where log.nextNumber < end {
                guard slab.states[Int(owner.states) + index].isAllocated else { continue }
                let offset = shape.begin(of: index)
                log.append("Object 0x\(pointer(first &+ offset)) @offset=\(offset)")
                logTracks(first &+ offset, layout)
            }
        }
    }

    /// `slab_out_of_memory()`: which cache could get no slab, and what it has.
    mutating func warnAboutSlabs(of cache: Int, _ flags: GFPFlags) {
        guard !flags.contains(.noWarn), log.startsSlabReport(at: sequence) else { return }
        let geometry = slab.catalog.geometries[cache]
        let name = CacheName.escaped(slab.catalog.names[cache])
        let mode = hexadecimal(UInt64(profile.gfp.number(of: flags)))
        log.append(
            "SLUB: Unable to allocate memory on node -1, gfp=\(mode)(\(profile.gfp.text(of: flags)))"
        )
        log.append(
            "  cache: \(name), object size: \(geometry.objectSize), buffer size: \(geometry.size), "
                + "default order: \(geometry.order), min order: \(geometry.minOrder)"
        )
        if geometry.minOrder > Self.order(ofBytes: UInt64(geometry.objectSize)) ?? 0 {
            log.append("  \(name) debugging increased min order, use slub_debug=O to disable.")
        }
        for node in slab.detail(cache).nodes {
            log.append(
                "  node \(node.id): slabs: \(node.slabs), objs: \(node.objects), "
                    + "free: \(node.partialObjectsFree)"
            )
        }
    }
}
