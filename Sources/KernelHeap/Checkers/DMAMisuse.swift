/// Memory for a device's transfers that its driver uses otherwise than it said.
public struct DMAMisuse: Hashable, Sendable {
    /// The device's address, or the one that was to be mapped.
    public var address: LinearAddress
    public var device: String
    /// What a kernel with DMA-API debugging prints.
    public var text: String
    /// The call that made the mapping; nil where there is none.
    public var call: UInt64?

    var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)), Fact("device", .text(device)),
            Fact("place", .null),
        ]
    }
}
