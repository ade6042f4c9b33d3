/// An address of memory that a device manages, or that a device was taken to manage.
public struct ManagedMemory: Hashable, Sendable {
    public var address: LinearAddress
    /// The device that is concerned: that was asked, or that has the memory.
    public var device: String
    /// The device that has the memory; nil where none has.
    public var owner: String?
    /// The function that asked for it, and the call.
    public var function: String?
    public var call: UInt64?

    var sentence: String {
        guard let owner, let function else {
            return "No device has managed memory there: \(device) keeps its own, and what was "
                + "given stays as it is."
        }
        guard owner == device else {
            return
                "The memory is of \(function) for the device \(owner), not of \(device); it stays."
        }
        return "The memory is of \(function) for the device \(owner), behind a node in the same "
            + "allocation: devm_kfree frees it. When the driver is unbound, it is freed again."
    }

    var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)), Fact("device", .text(device)),
            Fact("owner", owner.map { .text($0) } ?? .null),
            Fact("function", function.map { .text($0) } ?? .null), Fact("place", .null),
        ]
    }
}
