/// The states of all slab objects, in runs of one slab each.
///
/// Kept beside the simulated memory rather than in it: a run of 64 objects fills eight cache lines,
/// the objects themselves sixty-four, and pages nobody writes need no memory at all.
struct ObjectStates: ~Copyable {
    private var column: ChunkedColumn<ObjectState>
    /// Start of the first free run by the logarithm of its length; runs link through their bits.
    private var free = InlineArray<17, UInt32>(repeating: .max)
    private var nextOf: [UInt32: UInt32] = [:]
    private var frontier = 0

    init() { column = ChunkedColumn(count: 1 << 14) }

    private init(forkOf other: inout ObjectStates) {
        column = other.column.fork()
        free = other.free
        nextOf = other.nextOf
        frontier = other.frontier
    }

    mutating func fork() -> ObjectStates { ObjectStates(forkOf: &self) }

    /// Places of states, those that no slab uses among them.
    var count: Int { frontier }
    var heldBytes: Int { column.heldBytes + nextOf.count * 16 }

    @inline(__always)
    subscript(index: Int) -> ObjectState {
        get { column[index] }
        _modify { yield &column[index] }
    }

    /// A run for so many objects, its content undefined.
    mutating func allocate(count: Int) -> UInt32 {
        let size = Self.sizeClass(count)
        let first = free[size]
        if first != .max {
            free[size] = nextOf.removeValue(forKey: first) ?? .max
            return first
        }
        let start = frontier
        frontier += 1 << size
        if frontier > column.capacity { column.grow(toAtLeast: frontier) }
        return UInt32(truncatingIfNeeded: start)
    }

    mutating func release(_ run: UInt32, count: Int) {
        let size = Self.sizeClass(count)
        if free[size] != .max { nextOf[run] = free[size] }
        free[size] = run
    }

    /// The power of two that holds the count.
    private static func sizeClass(_ count: Int) -> Int {
        count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
    }
}
