/// What may be made to fail, and by what.
public struct FaultInjectionView: Hashable, Sendable {
    /// By `FaultSite.allCases`.
    public var attributes: [FaultAttribute]
    /// The process whose n-th place fails, and how many places are left; nil where none is waited for.
    public var nthProcess: Int?
    public var nth: UInt32
    /// Processes with `make-it-fail`.
    public var tasks: [Int]
    /// Caches with `SLAB_FAILSLAB`, by name.
    public var caches: [String]
}

extension Kernel {
    /// The knobs of fault injection.
    public func faultInjectionView() -> FaultInjectionView {
        let waiting = pages.faults.failNth
        return FaultInjectionView(
            attributes: FaultSite.allCases.map { pages.faults[$0] },
            nthProcess: waiting?.pid,
            nth: waiting?.remaining ?? 0,
            tasks: pages.faults.tasks.filter { hasProcess($0) },
            caches: slab.catalog.order.filter {
                slab.catalog.geometries[$0].flags.contains(.failSlab)
            }.map { slab.catalog.names[$0] }
        )
    }

    /// Places until the one that fails in what a process's calls do; 0 for none.
    public func failNth(of pid: Int) -> UInt32 {
        pages.faults.failNth.map { $0.pid == pid ? $0.remaining : 0 } ?? 0
    }

    /// Whether a process has the mark that `task_filter` asks for.
    public func isMadeToFail(_ pid: Int) -> Bool { pages.faults.tasks.contains(pid) }

    /// The knobs of one site.
    public func faultAttribute(_ site: FaultSite) -> FaultAttribute { pages.faults[site] }
}
