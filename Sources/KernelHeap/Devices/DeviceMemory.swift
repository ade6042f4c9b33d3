/// Memory that goes when the devices go that are there now.
struct DeviceMemory {
    /// A `struct device` or a resource's node, with the call that allocated it: the driver may have
    /// freed it, and the address may be somebody else's.
    private(set) var objects: [UInt64: UInt64] = [:]
    /// The first frames of blocks.
    private(set) var frames: Set<UInt64> = []

    func owns(object address: UInt64, of call: UInt64) -> Bool { objects[address] == call }

    fileprivate mutating func add(_ address: UInt64, call: UInt64) { objects[address] = call }
    fileprivate mutating func add(block frame: UInt64) { frames.insert(frame) }
}

extension Kernel {
    /// What all devices have; costs what they have.
    func deviceMemory() -> DeviceMemory {
        var memory = DeviceMemory()
        for device in driverModel.devices where !device.isGone {
            memory.add(device.address, call: device.call)
            for node in device.resources {
                if case .groupClose = node.kind { continue }
                memory.add(node.address, call: node.call)
                // Large nodes are blocks of pages.
                addBlock(at: node.address, to: &memory)
                switch node.kind {
                case .pages(let address, _): addBlock(at: address, to: &memory)
                case .coherent(_, let handle, _): memory.add(block: handle >> 12)
                case .memory, .action, .groupOpen, .groupClose: break
                }
            }
        }
        return memory
    }

    private func addBlock(at address: UInt64, to memory: inout DeviceMemory) {
        guard address % 4_096 == 0, let frame = frame(ofDirectMapped: address) else { return }
        memory.add(block: UInt64(frame))
    }
}
