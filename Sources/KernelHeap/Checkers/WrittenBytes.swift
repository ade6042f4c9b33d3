/// Which bytes of slab objects somebody has written since they were allocated.
///
/// Kept where the machine keeps a history of objects, or has the address sanitizer, which knows of
/// itself which objects nobody has written at all. An object's unwritten bytes are what its last owner
/// left: copied to user space, they are an information leak. Objects of constructed caches begin
/// written. A copy carries along what is known of its bytes, as KMSAN's shadow does.
struct WrittenBytes: Sendable {
    /// Unwritten parts of an object that are remembered; more than that are given up.
    private static let maximumGaps = 64

    /// Objects that are followed, at most.
    let capacity: Int
    /// Unwritten parts of objects, ascending, by the objects' addresses.
    private var gaps: [UInt64: [Range<UInt64>]] = [:]
    /// Unwritten parts of all objects.
    private var rangeCount = 0

    init(capacity: Int) { self.capacity = capacity }

    var isEmpty: Bool { gaps.isEmpty }
    /// A place in the table, and for each object the head of an array and its elements.
    var heldBytes: Int { gaps.capacity * 48 + gaps.count * 32 + rangeCount * 16 }

    /// An object was allocated, and nothing of it is written.
    ///
    /// - Returns: false where there is no room, and the object counts as written.
    @discardableResult
    mutating func begin(_ object: UInt64, size: UInt64) -> Bool {
        guard gaps.count < capacity || gaps[object] != nil else { return false }
        set(object, [object..<object &+ size])
        return true
    }

    /// An object was freed, or all of it is known to be written.
    mutating func end(_ object: UInt64) { set(object, nil) }

    private mutating func set(_ object: UInt64, _ ranges: [Range<UInt64>]?) {
        rangeCount += (ranges?.count ?? 0) - (gaps[object]?.count ?? 0)
        gaps[object] = ranges
    }

    /// A part of an object was written.
    mutating func write(_ object: UInt64, _ range: Range<UInt64>) {
        guard let old = gaps[object] else { return }
        var new: [Range<UInt64>] = []
        for gap in old {
            guard gap.overlaps(range) else {
                new.append(gap)
                continue
            }
            if gap.lowerBound < range.lowerBound { new.append(gap.lowerBound..<range.lowerBound) }
            if range.upperBound < gap.upperBound { new.append(range.upperBound..<gap.upperBound) }
        }
        set(object, new.isEmpty || new.count > Self.maximumGaps ? nil : new)
    }

    /// Bytes that nobody has written were copied to a part of an object.
    ///
    /// An object that is not followed was written up to now; where there is no room, it stays so.
    mutating func forget(_ object: UInt64, _ range: Range<UInt64>) {
        guard !range.isEmpty, gaps.count < capacity || gaps[object] != nil else { return }
        var new: [Range<UInt64>] = []
        var merged = range
        for gap in gaps[object] ?? [] {
            if gap.upperBound < merged.lowerBound {
                new.append(gap)
            } else if gap.lowerBound <= merged.upperBound {
                let start = min(gap.lowerBound, merged.lowerBound)
                merged = start..<max(gap.upperBound, merged.upperBound)
            } else {
                new.append(merged)
                merged = gap
            }
        }
        new.append(merged)
        set(object, new.count > Self.maximumGaps ? nil : new)
    }

    /// Whether an object has unwritten parts.
    func hasGaps(_ object: UInt64) -> Bool { gaps[object] != nil }

    /// The unwritten parts of a range of an object.
    func unwritten(_ object: UInt64, _ range: Range<UInt64>) -> [Range<UInt64>] {
        (gaps[object] ?? []).map { $0.clamped(to: range) }.filter { !$0.isEmpty }
    }
}

/// Bytes that went to user space, or were used, though nobody had written them.
public struct InformationLeak: Hashable, Sendable {
    public var place: MemoryPlace
    /// The bytes, as addresses; the first parts where there are very many.
    public var ranges: [Range<UInt64>]
    /// The last allocation of an object by somebody else, as far as the history goes back.
    public var previousOwner: ObjectEvent?
    /// The lines of dmesg; empty without the sanitizer.
    public var text: [String] = []
}
