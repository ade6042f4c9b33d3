/// The knobs of one place that may be made to fail: `struct fault_attr`, `lib/fault-inject.c`, 6.1.
///
/// A request passes the knobs in this order, and fails where none lets it go:
///
///     filters       ignore-gfp-wait, ignore-gfp-highmem, min-order, cache-filter
///     probability   0: nothing ever fails
///     task-filter   only processes with make-it-fail, and no interrupt
///     times         0: it has failed often enough; -1: there is no end
///     space         more than the request's size: the size is taken from it
///     interval      n: of every n requests that come so far, one goes on
///     probability   percent of those that are left
public struct FaultAttribute: Hashable, Sendable {
    public var probability: UInt64 = 0
    public var interval: UInt64 = 1
    public var times: Int32 = 1
    public var space: Int32 = 0
    /// 0 logs nothing, 1 what was forced, 2 whose code it was, too.
    public var verbose: UInt64 = 2
    public var isTaskFiltered = false
    /// `ignore-gfp-wait`: requests that may reclaim are left alone.
    public var ignoresWaiting = true
    /// Of `fail_page_alloc`: requests that may have high memory are left alone.
    public var ignoresHighMemory = true
    /// Of `fail_page_alloc`: smaller blocks are left alone.
    public var minOrder: UInt32 = 1
    /// Of `failslab`: only caches with `SLAB_FAILSLAB`.
    public var filtersCaches = false
    /// Requests that the interval has counted.
    private(set) var count: UInt64 = 0

    public init() {}

    /// Whether anything can fail.
    var isArmed: Bool { probability > 0 && times != 0 }

    /// Whether a filter leaves a request alone: `__should_failslab()`, `__should_fail_alloc_page()`.
    func skips(_ request: FaultRequest) -> Bool {
        switch request.site {
        case .slab:
            ignoresWaiting && request.flags.contains(.directReclaim)
                || filtersCaches && !request.isOfMarkedCache
        case .pages:
            request.order < Int(minOrder)
                || ignoresHighMemory && request.flags.contains(.highMem)
                || ignoresWaiting && request.flags.contains(.directReclaim)
        case .usercopy: false
        }
    }

    /// `should_fail_ex()`, without the task's own `fail_nth`.
    ///
    /// - Parameters:
    ///   - size: of the request.
    ///   - isTaskMarked: the caller is a process with `make-it-fail`.
    ///   - percent: gives a random number below 100; asked only where it decides.
    /// - Returns: whether the request fails.
    mutating func decides(size: UInt64, isTaskMarked: Bool, percent: () -> UInt64) -> Bool {
        guard probability > 0, !isTaskFiltered || isTaskMarked, times != 0 else { return false }
        if let size = Int32(exactly: size), space > size {
            space -= size
            return false
        }
        if interval > 1 {
            count &+= 1
            guard count % interval == 0 else { return false }
        }
        return probability > percent()
    }

    /// Counts a failure: `times` goes down to 0 and stays there; -1 is for ever.
    mutating func spend() {
        if times != -1, times != 0 { times &-= 1 }
    }
}
