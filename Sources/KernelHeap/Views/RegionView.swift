/// A region of the machine's address space and what lives there.
public struct RegionView: Hashable, Sendable {
    /// What an address in the region can be.
    public enum Kind: String, Hashable, Sendable {
        case userSpace = "user_space"
        case directMap = "direct_map"
        case vmalloc
        case vmemmap
        case pkmap
        case ldt
        case cpuEntryArea = "cpu_entry_area"
        case kernelImage = "kernel_image"
        case modules
        case fixmap
        case vsyscall
        /// Kept for a mechanism that this machine does not use: nothing is mapped.
        case reserved
        /// No address of the processor's.
        case nonCanonical = "non_canonical"
        /// Nothing is ever mapped there, so that an access faults.
        case hole
    }

    public var kind: Kind
    public var name: String
    public var start: LinearAddress
    /// The last address; the regions at the top end with the address space itself.
    public var last: LinearAddress
    /// Bytes at its start that this machine's memory fills; nil where that says nothing.
    public var usedBytes: UInt64?
    /// One sentence.
    public var summary: String

    /// Bytes.
    public var size: UInt64 { last.rawValue - start.rawValue + 1 }

    public func contains(_ address: LinearAddress) -> Bool { start <= address && address <= last }
}

/// Regions as they are laid down, ascending; what lies between two of them is a hole.
struct RegionList {
    private(set) var regions: [RegionView] = []
    /// The first address that no region has yet; nil behind the last.
    private var next: UInt64? = 0
    /// The last address of the machine.
    private let end: UInt64

    init(lastAddress: UInt64) { end = lastAddress }

    /// Adds a region, and a hole in front of it where addresses are left over.
    ///
    /// - Parameters:
    ///   - kind: what it is.
    ///   - name: as people call it.
    ///   - start: its first address; one that another region has moves behind that.
    ///   - limit: first address behind it; 0 where it ends with the address space.
    ///   - used: bytes at its start that memory fills.
    ///   - summary: one sentence.
    mutating func add(
        _ kind: RegionView.Kind,
        _ name: String,
        _ start: UInt64,
        _ limit: UInt64,
        used: UInt64? = nil,
        _ summary: String
    ) {
        let last = limit == 0 ? end : min(limit - 1, end)
        guard let next, max(start, next) <= last else { return }
        let first = max(start, next)
        if first > next { append(.hole, "hole", next, first - 1, nil, "Nothing is mapped here.") }
        append(kind, name, first, last, used.map { min($0, last - first + 1) }, summary)
        self.next = last == end ? nil : last + 1
    }

    /// The regions, up to the last address without a gap.
    consuming func finish() -> [RegionView] {
        if let next { append(.hole, "hole", next, end, nil, "Nothing is mapped here.") }
        return regions
    }

    private mutating func append(
        _ kind: RegionView.Kind,
        _ name: String,
        _ first: UInt64,
        _ last: UInt64,
        _ used: UInt64?,
        _ summary: String
    ) {
        regions.append(
            RegionView(
                kind: kind,
                name: name,
                start: LinearAddress(rawValue: first),
                last: LinearAddress(rawValue: last),
                usedBytes: used,
                summary: summary
            )
        )
    }
}
