/// The mobility classes of pageblocks and free lists: `enum migratetype`.
public enum MigrateType: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
    case unmovable, movable, reclaimable, highAtomic, isolate

    /// The name in `/proc/pagetypeinfo`.
    public var name: String {
        switch self {
        case .unmovable: "Unmovable"
        case .movable: "Movable"
        case .reclaimable: "Reclaimable"
        case .highAtomic: "HighAtomic"
        case .isolate: "Isolate"
        }
    }

    public init?(name: some StringProtocol) {
        guard let type = MigrateType.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}
