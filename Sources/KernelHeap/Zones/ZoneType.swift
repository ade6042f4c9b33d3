/// The kinds of zone, lowest first: `enum zone_type`.
public enum ZoneType: UInt8, CaseIterable, Hashable, Comparable, Sendable, BitwiseCopyable {
    case dma, dma32, normal, highMem, movable, device

    /// The name in `/proc/zoneinfo`.
    public var name: String {
        switch self {
        case .dma: "DMA"
        case .dma32: "DMA32"
        case .normal: "Normal"
        case .highMem: "HighMem"
        case .movable: "Movable"
        case .device: "Device"
        }
    }

    public init?(name: some StringProtocol) {
        guard let zone = ZoneType.allCases.first(where: { $0.name == name }) else { return nil }
        self = zone
    }

    public static func < (left: ZoneType, right: ZoneType) -> Bool {
        left.rawValue < right.rawValue
    }
}
