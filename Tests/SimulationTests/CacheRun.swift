import KernelHeap
import TestSupport
import Testing

/// Random calls on caches and on `kmalloc`, beside a dictionary of what is allocated.
final class CacheRun {
    let calls: CallRun
    private var random: SeededRandom
    private let cpus: Int
    private var caches: [Cache] = []
    private var live: [UInt64: Owned] = [:]
    private var created = 0

    /// What one creator knows of its cache.
    private struct Cache {
        let pointer: UInt64
        let size: UInt64
        let align: UInt64
        let constructed: [UInt8]?
    }

    /// An object: nil is `kmalloc`'s.
    private struct Owned {
        let cache: UInt64?
        let length: UInt64
        let bytes: [UInt8]
        /// Whole pages, as `kmalloc` gives for large sizes; they stay pages when made smaller.
        let isLarge: Bool
    }

    struct Wrong: Error { let text: String }

    init(seed: UInt64, cpus: Int, bootOptions: String) throws {
        var description = MachineDescription()
        description.cpus = cpus
        description.bootOptions = bootOptions
        calls = try CallRun(description)
        random = SeededRandom(seed: seed)
        self.cpus = cpus
    }

    func step() throws {
        switch random.below(20) {
        case 0 where caches.count < 12: try create()
        case 1: try destroyOne()
        case 2: try shrinkOne()
        case 3: try call("synchronize_rcu")
        case 4: try allocateMany()
        case 5: try freeMany()
        case 6: try reallocateOne()
        case 7, 8: try allocateBytes(size: UInt64(1 + random.below(9_000)))
        case 9...13 where live.count < 600: try allocateObject()
        default: try freeOne()
        }
    }

    /// Gives everything back; afterwards no page is a slab's.
    func finish() throws {
        while !live.isEmpty { try freeOne() }
        while !caches.isEmpty { try destroyOne() }
        try call("rcu_barrier")
        for name in calls.kernel.cacheNames { try call("kmem_cache_shrink", text: name) }
    }

    /// Objects that each cache counts against the dictionary.
    func countsDiffer() -> String? {
        var counts: [UInt64: UInt64] = [:]
        var pools: UInt64 = 0
        for owned in live.values {
            if let cache = owned.cache {
                counts[cache, default: 0] += 1
            } else if !owned.isLarge {
                pools += 1
            }
        }
        var pooled: UInt64 = 0
        for state in calls.kernel.cacheStates(partialLimit: 0) {
            if state.counts.name.contains("kmalloc-") { pooled += state.liveObjects }
            guard let address = state.address?.rawValue else { continue }
            let wanted = counts[address] ?? 0
            if state.liveObjects != wanted {
                return "\(state.counts.name): \(state.liveObjects) live, \(wanted) allocated"
            }
        }
        return pooled == pools ? nil : "kmalloc: \(pooled) live, \(pools) allocated"
    }

    @discardableResult
    private func call(
        _ name: String,
        _ words: UInt64...,
        text: String? = nil,
        list: [UInt64]? = nil
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        if let text { arguments.set(0, payload: .text(text)) }
        let first = text == nil ? 0 : 1
        for (index, word) in words.enumerated() { arguments.set(first + index, word: word) }
        if let list { arguments.set(first + words.count, payload: .words(list)) }
        let context = CallContext(cpu: random.below(cpus))
        return calls.run(
            RecordedCall(descriptor: descriptor, arguments: arguments, context: context)
        )
    }

    private func create() throws {
        let size = UInt64(1 + random.below(random.oneIn(3) ? 6_000 : 400))
        let align: UInt64 = random.pick([0, 0, 8, 16, 64, 256])
        // Hardware alignment, reclaimable, typesafe by RCU, accounted.
        let flags: UInt64 = random.pick([0, 0, 0x2000, 0x2_0000, 0x8_0000, 0x400_0000])
        let pattern: [UInt8]? = random.oneIn(4) ? [0xc0, 0x5a, 0xc1] : nil
        let descriptor = try #require(CallRegistry.byName["kmem_cache_create"])
        var arguments = CallArguments()
        arguments.set(0, payload: .text("lab-\(created % 5)"))
        arguments.set(1, word: size)
        arguments.set(2, word: align)
        arguments.set(3, word: flags)
        if let pattern { arguments.set(4, payload: .bytes(pattern)) }
        created += 1
        let outcome = calls.run(
            RecordedCall(
                descriptor: descriptor,
                arguments: arguments,
                context: CallContext(cpu: random.below(cpus))
            )
        )
        guard outcome.word != 0 else { throw Wrong(text: "no cache: \(outcome.everything)") }
        caches.append(
            Cache(
                pointer: outcome.word,
                size: size,
                align: max(align, 8),
                constructed: pattern.map { Array($0.prefix(Int(size))) }
            )
        )
    }

    private func destroyOne() throws {
        guard !caches.isEmpty else { return }
        let index = random.below(caches.count)
        let pointer = caches[index].pointer
        let creators = caches.count { $0.pointer == pointer }
        let objects = live.values.contains { $0.cache == pointer }
        let outcome = try call("kmem_cache_destroy", pointer)
        let builtin = calls.kernel.cacheStates(partialLimit: 0).contains {
            $0.address?.rawValue == pointer && !$0.counts.name.hasPrefix("lab-")
        }
        let wanted: Set<String> =
            creators > 1 || builtin ? ["shared"] : objects ? ["busy"] : ["destroyed", "waiting"]
        guard case .text(let text)? = outcome.fact("outcome"), wanted.contains(text) else {
            throw Wrong(text: "destroyed with \(creators) creators: \(outcome.everything)")
        }
        if text == "busy" {
            guard outcome.log.contains(where: { $0.contains("Slab cache still has objects") })
            else { throw Wrong(text: "no report") }
        } else {
            caches.remove(at: index)
        }
    }

    private func shrinkOne() throws {
        guard !caches.isEmpty else { return }
        let pointer = random.pick(caches).pointer
        let outcome = try call("kmem_cache_shrink", pointer)
        if live.values.contains(where: { $0.cache == pointer }), outcome.word != 1 {
            throw Wrong(text: "shrunk to nothing with objects")
        }
    }

    private func allocateObject() throws {
        guard !caches.isEmpty else { return try create() }
        let cache = random.pick(caches)
        let isCleared = cache.constructed == nil && random.oneIn(3)
        let name = isCleared ? "kmem_cache_zalloc" : "kmem_cache_alloc"
        let address = try call(name, cache.pointer, 0xcc0).word
        if isCleared, try read(address, cache.size).contains(where: { $0 != 0 }) {
            throw Wrong(text: "zalloc left bytes")
        }
        try own(address, of: cache)
    }

    private func allocateMany() throws {
        guard !caches.isEmpty, live.count < 600 else { return }
        let cache = random.pick(caches)
        let count = UInt64(random.below(40))
        let outcome = try call("kmem_cache_alloc_bulk", cache.pointer, 0xcc0, count)
        guard case .list(let list)? = outcome.fact("p"), UInt64(list.count) == count else {
            throw Wrong(text: outcome.everything)
        }
        for case .address(let address) in list { try own(address, of: cache) }
    }

    private func own(_ address: UInt64, of cache: Cache) throws {
        guard address != 0, address % cache.align == 0 else {
            throw Wrong(text: "object at \(address), align \(cache.align)")
        }
        if let constructed = cache.constructed {
            let found = try read(address, UInt64(constructed.count))
            // An object keeps what its last owner left: our tags all begin with 0xee.
            guard found == constructed || found.first == 0xee else {
                throw Wrong(text: "constructed \(found)")
            }
        }
        try own(address, length: cache.size, cache: cache.pointer)
    }

    private func own(
        _ address: UInt64,
        length: UInt64,
        cache: UInt64?,
        isLarge: Bool = false
    ) throws {
        for (other, owned) in live
        where address < other + owned.length && other < address + length {
            throw Wrong(text: "\(address) + \(length) overlaps \(other) + \(owned.length)")
        }
        let rest = (1..<max(min(length, 48), 1)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let bytes = [0xee] + rest
        _ = try calls.call("kernel_write", address, bytes: bytes)
        live[address] = Owned(
            cache: cache,
            length: length,
            bytes: bytes,
            isLarge: isLarge || cache == nil && length > 8_192
        )
    }

    private func allocateBytes(size: UInt64) throws {
        guard live.count < 600 else { return }
        let flags: UInt64 = random.pick([0xcc0, 0xcc0, 0xcc1, 0xcd0, 0x40_0cc0])
        let address = try call("kmalloc", size, flags).word
        guard address != 0 else { throw Wrong(text: "kmalloc(\(size)) is NULL") }
        try own(address, length: size, cache: nil)
    }

    private func reallocateOne() throws {
        let blocks = live.filter { $0.value.cache == nil }.keys.sorted()
        guard !blocks.isEmpty else { return }
        let old = random.pick(blocks)
        guard let owned = live.removeValue(forKey: old) else { return }
        let size = UInt64(48 + random.below(9_000))
        let new = try call("krealloc", old, size, 0xcc0).word
        let kept = try read(new, UInt64(owned.bytes.count))
        guard new != 0, kept == owned.bytes else { throw Wrong(text: "krealloc lost bytes") }
        try own(new, length: size, cache: nil, isLarge: new == old && owned.isLarge)
    }

    private func read(_ address: UInt64, _ length: UInt64) throws -> [UInt8] {
        let outcome = try calls.call("kernel_read", address, length)
        guard case .bytes(let bytes)? = outcome.fact("data") else { return [] }
        return bytes
    }

    /// Takes an object out of the dictionary; its bytes must be what was written.
    private func release(_ address: UInt64) throws -> Owned? {
        guard let owned = live.removeValue(forKey: address) else { return nil }
        guard try read(address, UInt64(owned.bytes.count)) == owned.bytes else {
            throw Wrong(text: "bytes of \(address) changed")
        }
        return owned
    }

    private func freeOne() throws {
        guard !live.isEmpty else { return }
        let address = random.pick(live.keys.sorted())
        guard let owned = try release(address) else { return }
        if let cache = owned.cache {
            try call("kmem_cache_free", cache, address)
        } else {
            try call(random.oneIn(3) ? "kfree_sensitive" : "kfree", address)
        }
    }

    private func freeMany() throws {
        guard !caches.isEmpty else { return }
        let pointer = random.pick(caches).pointer
        var objects = live.filter { $0.value.cache == pointer }.keys.sorted()
        objects = objects.filter { _ in random.oneIn(2) }
        guard !objects.isEmpty else { return }
        for address in objects { _ = try release(address) }
        try call("kmem_cache_free_bulk", pointer, list: objects)
    }
}
