/// Caches: making, measuring, shrinking and destroying them.
let cacheCalls: [any KernelCall.Type] = [
    KmemCacheCreate.self, KmemCacheCreateUsercopy.self, KmemCacheDestroy.self,
    KmemCacheShrink.self, KmemCacheSize.self,
]

let cacheParameter = Parameter("s", .cache, "What kmem_cache_create returned, or a cache's name.")

private let nameParameter = Parameter(
    "name",
    .text,
    "What the cache is called in /proc/slabinfo; need not be unique.",
    maximum: UInt64(CacheName.limit)
)
private let sizeParameter = Parameter("size", .uint, "Bytes of an object.")
private let alignParameter = Parameter(
    "align",
    .uint,
    "Bytes that objects are aligned to; 0 where any word does.",
    optional: true
)
private let flagNames = SlabFlags.names.map { FlagName($0.name, UInt64($0.flag.rawValue)) }
private let flagsParameter = Parameter(
    "flags",
    .names(FlagNames("slab_flags_t", flagNames)),
    "SLAB_HWCACHE_ALIGN|SLAB_ACCOUNT, and so on.",
    optional: true
)
private let constructorParameter = Parameter(
    "ctor",
    .bytes,
    "What the constructor stores at the start of each object of a new slab.",
    optional: true,
    maximum: UInt64(CacheConstructor.limit)
)

extension SlabFlags {
    /// The flags of an argument; bits beyond `slab_flags_t` make the request one that is refused.
    fileprivate init(argument: UInt64) {
        self = UInt32(exactly: argument).map(SlabFlags.init(rawValue:)) ?? SlabFlags(rawValue: .max)
    }
}

extension Kernel {
    /// The cache that an argument names.
    func cache(_ argument: CacheArgument) -> CacheID? {
        switch argument {
        case .name(let name): slab.catalog.cache(named: name)
        case .address(let address): slab.catalog.cache(at: address)
        }
    }

    /// The place of a call's cache, or what the call answers where there is no such cache.
    ///
    /// The kernel follows any pointer: one outside memory faults, one to other data goes unnoticed.
    mutating func withCache(
        _ argument: CacheArgument,
        nothing: ReturnValue,
        _ body: (inout Kernel, Int) -> CallResult
    ) -> CallResult {
        if let cache = cache(argument) { return body(&self, Int(cache.rawValue)) }
        let shown: FactValue
        switch argument {
        case .name(let name): shown = .text(name)
        case .address(let address):
            shown = .address(address)
            if frame(ofDirectMapped: address) == nil { logAccessFault(at: address, isWrite: false) }
        }
        return CallResult(nothing, detail: .facts([Fact("unknown_cache", shown)]))
    }

    fileprivate mutating func createResult(
        _ request: SlabRequest,
        _ constructor: CacheConstructor?,
        in context: CallContext
    ) -> CallResult {
        guard let cache = createCache(request, constructor: constructor, in: context) else {
            return CallResult(.pointer(0))
        }
        let place = Int(cache.rawValue)
        let geometry = slab.catalog.geometries[place]
        let flags = SlabFlags.names.filter { geometry.flags.contains($0.flag) }
        return CallResult(
            .pointer(slab.catalog.records[place].address),
            detail: .facts([
                Fact("cache", .text(slab.catalog.names[place])),
                Fact("aliases", .number(Int64(slab.catalog.aliasCount(place)))),
                Fact("object_size", .number(Int64(geometry.objectSize))),
                Fact("size", .number(Int64(geometry.size))),
                Fact("align", .number(Int64(geometry.align))),
                Fact("order", .number(Int64(geometry.order))),
                Fact("objects_per_slab", .number(Int64(geometry.objectsPerSlab))),
                Fact("flags", .list(flags.map { .text($0.name) })),
            ])
        )
    }
}

/// The call `struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags, void (*ctor)(void *))`.
struct KmemCacheCreate: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_create",
        returns: "struct kmem_cache *",
        [nameParameter, sizeParameter, alignParameter, flagsParameter, constructorParameter],
        "Makes a cache of objects of one size, or finds one that can be shared."
    )

    var request: SlabRequest
    var constructor: CacheConstructor?

    init(_ arguments: borrowing CallArguments) {
        request = SlabRequest(
            name: arguments.text(0),
            size: UInt64(arguments.uint(1)),
            align: UInt64(arguments.uint(2)),
            flags: SlabFlags(argument: arguments.word(3))
        )
        constructor = arguments.has(4) ? CacheConstructor(bytes: arguments.bytes(4)) : nil
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.createResult(request, constructor, in: context)
    }
}

/// The same with a window for user copies, `useroffset` and `usersize`.
struct KmemCacheCreateUsercopy: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_create_usercopy",
        returns: "struct kmem_cache *",
        [
            nameParameter, sizeParameter, alignParameter, flagsParameter,
            Parameter("useroffset", .uint, "Where user copies may begin, in bytes."),
            Parameter("usersize", .uint, "Bytes that user copies may touch."),
            constructorParameter,
        ],
        "Makes a cache of whose objects user copies may touch a part."
    )

    var request: SlabRequest
    var constructor: CacheConstructor?

    init(_ arguments: borrowing CallArguments) {
        request = SlabRequest(
            name: arguments.text(0),
            size: UInt64(arguments.uint(1)),
            align: UInt64(arguments.uint(2)),
            flags: SlabFlags(argument: arguments.word(3)),
            usercopyOffset: UInt64(arguments.uint(4)),
            usercopySize: UInt64(arguments.uint(5))
        )
        constructor = arguments.has(6) ? CacheConstructor(bytes: arguments.bytes(6)) : nil
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.createResult(request, constructor, in: context)
    }
}

/// The call `void kmem_cache_destroy(struct kmem_cache *s)`.
struct KmemCacheDestroy: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_destroy",
        returns: "void",
        [cacheParameter],
        "Destroys a cache, unless others share it or it still has objects; NULL is ignored.",
        takesNull: true
    )

    var cache: CacheArgument

    init(_ arguments: borrowing CallArguments) { cache = arguments.cache(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if cache == .address(0) { return .void }
        return kernel.withCache(cache, nothing: .void) { kernel, place in
            let cache = CacheID(rawValue: UInt16(truncatingIfNeeded: place))
            let outcome = kernel.destroyCache(cache, in: context)
            return CallResult(.void, detail: .facts([Fact("outcome", .text(outcome.rawValue))]))
        }
    }
}

/// The call `int kmem_cache_shrink(struct kmem_cache *s)`.
struct KmemCacheShrink: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_shrink",
        returns: "int",
        [cacheParameter],
        "Gives back a cache's empty slabs; 0 where none is left."
    )

    var cache: CacheArgument

    init(_ arguments: borrowing CallArguments) { cache = arguments.cache(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.withCache(cache, nothing: .integer(0)) { kernel, place in
            let cache = CacheID(rawValue: UInt16(truncatingIfNeeded: place))
            return CallResult(.integer(Int64(kernel.shrinkCache(cache, in: context))))
        }
    }
}

/// The call `unsigned int kmem_cache_size(struct kmem_cache *s)`.
struct KmemCacheSize: KernelCall {
    static let signature = CallSignature(
        "kmem_cache_size",
        returns: "unsigned int",
        [cacheParameter],
        "Bytes of an object; of the largest user where caches were merged."
    )

    var cache: CacheArgument

    init(_ arguments: borrowing CallArguments) { cache = arguments.cache(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.withCache(cache, nothing: .unsigned(0)) { kernel, place in
            CallResult(.unsigned(UInt64(kernel.slab.caches[place].objectSize)))
        }
    }
}
