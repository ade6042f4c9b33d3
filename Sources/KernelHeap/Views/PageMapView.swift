/// A square of a picture of memory: some neighbouring frames, and what they are used for.
public struct PageMapCell: Hashable, Sendable {
    /// What most of the frames in use are used for; `free` and `hole` where none is in use.
    public enum State: UInt8, CaseIterable, Hashable, Sendable {
        /// No zone spans the frames.
        case hole
        /// Kept at boot, or in use since before the first call.
        case reserved
        /// Handed out to the kernel.
        case kernel
        case slab
        case pageTable
        /// Behind a vmalloc area.
        case vmalloc
        /// A process's own.
        case anonymous
        /// A file's or shared memory's.
        case file
        /// On a CPU's list.
        case perCPU
        /// On a buddy list.
        case free

        /// The name on the wire.
        public var name: String {
            switch self {
            case .pageTable: "page_table"
            case .perCPU: "per_cpu"
            default: "\(self)"
            }
        }
    }

    public var state: State
    /// Of the block that the frames belong to; of several, the largest of the cell's state.
    public var order: UInt8 = 0
    /// The class of the pageblock of the first frame.
    public var migrateType = MigrateType.movable
    /// How much of the cell is in use, in 255ths: free frames, holes and per-CPU lists are not.
    public var used: UInt8 = 0
}

/// Neighbouring cells that look the same.
public struct PageMapRun: Hashable, Sendable {
    public var count: Int
    public var cell: PageMapCell
}

/// What the frames of a cell add up to.
struct PageMapCounter {
    private var pages: InlineArray<10, UInt64> = .init(repeating: 0)
    private var orders: InlineArray<10, UInt8> = .init(repeating: 0)
    private(set) var total: UInt64 = 0
    private var migrateType = MigrateType.movable

    mutating func add(_ count: UInt64, _ cell: PageMapCell) {
        let place = Int(cell.state.rawValue)
        if total == 0 { migrateType = cell.migrateType }
        pages[place] += count
        orders[place] = max(orders[place], cell.order)
        total += count
    }

    /// The cell; the counter begins anew.
    mutating func take() -> PageMapCell {
        var best = PageMapCell.State.hole
        var bestUsed: PageMapCell.State?
        var used: UInt64 = 0
        for state in PageMapCell.State.allCases {
            let count = pages[Int(state.rawValue)]
            if count > pages[Int(best.rawValue)] { best = state }
            guard state.isUse, count > 0 else { continue }
            used += count
            if count > bestUsed.map({ pages[Int($0.rawValue)] }) ?? 0 { bestUsed = state }
        }
        let state = bestUsed ?? best
        // A single frame in use is to be seen in a cell of any size.
        let share = total == 0 || used == 0 ? 0 : max(1, used * 255 / total)
        let cell = PageMapCell(
            state: state,
            order: orders[Int(state.rawValue)],
            migrateType: migrateType,
            used: UInt8(clamping: share)
        )
        self = PageMapCounter()
        return cell
    }
}

extension PageMapCell.State {
    /// Whether frames in this state are somebody's.
    var isUse: Bool {
        switch self {
        case .hole, .perCPU, .free: false
        case .reserved, .kernel, .slab, .pageTable, .vmalloc, .anonymous, .file: true
        }
    }
}
