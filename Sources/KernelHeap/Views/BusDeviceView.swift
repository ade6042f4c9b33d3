/// A device of the driver model with what is freed with it.
public struct BusDeviceView: Sendable {
    public var name: String
    /// The `struct device`.
    public var address: LinearAddress
    /// The call that registered it.
    public var call: UInt64
    /// The driver that it is bound to; nil where none is.
    public var driver: String?
    public var isRegistered: Bool
    /// Its registration, and character devices that keep it.
    public var references: Int
    /// Names under `/dev` of those, and the open files that they have together.
    public var characterDevices: [String]
    public var openFiles: Int
    /// Managed resources in the order in which they were asked for; they go the other way round.
    public var resources: [[Fact]]
    /// Further resources, which had no room.
    public var omittedResources: Int
    /// Which addresses it reaches.
    public var mask: UInt64
    public var coherentMask: UInt64
    /// Memory that it may reach, the oldest first; and how many mappings had no room.
    public var mappings: [[Fact]]
    public var omittedMappings: Int
}

extension Kernel {
    /// How many devices there are.
    public var busDeviceCount: Int { driverModel.devices.count }

    /// The devices in the order of their registration.
    ///
    /// - Parameter limit: most resources to give, those of all devices together.
    /// - Returns: every device, with a part of its resources.
    public func busDeviceViews(limit: Int) -> [BusDeviceView] {
        var left = limit
        var leftMappings = limit
        let children = Dictionary(grouping: devices.devices, by: \.parent)
        return driverModel.devices.map { device in
            let shown = device.resources.prefix(max(left, 0))
            left -= shown.count
            let mappings = driverModel.dma.mappings
            let mapped = mappings.mappings(of: device.address, limit: leftMappings)
            leftMappings -= mapped.count
            let files = children[device.address] ?? []
            return BusDeviceView(
                name: device.name,
                address: LinearAddress(rawValue: device.address),
                call: device.call,
                driver: device.driver?.name,
                isRegistered: device.isRegistered,
                references: device.references,
                characterDevices: files.map(\.name),
                openFiles: files.reduce(0) { $0 + $1.openFiles },
                resources: shown.map { $0.facts(header: deviceLayout.header) },
                omittedResources: device.resources.count - shown.count,
                mask: device.mask,
                coherentMask: device.coherentMask,
                mappings: mapped.map(\.facts),
                omittedMappings: mappings.count(of: device.address) - mapped.count
            )
        }
    }
}

extension DMAMapping {
    /// The mapping for JSON.
    fileprivate var facts: [Fact] {
        [
            Fact("kind", .text(kindName)), Fact("function", .text(function)),
            Fact("call", .count(call)), Fact("address", .address(address)),
            Fact("cpu_addr", .address(virtual)), Fact("size", .count(size)),
            Fact("direction", .text(direction.name)), Fact("bounced", .boolean(isBounced)),
        ]
    }
}
