extension VmapTree {
    /// Order, balance, and what each node knows of those below it.
    func checkInvariants(_ name: String, _ violations: inout Violations) {
        var visited = 0
        _ = checkSubtree(root, below: 0, name, &visited, &violations)
        violations.check(visited == count, "\(name): \(visited) of \(count) ranges are linked")
        var end: UInt64 = 0
        forEach { node in
            violations.check(
                node.start >= end && node.end > node.start,
                "\(name): \(node.start)–\(node.end) overlaps or is empty"
            )
            end = node.end
        }
    }

    /// - Returns: the black nodes on every way down.
    private func checkSubtree(
        _ place: UInt32,
        below parent: UInt32,
        _ name: String,
        _ visited: inout Int,
        _ violations: inout Violations
    ) -> Int {
        guard place != 0, visited <= count else { return 0 }
        visited += 1
        let node = self[place]
        let left = checkSubtree(node.left, below: place, name, &visited, &violations)
        let right = checkSubtree(node.right, below: place, name, &visited, &violations)
        let isRedBelowRed = node.isRed && parent != 0 && self[parent].isRed
        let largest = max(node.size, max(largestBelow(node.left), largestBelow(node.right)))
        violations.check(node.parent == parent, "\(name): \(place) has the wrong parent")
        violations.check(left == right, "\(name): \(place) is not balanced")
        violations.check(!isRedBelowRed, "\(name): \(place) is red below red")
        violations.check(node.largest == largest, "\(name): \(place) knows a wrong largest range")
        return left + (node.isRed ? 0 : 1)
    }
}

extension VmallocArena {
    /// Every address is in one of the trees, and the counts agree with them.
    func checkInvariants(_ violations: inout Violations) {
        guard isStarted else { return }
        gaps.checkInvariants("gaps", &violations)
        busy.checkInvariants("areas", &violations)
        lazy.checkInvariants("lazy", &violations)
        var all: [Range<UInt64>] = []
        var lazyPages: UInt64 = 0
        gaps.forEach { all.append($0.start..<$0.end) }
        busy.forEach { all.append($0.start..<$0.end) }
        lazy.forEach {
            all.append($0.start..<$0.end)
            lazyPages += $0.pages
        }
        all.sort { $0.lowerBound < $1.lowerBound }
        var end = layout.space.lowerBound
        for range in all {
            violations.check(range.lowerBound == end, "addresses before \(range) are nobody's")
            end = range.upperBound
        }
        violations.check(end == layout.space.upperBound, "addresses from \(end) are nobody's")
        violations.check(
            lazyPages == self.lazyPages,
            "\(self.lazyPages) lazy pages are counted, \(lazyPages) are there"
        )
    }
}

extension Kernel {
    /// Areas own the pages behind them, and are mapped to them, guard pages excepted.
    ///
    /// - Parameters:
    ///   - misuse: whether a client may have freed pages that are not its own.
    ///   - violations: what does not hold is added.
    func checkAreas(misuse: Bool, _ violations: inout Violations) {
        vmalloc.checkInvariants(&violations)
        guard vmalloc.isStarted, !misuse, !paging.isTampered else { return }
        vmalloc.busy.forEach { node in
            guard node.use.kind == .area, !node.use.isBoot else { return }
            let usable = vmalloc.usable(node)
            violations.check(
                usable.upperBound == node.end || frame(behind: usable.upperBound) == nil,
                "the guard page of \(node.start) is mapped"
            )
            let frames = vmalloc.frames.frames(node.use.frames, count: Int(node.use.pageCount))
            for (index, frame) in frames.enumerated() {
                let address = node.start + UInt64(index) << 12
                violations.check(
                    pages.map[Int(frame)].kind == .allocated
                        && self.frame(behind: address) == UInt64(frame),
                    "page \(index) of the area at \(node.start) is not its own"
                )
            }
        }
    }
}
