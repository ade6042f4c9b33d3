/// Ranges of addresses in order, without overlap: a red-black tree over a plain column.
///
/// Each node knows the largest range below it, so that the lowest gap that fits is found on one way
/// down. Links are places in the column; 0 is none. The tree's shape is that of the kernel's
/// (`lib/rbtree.c`, 6.1): of ranges that a search may take, the shape decides which one it meets
/// first. Every operation costs the logarithm of the count; a fork shares what neither side writes.
struct VmapTree: ~Copyable {
    private var nodes: ChunkedColumn<VmapNode>
    private(set) var root: UInt32 = 0
    private(set) var count = 0
    /// Places given out; those given back are chained by `right`.
    private var placeCount: UInt32 = 0
    private var freePlace: UInt32 = 0

    enum Side {
        case left, right

        var other: Side { self == .left ? .right : .left }
    }

    init() { nodes = ChunkedColumn(count: 0) }

    private init(forkOf other: inout VmapTree) {
        nodes = other.nodes.fork()
        root = other.root
        count = other.count
        placeCount = other.placeCount
        freePlace = other.freePlace
    }

    mutating func fork() -> VmapTree { VmapTree(forkOf: &self) }

    var heldBytes: Int { nodes.heldBytes }

    subscript(place: UInt32) -> VmapNode { nodes[Int(place)] }

    /// Bytes of the largest range.
    var largest: UInt64 { root == 0 ? 0 : nodes[Int(root)].largest }

    mutating func setUse(_ place: UInt32, _ use: VmapUse) { nodes[Int(place)].use = use }

    // MARK: Order

    /// The first range that ends behind an address: the one that holds it, or the next; 0 for none.
    func first(endingAfter address: UInt64) -> UInt32 {
        var place = root
        var found: UInt32 = 0
        while place != 0 {
            let node = nodes[Int(place)]
            if node.end > address {
                found = place
                place = node.left
            } else {
                place = node.right
            }
        }
        return found
    }

    /// The range that holds an address; 0 for none.
    func containing(_ address: UInt64) -> UInt32 {
        let place = first(endingAfter: address)
        return place != 0 && nodes[Int(place)].start <= address ? place : 0
    }

    /// The highest range; 0 for none.
    var last: UInt32 {
        var place = root
        while place != 0 && nodes[Int(place)].right != 0 { place = nodes[Int(place)].right }
        return place
    }

    func next(_ place: UInt32) -> UInt32 { neighbour(place, .right) }
    func previous(_ place: UInt32) -> UInt32 { neighbour(place, .left) }

    private func neighbour(_ place: UInt32, _ side: Side) -> UInt32 {
        var place = place
        var below = child(place, side)
        guard below == 0 else {
            while below != 0 {
                place = below
                below = child(place, side.other)
            }
            return place
        }
        var above = nodes[Int(place)].parent
        while above != 0 && child(above, side) == place {
            place = above
            above = nodes[Int(place)].parent
        }
        return above
    }

    /// All ranges in order of address.
    func forEach(_ body: (VmapNode) -> Void) {
        var place = first(endingAfter: 0)
        while place != 0 {
            body(nodes[Int(place)])
            place = next(place)
        }
    }

    // MARK: Change

    /// Adds a range that overlaps none.
    @discardableResult
    mutating func insert(_ node: VmapNode) -> UInt32 {
        let place = takePlace()
        var node = node
        (node.left, node.right, node.isRed) = (0, 0, true)
        node.largest = node.size
        var parent: UInt32 = 0
        var below = root
        var side = Side.left
        while below != 0 {
            parent = below
            side = node.start < nodes[Int(below)].start ? .left : .right
            below = child(below, side)
        }
        node.parent = parent
        nodes[Int(place)] = node
        if parent == 0 { root = place } else { setChild(parent, side, place) }
        count += 1
        var above = parent
        while above != 0 && nodes[Int(above)].largest < node.size {
            nodes[Int(above)].largest = node.size
            above = nodes[Int(above)].parent
        }
        balanceAfterInsertion(place)
        return place
    }

    /// Moves the ends of a range; its neighbours stay its neighbours.
    mutating func resize(_ place: UInt32, to range: Range<UInt64>) {
        nodes[Int(place)].start = range.lowerBound
        nodes[Int(place)].end = range.upperBound
        updateLargest(upFrom: place)
    }

    mutating func remove(_ place: UInt32) {
        let node = nodes[Int(place)]
        let lowest: UInt32
        let isUnbalanced: Bool
        if node.left == 0 || node.right == 0 {
            let child = node.left == 0 ? node.right : node.left
            replace(place, by: child)
            if child != 0 { nodes[Int(child)].isRed = node.isRed }
            lowest = node.parent
            isUnbalanced = child == 0 && !node.isRed
        } else {
            (lowest, isUnbalanced) = removeInner(place, node)
        }
        updateLargest(upFrom: lowest)
        if isUnbalanced && lowest != 0 { balanceAfterRemoval(below: lowest) }
        count -= 1
        nodes[Int(place)] = VmapNode()
        nodes[Int(place)].right = freePlace
        freePlace = place
    }

    /// Puts the next range in the place of one that has two children.
    ///
    /// - Returns: the lowest node whose subtree lost something, and whether it lost a black node.
    private mutating func removeInner(
        _ place: UInt32,
        _ node: VmapNode
    ) -> (lowest: UInt32, isUnbalanced: Bool) {
        let successor = next(place)
        let moved = nodes[Int(successor)]
        var lowest = successor
        if moved.parent != place {
            lowest = moved.parent
            setChild(lowest, .left, moved.right)
            if moved.right != 0 { nodes[Int(moved.right)].parent = lowest }
            nodes[Int(successor)].right = node.right
            nodes[Int(node.right)].parent = successor
        }
        nodes[Int(successor)].left = node.left
        nodes[Int(node.left)].parent = successor
        replace(place, by: successor)
        nodes[Int(successor)].isRed = node.isRed
        if moved.right != 0 { nodes[Int(moved.right)].isRed = false }
        return (lowest, moved.right == 0 && !moved.isRed)
    }

    // MARK: Links

    private mutating func takePlace() -> UInt32 {
        if freePlace != 0 {
            let place = freePlace
            freePlace = nodes[Int(place)].right
            return place
        }
        placeCount += 1
        if Int(placeCount) >= nodes.capacity { nodes.grow(toAtLeast: Int(placeCount) + 1) }
        return placeCount
    }

    func child(_ place: UInt32, _ side: Side) -> UInt32 {
        side == .left ? nodes[Int(place)].left : nodes[Int(place)].right
    }

    private mutating func setChild(_ place: UInt32, _ side: Side, _ child: UInt32) {
        if side == .left { nodes[Int(place)].left = child } else { nodes[Int(place)].right = child }
    }

    /// Hangs a subtree where another one hung.
    private mutating func replace(_ place: UInt32, by other: UInt32) {
        let parent = nodes[Int(place)].parent
        if parent == 0 {
            root = other
        } else {
            setChild(parent, child(parent, .left) == place ? .left : .right, other)
        }
        if other != 0 { nodes[Int(other)].parent = parent }
    }

    func largestBelow(_ place: UInt32) -> UInt64 { place == 0 ? 0 : nodes[Int(place)].largest }

    private mutating func updateLargest(_ place: UInt32) {
        let node = nodes[Int(place)]
        nodes[Int(place)].largest = max(
            node.size,
            max(largestBelow(node.left), largestBelow(node.right))
        )
    }

    private mutating func updateLargest(upFrom place: UInt32) {
        var place = place
        while place != 0 {
            updateLargest(place)
            place = nodes[Int(place)].parent
        }
    }

    // MARK: Balance

    private func isRed(_ place: UInt32) -> Bool { place != 0 && nodes[Int(place)].isRed }

    /// Lets a node sink to a side; its child of the other side takes its place.
    private mutating func rotate(_ place: UInt32, to side: Side) {
        let rising = child(place, side.other)
        let inner = child(rising, side)
        setChild(place, side.other, inner)
        if inner != 0 { nodes[Int(inner)].parent = place }
        replace(place, by: rising)
        setChild(rising, side, place)
        nodes[Int(place)].parent = rising
        updateLargest(place)
        updateLargest(rising)
    }

    private mutating func balanceAfterInsertion(_ place: UInt32) {
        var place = place
        while isRed(nodes[Int(place)].parent) {
            var parent = nodes[Int(place)].parent
            let grand = nodes[Int(parent)].parent
            let side: Side = child(grand, .left) == parent ? .left : .right
            let uncle = child(grand, side.other)
            if isRed(uncle) {
                nodes[Int(uncle)].isRed = false
                nodes[Int(parent)].isRed = false
                nodes[Int(grand)].isRed = true
                place = grand
                continue
            }
            if child(parent, side.other) == place {
                rotate(parent, to: side)
                parent = place
            }
            rotate(grand, to: side.other)
            nodes[Int(parent)].isRed = false
            nodes[Int(grand)].isRed = true
            break
        }
        nodes[Int(root)].isRed = false
    }

    /// One side of a node, at first the empty one, is a black node short.
    private mutating func balanceAfterRemoval(below parent: UInt32) {
        var parent = parent
        var short: UInt32 = 0
        while parent != 0 {
            let side: Side = child(parent, .right) != short ? .left : .right
            var sibling = child(parent, side.other)
            if isRed(sibling) {
                rotate(parent, to: side)
                nodes[Int(sibling)].isRed = false
                nodes[Int(parent)].isRed = true
                sibling = child(parent, side.other)
            }
            guard sibling != 0 else { return }
            if !isRed(child(sibling, side.other)) {
                let inner = child(sibling, side)
                guard isRed(inner) else {
                    nodes[Int(sibling)].isRed = true
                    if isRed(parent) {
                        nodes[Int(parent)].isRed = false
                        return
                    }
                    short = parent
                    parent = nodes[Int(parent)].parent
                    continue
                }
                rotate(sibling, to: side.other)
                nodes[Int(inner)].isRed = false
                nodes[Int(sibling)].isRed = true
                sibling = inner
            }
            rotate(parent, to: side)
            nodes[Int(sibling)].isRed = nodes[Int(parent)].isRed
            nodes[Int(parent)].isRed = false
            let outer = child(sibling, side.other)
            if outer != 0 { nodes[Int(outer)].isRed = false }
            return
        }
    }
}
