/// A device of the driver model: a `struct device`, its driver, and what is freed with it.
struct Device: Sendable {
    let name: String
    /// The `struct device`, in memory of `kmalloc()` as a bus makes it.
    let address: UInt64
    /// The call that registered it.
    let call: UInt64
    var driver: BoundDriver?
    /// False from `device_unregister()` on; who keeps it may go on using its memory.
    var isRegistered = true
    /// Nobody keeps it any more: it leaves the list when the running call has ended.
    var isGone = false
    /// Whoever keeps the `struct device`: its registration, and character devices that belong to it.
    var references = 1
    /// `devres_head`: in the order in which they were asked for.
    var resources: [DevresNode] = []
    /// Which addresses it reaches of memory that is mapped for it, and of coherent memory.
    var mask: UInt64 = 0xffff_ffff
    var coherentMask: UInt64 = 0xffff_ffff

    /// Most bytes of a name; the kernel's own have as many as there is memory for.
    static let nameLimit = 63

    /// What `kobject_set_name_vargs()` makes of a name, which is to be a file's.
    static func name(from text: String) -> String {
        String(text.map { $0 == "/" ? "!" : $0 })
    }

    /// `dev_driver_string()`: what stands before the name in a line of the log.
    var driverText: String { driver?.name ?? "platform" }

    /// Host memory, in bytes.
    var heldBytes: Int {
        256 + name.utf8.count + resources.count * MemoryLayout<DevresNode>.stride
            + (driver.map { $0.script.heldBytes + $0.variables.count * 8 } ?? 0)
    }
}

/// A driver that a device is bound to: its methods `probe` and `remove`, and their variables.
struct BoundDriver: Sendable {
    let name: String
    let script: DriverScript
    /// The call that bound it.
    let call: UInt64
    var variables: [UInt64]

    init(_ name: String, _ script: DriverScript, call: UInt64) {
        self.name = name
        self.call = call
        self.script = script
        variables = Array(repeating: 0, count: script.variables.count)
    }
}

/// The devices of a machine, in the order of registration.
struct DriverModel: Sendable {
    /// No machine has more devices.
    static let deviceLimit = 4_096
    /// No machine has more callbacks that wait for the end of their devices.
    static let actionLimit = 1_024

    var devices: [Device] = []
    /// Whether some of them are gone.
    private(set) var hasGone = false
    var dma = DMAState()
    /// Host memory that the scripts of callbacks take, in bytes, and how many there are.
    var actionBytes = 0
    var actionCount = 0
    /// Groups that were opened.
    private var groupCount: UInt64 = 0

    var heldBytes: Int { devices.reduce(actionBytes + dma.heldBytes) { $0 + $1.heldBytes } }

    /// The device of a name: a registered one, else the newest that somebody keeps.
    func device(named name: String) -> Int? {
        devices.firstIndex { $0.isRegistered && $0.name == name }
            ?? devices.lastIndex { !$0.isGone && $0.name == name }
    }

    func device(at address: UInt64) -> Int? {
        devices.firstIndex { !$0.isGone && $0.address == address }
    }

    /// `get_device()`.
    ///
    /// - Returns: the address of the `struct device`.
    mutating func keep(_ place: Int) -> UInt64 {
        devices[place].references += 1
        return devices[place].address
    }

    /// Nobody keeps a device any more.
    ///
    /// Its place stays until the call has ended: the killer may end the last file of one device while
    /// memory is asked for another one.
    mutating func drop(_ place: Int) {
        devices[place].isGone = true
        devices[place].isRegistered = false
        devices[place].resources = []
        devices[place].driver = nil
        hasGone = true
    }

    /// The call has ended: no place is remembered any more.
    mutating func forgetGone() {
        devices.removeAll { $0.isGone }
        hasGone = false
    }

    /// A number that no other group has.
    ///
    /// Addresses do not tell groups apart: a driver may free a group's memory, and the next group gets it.
    mutating func nextGroupSerial() -> UInt64 {
        groupCount &+= 1
        return groupCount
    }

    /// Adds a resource at the end of a device's list.
    mutating func add(_ node: DevresNode, to place: Int) {
        if case .action(let action) = node.kind {
            actionBytes += action.script.heldBytes
            actionCount += 1
        }
        devices[place].resources.append(node)
    }

    /// Notes that a resource is on no list any more.
    mutating func forget(_ node: DevresNode) {
        guard case .action(let action) = node.kind else { return }
        actionBytes -= action.script.heldBytes
        actionCount -= 1
    }
}
