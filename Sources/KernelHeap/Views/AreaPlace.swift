/// An address of the vmalloc area: whose it is.
public struct AreaPlace: Hashable, Sendable {
    public enum Part: String, Hashable, Sendable {
        /// Where the area has its pages.
        case usable
        /// The page behind them, which nothing maps.
        case guardPage = "guard"
        /// Freed; nobody gets the addresses before a purge.
        case lazy
        /// Nobody's.
        case free
    }

    public var part: Part
    /// The area, or the range of free addresses.
    public var start: LinearAddress
    /// With the guard page.
    public var size: UInt64
    public var offset: UInt64
    /// Nil where no area is.
    public var area: VmallocAreaView?
    /// The C name of the function that made the area; nil where that is forgotten.
    public var function: String?
}

extension Kernel {
    /// Who has an address of the vmalloc area, or of the modules' beside it.
    ///
    /// - Parameters:
    ///   - address: of the region.
    ///   - region: what free addresses are cut to.
    /// - Returns: the area or the range; nil where the arena knows nothing of the address.
    func areaPlace(at address: UInt64, in region: RegionView) -> AreaPlace? {
        let place =
            vmalloc.isStarted
            ? areaPlace(at: address, in: vmalloc) : areaPlace(at: address, in: freshArena())
        guard var place, place.part == .free else { return place }
        let start = max(place.start, region.start)
        let last = min(place.start.rawValue + (place.size - 1), region.last.rawValue)
        place.start = start
        place.size = last - start.rawValue + 1
        place.offset = address - start.rawValue
        return place
    }

    private func areaPlace(
        at address: UInt64,
        in arena: borrowing VmallocArena
    ) -> AreaPlace? {
        func range(_ node: VmapNode, _ part: AreaPlace.Part) -> AreaPlace {
            AreaPlace(
                part: part,
                start: LinearAddress(rawValue: node.start),
                size: node.size,
                offset: address &- node.start
            )
        }
        let busy = arena.busy.containing(address)
        if busy != 0 {
            let node = arena.busy[busy]
            let isGuard = address >= arena.usable(node).upperBound
            var place = range(node, isGuard ? .guardPage : .usable)
            place.area = vmallocAreaView(node, in: arena)
            place.function = place.area?.call.flatMap { function(ofCall: $0) }
            return place
        }
        let lazy = arena.lazy.containing(address)
        if lazy != 0 { return range(arena.lazy[lazy], .lazy) }
        let gap = arena.gaps.containing(address)
        return gap == 0 ? nil : range(arena.gaps[gap], .free)
    }
}
