/// What the address allocator asks of its tree of gaps.
extension VmapTree {
    /// Where an area is wanted.
    struct Request {
        /// Bytes, with the guard page.
        var size: UInt64
        /// A power of two.
        var alignment: UInt64
        /// Where it may be.
        var range: Range<UInt64>
    }

    /// The lowest gap that holds an area of this size and alignment: `find_vmap_lowest_match()`, 6.1.
    ///
    /// The search goes where a gap is that fits however it lies, of `size + alignment - 1` bytes; on its
    /// way it takes a smaller one that happens to fit. So the tree's shape has a say where the
    /// alignment is more than a page.
    ///
    /// - Returns: the gap; 0 where there is none.
    func lowestFit(_ request: Request) -> UInt32 {
        let (padded, overflow) = request.size.addingReportingOverflow(request.alignment - 1)
        let isExact = request.range.upperBound - request.range.lowerBound == request.size
        let wanted = request.alignment <= 4096 || isExact ? request.size : padded
        guard !overflow || wanted == request.size else { return 0 }
        var from = request.range.lowerBound
        var place = root
        while place != 0 {
            let node = self[place]
            if largestBelow(node.left) >= wanted && from < node.start {
                place = node.left
            } else if Self.address(of: request, from: from, in: node) != nil {
                return place
            } else if largestBelow(node.right) >= wanted {
                place = node.right
            } else {
                // What lies below is too small, or too badly aligned: on with the next higher gap.
                switch climb(from: place, request, wanted, &from) {
                case .found(let place): return place
                case .goOn(let next): place = next
                }
            }
        }
        return 0
    }

    private enum Climb {
        case found(UInt32)
        case goOn(UInt32)
    }

    /// Goes up until a gap fits, or one has a right subtree with a gap that is large enough.
    private func climb(
        from place: UInt32,
        _ request: Request,
        _ wanted: UInt64,
        _ from: inout UInt64
    ) -> Climb {
        var place = self[place].parent
        while place != 0 {
            let node = self[place]
            if Self.address(of: request, from: from, in: node) != nil { return .found(place) }
            if largestBelow(node.right) >= wanted && from <= node.start {
                from = node.start + 1
                return .goOn(node.right)
            }
            place = node.parent
        }
        return .goOn(0)
    }

    /// Where an area would begin in a gap, or nil where it does not fit: `is_within_this_va()`.
    static func address(of request: Request, from: UInt64, in gap: VmapNode) -> UInt64? {
        let first = max(gap.start, from)
        let mask = request.alignment - 1
        let (up, overflow) = first.addingReportingOverflow(mask)
        guard !overflow else { return nil }
        let start = up & ~mask
        let (end, wraps) = start.addingReportingOverflow(request.size)
        return !wraps && end <= gap.end ? start : nil
    }
}
