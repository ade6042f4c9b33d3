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
            let first = Self.virtual(owner.pfn)
            let shape = slab.caches[cache]
            let layout = CheckedLayout(slab.catalog.geometries[cache])
            for index in 0..<Int(owner.objects) where log.nextNumber < end {
                guard slab.states[Int(owner.states) + index].isAllocated else { continue }
                let offset = shape.begin(of: index)
                log.append("Object 0x\(pointer(first &+ offset)) @offset=\(offset)")
                logTracks(first &+ offset, layout)
            }
        }
    }
}
