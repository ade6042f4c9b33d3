/// The caches of a machine: names, geometry and who shares what, which rarely change.
///
/// Held in arrays that sessions and forks share until one of them creates or destroys a cache. A
/// cache keeps its place for life; the place of a destroyed one goes to the next that is created,
/// so the order of creation is kept apart.
struct SlabCatalog: Sendable {
    /// A name and the cache that serves it; merged caches share one.
    struct Alias: Hashable, Sendable {
        let name: String
        let cache: CacheID
    }

    /// Most caches at a time, those of the boot included.
    static let cacheLimit = 2_048
    /// Most names at a time.
    static let nameLimit = 4_096

    let options: SlabOptions
    private(set) var names: [String] = []
    private(set) var geometries: [SlabGeometry] = []
    var records: [CacheRecord] = []
    /// What allocations read of each geometry.
    private(set) var shapes: [SlabCache] = []
    /// Every name of every cache, oldest first.
    private(set) var aliases: [Alias] = []
    /// The places of the caches that live, oldest first.
    private(set) var order: [Int] = []
    private var freePlaces: [Int] = []
    /// The newest cache of each name, and the cache of each address.
    private var newest: [String: CacheID] = [:]
    private var placesByAddress: [UInt64: Int] = [:]

    /// The caches that 6.1 has after boot, merged unless `slub_nomerge` is given.
    init(booting options: SlabOptions) {
        self.options = options
        for request in options.architecture.builtins.inOrderOfCreation {
            _ = add(request, isExclusive: BuiltinCaches.isExclusive(request))
        }
        for place in records.indices { records[place].isOfBoot = true }
        // The caches that SLUB itself lives in and the plain ones of kmalloc() are exempt.
        for place in 0..<KmallocCaches.first + options.architecture.kmalloc.sizes {
            records[place].references = -1
        }
        heldBytes = 0
    }

    /// Places, those of destroyed caches included.
    var count: Int { geometries.count }

    func name(_ cache: CacheID) -> String {
        Int(cache.rawValue) < names.count ? names[Int(cache.rawValue)] : ""
    }

    /// The cache that a name stands for; the newest where a name was used twice.
    func cache(named name: String) -> CacheID? { newest[name] }

    /// The cache of a directory under `/sys/kernel/slab/`.
    func cache(inDirectory directory: String) -> CacheID? {
        if let cache = cache(named: directory) { return cache }
        if directory.hasPrefix(":") {
            let place = order.last { sharedDirectory($0) == directory }
            return place.map { CacheID(rawValue: UInt16(truncatingIfNeeded: $0)) }
        }
        guard directory.contains("!") else { return nil }
        return aliases.last { Self.directory(named: $0.name) == directory }?.cache
    }

    /// The directory of a cache that others may join; nil where it goes by its own name.
    func sharedDirectory(_ place: Int) -> String? {
        let isShareable =
            !options.isMergingOff && !records[place].isExclusive
            && geometries[place].usercopySize == 0 && records[place].references >= 0
            && geometries[place].flags.isDisjoint(with: .neverMerge)
        return isShareable ? geometries[place].sharedDirectory : nil
    }

    /// A slash cannot stand in a directory's name: `kobject_set_name()`.
    static func directory(named name: String) -> String {
        String(name.map { $0 == "/" ? "!" : $0 })
    }

    /// The cache whose `struct kmem_cache` stands at an address.
    func cache(at address: UInt64) -> CacheID? {
        placesByAddress[address].map { CacheID(rawValue: UInt16(truncatingIfNeeded: $0)) }
    }

    /// Notes where the structures of a cache stand.
    mutating func place(_ cache: Int, at address: UInt64, nodes: [UInt64]) {
        records[cache].address = address
        records[cache].nodes = nodes
        placesByAddress[address] = cache
    }

    /// Further creators that share a cache, as the file `aliases` counts them.
    func aliasCount(_ cache: Int) -> Int { max(0, records[cache].references - 1) }

    /// Finds the cache that a new one merges with, and lets it share: `__kmem_cache_alias()`.
    mutating func merge(_ request: SlabRequest) -> CacheID? {
        for place in order
        where geometries[place].canShare(
            with: request,
            isExclusive: records[place].isExclusive,
            options: options
        ) {
            geometries[place].share(with: request, options: options)
            shapes[place] = SlabCache(
                geometries[place],
                isConstructed: shapes[place].isConstructed
            )
            records[place].references += 1
            let alias = Alias(
                name: request.name,
                cache: CacheID(rawValue: UInt16(truncatingIfNeeded: place))
            )
            if aliases.contains(alias) {
                newest[alias.name] = alias.cache
            } else {
                append(alias)
            }
            return alias.cache
        }
        return nil
    }

    /// Adds a cache that shares nothing.
    mutating func insert(
        _ request: SlabRequest,
        _ geometry: SlabGeometry,
        isExclusive: Bool
    ) -> CacheID {
        let record = CacheRecord(references: 1, isExclusive: isExclusive)
        let shape = SlabCache(geometry, isConstructed: request.hasConstructor)
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            names[place] = request.name
            geometries[place] = geometry
            shapes[place] = shape
            records[place] = record
        } else {
            place = count
            heldBytes += Self.bytesPerCache
            names.append(request.name)
            geometries.append(geometry)
            shapes.append(shape)
            records.append(record)
        }
        order.append(place)
        let cache = CacheID(rawValue: UInt16(truncatingIfNeeded: place))
        append(Alias(name: request.name, cache: cache))
        return cache
    }

    private mutating func append(_ alias: Alias) {
        aliases.append(alias)
        newest[alias.name] = alias.cache
        heldBytes += Self.bytesPerName + alias.name.utf8.count
    }

    /// Gives a cache what its constructor does.
    mutating func set(_ constructor: CacheConstructor, of place: Int) {
        records[place].constructor = constructor
        heldBytes += constructor.bytes.count
    }

    /// Marks a cache for `failslab`, or takes the mark back: its file `failslab`.
    mutating func markFailing(_ place: Int, _ isFailing: Bool) {
        if isFailing {
            geometries[place].flags.insert(.failSlab)
        } else {
            geometries[place].flags.remove(.failSlab)
        }
    }

    /// Whether there is room for one more cache and name.
    var isFull: Bool {
        aliases.count >= Self.nameLimit || (freePlaces.isEmpty && count >= Self.cacheLimit)
    }

    /// Adds a cache, or finds the one that it merges with: `kmem_cache_create_usercopy()`.
    ///
    /// - Returns: the cache and whether it is new; nil where the geometry is impossible.
    mutating func add(_ request: SlabRequest, isExclusive: Bool) -> (cache: CacheID, isNew: Bool)? {
        if let cache = merge(request) { return (cache, false) }
        guard let geometry = SlabGeometry(request: request, options: options) else { return nil }
        return (insert(request, geometry, isExclusive: isExclusive), true)
    }

    /// Takes a cache off the kernel's list with all its names: `shutdown_cache()`.
    ///
    /// Its place stays taken until `release`.
    mutating func remove(_ place: Int) {
        heldBytes -= records[place].constructor?.bytes.count ?? 0
        records[place].constructor = nil
        records[place].state = .dying
        order.removeAll { $0 == place }
        let address = records[place].address
        // A client may have freed the structure, and another cache may stand there now.
        if placesByAddress[address] == place { placesByAddress[address] = nil }
        let gone = aliases.filter { Int($0.cache.rawValue) == place }
        aliases.removeAll { Int($0.cache.rawValue) == place }
        for alias in gone {
            heldBytes -= Self.bytesPerName + alias.name.utf8.count
            newest[alias.name] = aliases.last { $0.name == alias.name }?.cache
        }
    }

    /// Frees the place of a removed cache.
    mutating func release(_ place: Int) {
        records[place] = CacheRecord(state: .gone, references: 0, isExclusive: true)
        freePlaces.append(place)
    }

    /// Host memory of what clients added.
    private(set) var heldBytes = 0

    private static let bytesPerCache = 512
    private static let bytesPerName = 48

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
