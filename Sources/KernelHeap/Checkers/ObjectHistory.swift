/// Who allocated and who freed which slab object, call by call.
///
/// Kept only where the machine's description asks for it; allocations then leave the fast path. The
/// events of one address form a ring that names its newest one:
///
///     newest[address] → event → oldest → … → event     links go from older to newer, then around
///
/// An address keeps at most `objectLimit` events, so that one busy object does not drive out the
/// others. Where the whole history is full, the addresses take turns to give up their oldest event.
struct ObjectHistory: Sendable {
    /// Most events that a machine may keep: 40 bytes each, and an entry of a table for each address.
    static let limit = 1 << 18
    /// What a machine with the address sanitizer keeps unasked.
    static let sanitizedLimit = 1 << 16
    /// Most events of one address.
    static let objectLimit = 64

    private struct Cell {
        var event: ObjectEvent
        /// The next newer event of the address; of its newest, the oldest.
        var next: UInt32
    }

    private struct Ring {
        var newest: UInt32
        var count: UInt32 = 1
        var dropped: UInt64 = 0
    }

    let capacity: Int
    private var cells: [Cell] = []
    private var rings: [UInt64: Ring] = [:]
    /// The cell whose address gives up an event next.
    private var hand = 0
    /// Events of all addresses that newer ones took the place of.
    private(set) var dropped: UInt64 = 0

    init(capacity: Int) { self.capacity = min(max(capacity, 1), Self.limit) }

    var heldBytes: Int { cells.capacity * MemoryLayout<Cell>.stride + rings.capacity * 32 }

    mutating func note(_ event: ObjectEvent) {
        let address = event.address.rawValue
        if var ring = rings[address], ring.count >= UInt32(Self.objectLimit) {
            // The oldest event's cell becomes the newest's: the ring only turns.
            ring.newest = cells[Int(ring.newest)].next
            ring.dropped &+= 1
            dropped &+= 1
            rings[address] = ring
            cells[Int(ring.newest)].event = event
            return
        }
        let cell = freeCell()
        if var ring = rings[address] {
            cells[Int(cell)] = Cell(event: event, next: cells[Int(ring.newest)].next)
            cells[Int(ring.newest)].next = cell
            ring.newest = cell
            ring.count += 1
            rings[address] = ring
        } else {
            cells[Int(cell)] = Cell(event: event, next: cell)
            rings[address] = Ring(newest: cell)
        }
    }

    /// A cell that is in no ring: a new one, or an older event's.
    private mutating func freeCell() -> UInt32 {
        let place = UInt32(truncatingIfNeeded: cells.count)
        guard cells.count >= capacity else {
            let unset = ObjectEvent(
                address: LinearAddress(rawValue: 0),
                isAllocation: false,
                call: 0
            )
            cells.append(Cell(event: unset, next: place))
            return place
        }
        let address = cells[hand].event.address.rawValue
        hand = (hand + 1) % cells.count
        dropped &+= 1
        guard var ring = rings[address] else { return 0 }
        let oldest = cells[Int(ring.newest)].next
        ring.count -= 1
        ring.dropped &+= 1
        cells[Int(ring.newest)].next = cells[Int(oldest)].next
        rings[address] = ring.count == 0 ? nil : ring
        return oldest
    }

    /// The events of an address.
    ///
    /// - Returns: the events, oldest first; and how many older ones the address is known to have lost.
    func events(at address: UInt64) -> (events: [ObjectEvent], dropped: UInt64) {
        guard let ring = rings[address] else { return ([], 0) }
        var events: [ObjectEvent] = []
        var cell = ring.newest
        for _ in 0..<ring.count {
            cell = cells[Int(cell)].next
            events.append(cells[Int(cell)].event)
        }
        return (events, ring.dropped)
    }
}

/// One allocation or free of an object.
public struct ObjectEvent: Hashable, Sendable {
    /// Where the object begins, or what was freed or handed out instead.
    public var address: LinearAddress
    public var isAllocation: Bool
    /// Size that `kmalloc` was asked for; nil in caches of one size, and for a free.
    public var requested: UInt16?
    /// Nil where the machine keeps no history.
    public var cpu: UInt8?
    public var call: UInt64
    /// The process that the call ran for; nil where the machine keeps no history.
    public var pid: Int32?
}
