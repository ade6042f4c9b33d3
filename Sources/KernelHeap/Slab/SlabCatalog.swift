/// The caches of a machine as they were created: names and geometry, which rarely change.
///
/// Held in arrays that sessions and forks share until one of them creates a cache.
struct SlabCatalog: Sendable {
    /// A name and the cache that serves it; merged caches share one.
    struct Alias: Sendable {
        let name: String
        let cache: CacheID
    }

    let options: SlabOptions
    private(set) var names: [String] = []
    private(set) var geometries: [SlabGeometry] = []
    private(set) var exclusive: [Bool] = []
    /// What allocations read of each geometry.
    private(set) var shapes: [SlabCache] = []
    /// Every name that was created, oldest first.
    private(set) var aliases: [Alias] = []

    /// The caches that 6.1 has after boot, merged unless `slub_nomerge` is given.
    init(booting options: SlabOptions) {
        self.options = options
        for request in BuiltinCaches.inOrderOfCreation {
            _ = add(request, isExclusive: BuiltinCaches.isExclusive(request))
        }
    }

    var count: Int { geometries.count }

    func name(_ cache: CacheID) -> String {
        Int(cache.rawValue) < names.count ? names[Int(cache.rawValue)] : ""
    }

    /// The cache that a name stands for; the newest where a name was used twice.
    func cache(named name: String) -> CacheID? {
        aliases.last { $0.name == name }?.cache
    }

    /// Adds a cache, or finds the one that it merges with: `kmem_cache_create_usercopy()`.
    ///
    /// - Returns: the cache and whether it is new; nil where the geometry is impossible.
    mutating func add(_ request: SlabRequest, isExclusive: Bool) -> (cache: CacheID, isNew: Bool)? {
        for index in geometries.indices
        where geometries[index].canShare(
            with: request,
            isExclusive: exclusive[index],
            options: options
        ) {
            geometries[index].share(with: request)
            shapes[index] = SlabCache(geometries[index])
            let cache = CacheID(rawValue: UInt16(truncatingIfNeeded: index))
            aliases.append(Alias(name: request.name, cache: cache))
            return (cache, false)
        }
        guard count < Int(UInt16.max),
            let geometry = SlabGeometry(request: request, options: options)
        else { return nil }
        let cache = CacheID(rawValue: UInt16(truncatingIfNeeded: count))
        names.append(request.name)
        geometries.append(geometry)
        shapes.append(SlabCache(geometry))
        exclusive.append(isExclusive)
        aliases.append(Alias(name: request.name, cache: cache))
        return (cache, true)
    }

    /// The catalog of the default options on a few processors, computed once.
    private static let defaults: [SlabCatalog] = (1...8).map {
        SlabCatalog(booting: SlabOptions(cpus: $0))
    }

    /// The catalog after boot; shared where the options are the default ones.
    static func booted(_ options: SlabOptions) -> SlabCatalog {
        if options.cpus <= defaults.count, options == defaults[options.cpus - 1].options {
            return defaults[options.cpus - 1]
        }
        return SlabCatalog(booting: options)
    }
}
