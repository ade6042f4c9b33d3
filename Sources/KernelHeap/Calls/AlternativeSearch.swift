/// Looks for what would have let a failed request succeed: `would_succeed_if`.
///
///     failed request ──┬─ other flags        each variation is made on a fork of the machine as
///                      ├─ a smaller order     the failed call left it, and the request is made
///                      ├─ a knob written      there again; what succeeds is kept
///                      └─ memory freed
///
/// Nothing is predicted, everything is tried, so an alternative holds for the very next call. The
/// machine itself stays as it is. The search costs at most `forkLimit` forks, in a fixed order.
struct AlternativeSearch {
    /// Forks of the machine that one search makes at most.
    static let forkLimit = 64
    /// Of those, the forks that go into finding what to free.
    static let freeingForkLimit = 32

    let request: MemoryRequest
    let context: CallContext
    /// The cache that the request asks; nil for pages, and for objects larger than any cache's.
    let cache: Int?
    /// The order of the block that the request needs, above the largest where there is none.
    let order: Int
    private(set) var found: [Alternative] = []
    var forksLeft = forkLimit

    init(_ request: MemoryRequest, _ context: CallContext, on kernel: borrowing Kernel) {
        self.request = request
        self.context = context
        cache = kernel.cache(askedBy: request)
        switch request {
        case .pages(let order, _, _): self.order = order
        case .exactPages(let bytes, _), .object(let bytes, _):
            order = bytes == 0 ? Zone.orderCount : Kernel.order(ofBytes: bytes) ?? Zone.orderCount
        case .cacheObject:
            order = cache.map { Int(kernel.slab.caches[$0].minOrder) } ?? Zone.orderCount
        case .bulkPages: order = 0
        }
    }

    /// Runs the whole search.
    ///
    /// - Parameter kernel: the machine after the failed call; shares its memory with forks for a
    ///   while, and is otherwise untouched.
    mutating func run(on kernel: inout Kernel) {
        if isOrderPossible {
            tryFlags(on: &kernel)
            tryOrders(on: &kernel)
            trySysctls(on: &kernel)
            tryFreeing(on: &kernel)
        } else {
            tryOrders(on: &kernel)
        }
    }

    /// Whether a request is granted on a fork after a change.
    ///
    /// - Returns: false also where no fork is left.
    mutating func isGranted(
        _ varied: MemoryRequest,
        on kernel: inout Kernel,
        after change: (inout Kernel) -> Void = { _ in }
    ) -> Bool {
        guard forksLeft > 0 else { return false }
        forksLeft -= 1
        var probe = kernel.fork()
        probe.isProbe = true
        change(&probe)
        return probe.grants(varied, in: context)
    }

    mutating func add(_ alternative: Alternative) { found.append(alternative) }

    /// Blocks above the largest order are refused before anything is looked at.
    private var isOrderPossible: Bool { (0...Zone.maxOrder).contains(order) }

    private mutating func tryFlags(on kernel: inout Kernel) {
        for variation in FlagVariation.allCases {
            guard let flags = variation.applied(to: request.flags), isPossible(variation) else {
                continue
            }
            var varied = request
            varied.flags = flags
            if isGranted(varied, on: &kernel) { add(.flags(variation, flags)) }
        }
    }

    /// Movable pages of high memory are for callers that want no address.
    private func isPossible(_ variation: FlagVariation) -> Bool {
        guard variation == .asHighMovable else { return true }
        switch request {
        case .pages(_, _, let isMapped): return !isMapped
        case .bulkPages: return true
        case .exactPages, .object, .cacheObject: return false
        }
    }

    /// The largest smaller order that is served.
    private mutating func tryOrders(on kernel: inout Kernel) {
        // The size of a cache's objects is not the caller's to choose.
        if case .cacheObject = request { return }
        var smaller = min(order, Zone.orderCount) - 1
        while smaller >= 0 {
            let bytes: UInt64 = 4_096 << UInt64(smaller)
            if isGranted(resized(to: smaller, bytes), on: &kernel) {
                return add(.order(smaller, bytes: bytes))
            }
            smaller -= 1
        }
    }

    private func resized(to order: Int, _ bytes: UInt64) -> MemoryRequest {
        switch request {
        case .pages(_, let flags, let isMapped):
            .pages(order: order, flags: flags, isMapped: isMapped)
        case .exactPages(_, let flags): .exactPages(bytes: bytes, flags: flags)
        case .object(_, let flags): .object(bytes: bytes, flags: flags)
        case .bulkPages, .cacheObject: request
        }
    }
}

/// Knobs of `/proc/sys/vm`.
extension AlternativeSearch {
    private mutating func trySysctls(on kernel: inout Kernel) {
        let zones = kernel.pages.reachableZones(request.flags, cpu: context.cpu)
        let highest = kernel.pages.gfpZones.index(request.flags)
        // Marks computed anew have no boost, whatever the value is.
        if zones.contains(where: { kernel.pages.zones[$0].watermarks.boost > 0 }) {
            let scale = kernel.tuning.watermarkScaleFactor
            trySysctl(.watermarkScaleFactor, "\(scale)", on: &kernel)
        }
        if zones.contains(where: { kernel.pages.zones[$0].lowmemReserve[highest] > 0 }) {
            let ratios = PageAllocator.typesWithoutHighMemory.map { type in
                let isReached = zones.contains { kernel.pages.zones[$0].type == type }
                return isReached ? 0 : kernel.tuning.lowmemReserveRatio[Int(type.rawValue)]
            }
            let text = ratios.map { String($0) }.joined(separator: " ")
            trySysctl(.lowmemReserveRatio, text, on: &kernel)
        }
        var kilobytes = kernel.tuning.minFreeKilobytes
        guard kilobytes > 0 else { return }
        for _ in 0..<4 {
            // Halves, and nothing at last: the knob has no smaller steps that matter.
            kilobytes = kilobytes > kernel.tuning.minFreeKilobytes / 8 ? kilobytes / 2 : 0
            if trySysctl(.minFreeKilobytes, "\(kilobytes)", on: &kernel) { return }
        }
    }

    @discardableResult
    private mutating func trySysctl(
        _ file: Sysctl,
        _ value: String,
        on kernel: inout Kernel
    ) -> Bool {
        let isGranted = isGranted(request, on: &kernel) { probe in
            guard probe.writeSysctl(file, value) == nil else { return }
            // The call reads back what it wrote, and reading computes the reserves anew.
            _ = probe.readSysctl(file)
        }
        if isGranted { add(.sysctl(name: file.rawValue, value: value)) }
        return isGranted
    }
}

extension Kernel {
    fileprivate func cache(askedBy request: MemoryRequest) -> Int? {
        switch request {
        case .object(let bytes, let flags):
            guard bytes > 0, bytes <= slab.kmalloc.largest else { return nil }
            return slab.kmalloc.cache(size: bytes, flags: flags)
        case .cacheObject(let argument, _): return cache(argument).map { Int($0.rawValue) }
        case .pages, .exactPages, .bulkPages: return nil
        }
    }
}

extension PageAllocator {
    /// The zones that a request may be served from, in the order in which it tries them.
    func reachableZones(_ flags: GFPFlags, cpu: Int) -> [Int] {
        let node = cpu % max(zonelists.count / ZoneType.allCases.count, 1)
        let request = AllocationRequest(
            order: 0,
            flags: flags,
            cpu: cpu,
            node: node,
            zones: gfpZones
        )
        let list = zonelist(of: request)
        return (0..<list.count).map { list[$0] }
    }
}
