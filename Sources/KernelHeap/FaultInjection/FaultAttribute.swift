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
    /// Filters that a client has set: `fail_nth`, which the defaults would leave little to count,
    /// heeds these, too.
    private(set) var chosenFilters: Filters = []
    /// Requests that the interval has counted.
    private(set) var count: UInt64 = 0

    public init() {}

    /// What can let a request go before anything is counted.
    struct Filters: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        static let waiting = Filters(rawValue: 1)
        static let highMemory = Filters(rawValue: 2)
        static let order = Filters(rawValue: 4)
        static let cache = Filters(rawValue: 8)
        static let all: Filters = [.waiting, .highMemory, .order, .cache]
    }

    /// A client has set a filter, to whatever value.
    mutating func choose(_ filter: Filters) { chosenFilters.insert(filter) }

    /// Whether anything can fail.
    var isArmed: Bool { probability > 0 && times != 0 }

    /// Whether a filter leaves a request alone: `__should_failslab()`, `__should_fail_alloc_page()`.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - filters: those that count.
    /// - Returns: whether one of them lets it go.
    func skips(_ request: FaultRequest, by filters: Filters = .all) -> Bool {
        guard request.site != .usercopy else { return false }
        if filters.contains(.waiting), ignoresWaiting, request.flags.contains(.directReclaim) {
            return true
        }
        guard request.site == .pages else {
            return filters.contains(.cache) && filtersCaches && !request.isOfMarkedCache
        }
        return filters.contains(.order) && request.order < Int(minOrder)
            || filters.contains(.highMemory) && ignoresHighMemory
                && request.flags.contains(.highMem)
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
