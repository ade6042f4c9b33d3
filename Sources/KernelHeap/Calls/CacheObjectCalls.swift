/// Objects of caches.
let cacheObjectCalls: [any KernelCall.Type] = [
    KmemCacheAlloc.self, KmemCacheZalloc.self, KmemCacheAllocBulk.self, KmemCacheFree.self,
    KmemCacheFreeBulk.self,
]

/// Most objects that one call allocates or frees.
private let bulkLimit: UInt64 = 65_536
private let flagsParameter = Parameter("flags", .gfp, "How the allocation may behave.")

/// The call `void *kmem_cache_alloc(struct kmem_cache *s, gfp_t flags)`.
struct KmemCacheAlloc: MemoryRequestingCall {
    static let signature = CallSignature(
        "kmem_cache_alloc",
        returns: "void *",
        [cacheParameter, flagsParameter],
        "Allocates an object, as its last owner or its constructor left it."
    )

    var cache: CacheArgument
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        cache = arguments.cache(0)
        flags = arguments.gfp(1)
    }

    var memoryRequest: MemoryRequest? { .cacheObject(cache, flags: flags) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let flags = flags
        return kernel.withCache(cache, nothing: .pointer(0)) { kernel, place in
            guard let object = kernel.allocateCleared(from: place, flags: flags, in: context)
            else { return CallResult(.pointer(0)) }
            let size = UInt64(kernel.slab.caches[place].objectSize)
            let detail: CallDetail =
                object.slab == Slab.none
                ? kernel.strayDetail(object.address, requested: size)
                : .object(kernel.detail(of: object, cache: place, requested: size))
            return CallResult(.pointer(object.address), detail: detail)
        }
    }
}

/// The call `void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t flags)`.
struct KmemCacheZalloc: MemoryRequestingCall {
    static let signature = CallSignature(
        "kmem_cache_zalloc",
        returns: "void *",
        KmemCacheAlloc.signature.parameters,
        "Allocates a cleared object."
    )

    var allocation: KmemCacheAlloc

    init(_ arguments: borrowing CallArguments) {
        allocation = KmemCacheAlloc(arguments)
        allocation.flags.insert(.zero)
    }

    var memoryRequest: MemoryRequest? { allocation.memoryRequest }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        allocation.run(on: &kernel, in: context)
    }
}

/// The call `int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t size, void **p)`.
struct KmemCacheAllocBulk: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_alloc_bulk",
        returns: "int",
        [
            cacheParameter, flagsParameter,
            Parameter("size", .size, "Objects.", maximum: bulkLimit),
        ],
        "Allocates many objects or none; returns how many, their addresses stand in the detail."
    )

    var cache: CacheArgument
    var flags: GFPFlags
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        cache = arguments.cache(0)
        flags = arguments.gfp(1)
        count = min(arguments.word(2), bulkLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let (count, flags) = (Int(count), flags)
        return kernel.withCache(cache, nothing: .integer(0)) { kernel, place in
            let objects = kernel.allocateObjects(count, from: place, flags: flags, in: context)
            return CallResult(
                .integer(Int64(objects.count)),
                detail: .facts([Fact("p", .list(objects.map { .address($0) }))])
            )
        }
    }
}

/// The call `void kmem_cache_free(struct kmem_cache *s, void *objp)`.
struct KmemCacheFree: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_free",
        returns: "void",
        [cacheParameter, Parameter("objp", .address, "An object of the cache.")],
        "Gives an object back; one of another cache is warned about and goes to its own."
    )

    var cache: CacheArgument
    var address: UInt64

    init(_ arguments: borrowing CallArguments) {
        cache = arguments.cache(0)
        address = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let address = address
        return kernel.withCache(cache, nothing: .void) { kernel, place in
            kernel.freeObject(at: address, to: place, in: context)
            return .void
        }
    }
}

/// The call `void kmem_cache_free_bulk(struct kmem_cache *s, size_t size, void **p)`.
struct KmemCacheFreeBulk: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_free_bulk",
        returns: "void",
        [
            cacheParameter,
            Parameter("p", .addresses, "Objects of the cache.", maximum: bulkLimit),
        ],
        "Gives many objects back, the last one first."
    )

    var cache: CacheArgument
    var objects: [UInt64]

    init(_ arguments: borrowing CallArguments) {
        cache = arguments.cache(0)
        objects = Array(arguments.addresses(1).prefix(Int(bulkLimit)))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let objects = objects
        return kernel.withCache(cache, nothing: .void) { kernel, place in
            guard !objects.isEmpty else {
                kernel.log.warn(nil, at: "mm/slub.c", in: "kmem_cache_free_bulk", context)
                return .void
            }
            kernel.freeObjects(objects, to: place, in: context)
            return .void
        }
    }
}
