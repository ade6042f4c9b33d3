internal import KernelHeap

extension StateView {
    /// `GET …/caches`: every slab cache, newest first as in the kernel's own list.
    static let caches = StateView(name: "caches") { (kernel, _, json) in
        json.raw("{\"seq\":")
        json.number(kernel.sequence)
        json.raw(",\"caches\":")
        json.list(kernel.cacheViews()) { (json, cache) in
            json.raw("{\"name\":")
            json.string(cache.name)
            json.field("active_objects", cache.activeObjects)
            json.field("objects", cache.objects)
            json.field("object_size", cache.objectSize)
            json.field("objects_per_slab", cache.objectsPerSlab)
            json.field("pages_per_slab", cache.pagesPerSlab)
            json.field("active_slabs", cache.activeSlabs)
            json.field("slabs", cache.slabs)
            json.raw(",\"reclaimable\":")
            json.boolean(cache.isReclaimable)
            json.raw("}")
        }
        json.raw("}")
    }
}
