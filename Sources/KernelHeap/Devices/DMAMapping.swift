/// `enum dma_data_direction`.
enum DMADirection: UInt64, CaseIterable, Hashable, Sendable {
    case bidirectional, toDevice, fromDevice

    /// The C name.
    var name: String {
        switch self {
        case .bidirectional: "DMA_BIDIRECTIONAL"
        case .toDevice: "DMA_TO_DEVICE"
        case .fromDevice: "DMA_FROM_DEVICE"
        }
    }

    /// The values of the parameter; the last one is for nobody.
    static let names = FlagNames(
        "direction",
        allCases.map { FlagName($0.name, $0.rawValue) } + [FlagName("DMA_NONE", 3)]
    )

    /// Whether the device's stores reach the memory.
    var isRead: Bool { self != .toDevice }
    /// Whether the device sees what the memory holds.
    var isWrite: Bool { self != .fromDevice }
}

/// Memory that a device may reach.
struct DMAMapping: Sendable {
    /// The `struct device`.
    let device: UInt64
    /// What the device is given.
    let address: UInt64
    /// Bytes.
    let size: UInt64
    let direction: DMADirection
    /// From `dma_alloc_coherent()` rather than `dma_map_single()`.
    let isCoherent: Bool
    /// What the processor uses.
    let virtual: UInt64
    /// The call that made it, and its function.
    let call: UInt64
    let function: String
    let isBounced: Bool
    /// Whether `dma_mapping_error()` was asked.
    var isChecked = false

    /// As DMA-API debug calls it.
    var kindName: String { isCoherent ? "coherent" : "single" }
}
