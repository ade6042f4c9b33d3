/// The boot options that shape slab caches.
public struct SlabOptions: Hashable, Sendable {
    /// Checks of some caches: `slub_debug=FZ,kmalloc-*`.
    public struct DebugBlock: Hashable, Sendable {
        public var flags: SlabFlags
        /// Names of caches; `*` ends a name that stands for all that begin alike.
        public var caches: [String]
    }

    public static let pageSize: UInt64 = 4096
    /// Orders are below this.
    public static let orderLimit = 11

    /// What fits the kernel's command line, `COMMAND_LINE_SIZE` less the final NUL; what is longer
    /// is cut.
    public static let lineLimit = 2_047

    /// Checks of every cache that no block names.
    public var debugFlags: SlabFlags = []
    public var debugBlocks: [DebugBlock] = []
    /// `slub_debug=O`: no checks where their room would need a larger order.
    public var omitsCostlyDebug = false
    public var isMergingOff = false
    public var minOrder = 0
    /// `PAGE_ALLOC_COSTLY_ORDER` unless given.
    public var maxOrder = 3
    /// Wished objects per slab; 0 lets the number of processors decide.
    public var minObjects: UInt64 = 0
    public var cpus: Int
    public var architecture: SlabArchitecture
    /// Allocated memory is zeroed; off, as the recorded boots have it on their command lines.
    public var initOnAlloc = false
    public var initOnFree = false
    /// Free pointers are stored obfuscated, and a double free in a row is noticed.
    ///
    /// A choice of the kernel's configuration, on in the recorded kernels; here an option.
    public var isHardened = true
    /// A new slab's objects are linked in an order drawn from the machine's seed.
    ///
    /// In the kernel a choice of the configuration; here the option `slab_freelist_random`.
    public var shufflesFreelists = false
    /// Every cache is under the address sanitizer: the machine's option `kasan`.
    public var isSanitized = false

    /// The options of a machine.
    ///
    /// - Parameters:
    ///   - bootOptions: the kernel's command line; what it cannot read is left at the default.
    ///   - cpus: processors present.
    ///   - architecture: the machine's; the option `cache_line_size` changes its processor.
    public init(
        bootOptions: String = "",
        cpus: Int,
        architecture: SlabArchitecture = .x8664
    ) {
        self.cpus = max(1, cpus)
        self.architecture = architecture
        let line = String(decoding: bootOptions.utf8.prefix(Self.lineLimit), as: UTF8.self)
        for option in line.split(whereSeparator: \.isWhitespace) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : nil
            switch parts[0] {
            case "slub_debug": readDebug(value ?? "")
            case "slub_nomerge", "slab_nomerge": isMergingOff = true
            case "slub_merge", "slab_merge": isMergingOff = false
            case "slub_min_order": minOrder = Self.order(value) ?? minOrder
            case "slub_max_order": maxOrder = Self.order(value) ?? maxOrder
            case "slub_min_objects":
                minObjects = value.flatMap { UInt64($0) }.map { min($0, 1 << 20) } ?? minObjects
            case "init_on_alloc": initOnAlloc = BootOptions.truth(value) ?? initOnAlloc
            case "slab_freelist_random":
                shufflesFreelists = value.map { BootOptions.truth($0) ?? shufflesFreelists } ?? true
            case "slab_freelist_hardened": isHardened = BootOptions.truth(value) ?? isHardened
            case "init_on_free": initOnFree = BootOptions.truth(value) ?? initOnFree
            case "cache_line_size": readCacheLine(value)
            default: break
            }
        }
    }

    /// The checks that a cache gets beside those it asks for itself.
    ///
    /// Follows `kmem_cache_flags()`, `mm/slub.c`, 6.1: the first block that names the cache wins.
    ///
    /// - Parameters:
    ///   - flags: what the cache's creator asked for.
    ///   - name: the cache's name.
    /// - Returns: the flags with the checks.
    public func flags(_ flags: SlabFlags, ofCache name: String) -> SlabFlags {
        if flags.contains(.noUserFlags) { return flags }
        for block in debugBlocks where block.caches.contains(where: { Self.matches(name, $0) }) {
            return flags.union(block.flags)
        }
        // The leak detector's own caches must not record who allocated.
        let isUntracked = flags.contains(.noLeakTrace)
        return flags.union(isUntracked ? debugFlags.subtracting(.storeUser) : debugFlags)
    }

    private mutating func readDebug(_ value: Substring) {
        if value.isEmpty {
            debugFlags = .debugDefault
            return
        }
        for block in value.split(separator: ";") {
            let parts = block.split(separator: ",", omittingEmptySubsequences: false)
            let flags = parts[0].isEmpty ? SlabFlags.debugDefault : letters(parts[0])
            if parts.count == 1 {
                debugFlags = flags
            } else {
                let caches = parts.dropFirst().map(String.init)
                debugBlocks.append(DebugBlock(flags: flags, caches: caches))
            }
        }
    }

    private mutating func letters(_ text: Substring) -> SlabFlags {
        var flags: SlabFlags = []
        for letter in text.lowercased() {
            switch letter {
            case "f": flags.insert(.consistencyChecks)
            case "z": flags.insert(.redZone)
            case "p": flags.insert(.poison)
            case "u": flags.insert(.storeUser)
            case "t": flags.insert(.trace)
            case "a": flags.insert(.failSlab)
            case "o": omitsCostlyDebug = true
            case "-": flags = []
            default: break
            }
        }
        return flags
    }

    /// A power of two that processors have; anything else is left at the default.
    private mutating func readCacheLine(_ value: Substring?) {
        guard let bytes = value.flatMap({ UInt64($0) }), bytes.nonzeroBitCount == 1,
            SlabArchitecture.cacheLines.contains(bytes)
        else { return }
        architecture.cacheLineBytes = bytes
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
        return name.hasPrefix(pattern[..<star])
    }

    private static func order(_ value: Substring?) -> Int? {
        value.flatMap { Int($0) }.map { max(0, min($0, orderLimit - 1)) }
    }
}
