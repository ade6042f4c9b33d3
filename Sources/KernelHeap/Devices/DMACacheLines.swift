/// Which lines of the processor's cache are mapped for devices: `active_cacheline_insert()` and
/// `_remove()`, `kernel/dma/debug.c`, 6.1.
///
/// Of a mapping the first line alone is kept, and none where the device only loads. There are no more
/// lines than mappings in a `DMAMappingTable`.
struct DMACacheLines: Sendable {
    /// Further mappings of one line that are counted: `ACTIVE_CACHELINE_MAX_OVERLAP`.
    static let overlapLimit = 7
    /// Bytes of a line, as a shift.
    static let shift: UInt64 = 6

    private struct Line {
        /// The call of the mapping that came first.
        var call: UInt64
        var overlaps = 0
    }

    private var lines: [UInt64: Line] = [:]

    /// Host memory, in bytes.
    var heldBytes: Int { lines.capacity * 32 }

    /// What became of a mapping's line.
    enum Insertion: Equatable {
        case alone
        /// Another mapping has it, made by a call; `isFull` where it is counted no more.
        case overlaps(call: UInt64, isFull: Bool)
    }

    /// Adds the line of a mapping.
    ///
    /// - Parameters:
    ///   - physical: the address of the memory's first byte.
    ///   - direction: of the mapping.
    ///   - call: that makes it.
    /// - Returns: whether other mappings have the line.
    mutating func insert(
        _ physical: UInt64,
        _ direction: DMADirection,
        call: UInt64
    ) -> Insertion {
        guard direction != .toDevice else { return .alone }
        guard var line = lines[physical >> Self.shift] else {
            lines[physical >> Self.shift] = Line(call: call)
            return .alone
        }
        let isFull = line.overlaps >= Self.overlapLimit
        if !isFull { line.overlaps += 1 }
        lines[physical >> Self.shift] = line
        return .overlaps(call: line.call, isFull: isFull)
    }

    /// Takes the line of a mapping out, or one overlap of it.
    ///
    /// - Parameters:
    ///   - physical: the address of the memory's first byte.
    ///   - direction: of the mapping, not of who unmaps it.
    mutating func remove(_ physical: UInt64, _ direction: DMADirection) {
        guard direction != .toDevice, var line = lines[physical >> Self.shift] else { return }
        line.overlaps -= 1
        lines[physical >> Self.shift] = line.overlaps < 0 ? nil : line
    }
}
