/// Devices, their drivers, and groups of what is freed with them.
let driverModelCalls: [any KernelCall.Type] = [
    DeviceRegister.self, DeviceUnregister.self, DeviceDriverAttach.self,
    DeviceReleaseDriver.self, DevresOpenGroup.self, DevresCloseGroup.self,
    DevresRemoveGroup.self, DevresReleaseGroup.self,
]

private let idParameter = Parameter("id", .address, "The group's; NULL for the newest open one.")

/// A call whose one argument is a device.
private protocol BareDeviceCall: DeviceCall {
    init(device: DeviceArgument)
}

extension BareDeviceCall {
    init(_ arguments: borrowing CallArguments) { self.init(device: arguments.device(0)) }
}

/// A call on a group of a device's resources.
private protocol GroupCall: DeviceCall {
    var id: UInt64 { get }
    init(device: DeviceArgument, id: UInt64)
}

extension GroupCall {
    init(_ arguments: borrowing CallArguments) {
        self.init(device: arguments.device(0), id: arguments.word(1))
    }
}

/// The call `int device_register(struct device *dev)`.
struct DeviceRegister: KernelCall {
    static let signature = CallSignature(
        "device_register",
        returns: "int",
        [
            Parameter(
                "name",
                .text,
                "Of the device: printable; a slash becomes an exclamation mark."
            )
        ],
        "Makes a device; its struct device is in the detail, and its name stands for it."
    )

    var name: String

    init(_ arguments: borrowing CallArguments) { name = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(kernel.registerBusDevice(name, in: context))
    }
}

/// The call `void device_unregister(struct device *dev)`.
struct DeviceUnregister: BareDeviceCall {
    static let signature = CallSignature(
        "device_unregister",
        returns: "void",
        [deviceParameter],
        "Unbinds the driver and takes the device away; open files keep its memory.",
        runsMethods: true
    )

    var device: DeviceArgument

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var result = CallResult(kernel.unregisterBusDevice(place, in: context))
        if result.errno == nil { result.value = .void }
        return result
    }
}

/// The call `int device_driver_attach(struct device_driver *drv, struct device *dev)`.
struct DeviceDriverAttach: DeviceCall {
    static let signature = CallSignature(
        "device_driver_attach",
        returns: "int",
        [
            Parameter("drv", .text, "The driver's name."), deviceParameter,
            Parameter(
                "methods",
                .driver,
                "What probe and remove do, as steps with $dev; others are never called.",
                optional: true
            ),
        ],
        "Binds a driver: its probe runs; where that fails, what it asked for is freed.",
        runsMethods: true
    )

    var driver: String
    var device: DeviceArgument
    var script: DriverScript

    init(_ arguments: borrowing CallArguments) {
        driver = String(arguments.text(0).prefix(64))
        device = arguments.device(1)
        script = arguments.driver(2)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let isName = driver.utf8.allSatisfy { (33...126).contains($0) } && !driver.isEmpty
        guard isName else { return CallResult(Kernel.DeviceOutcome.failure(.EINVAL)) }
        let bound = BoundDriver(driver, script, call: kernel.sequence)
        return CallResult(kernel.attachDriver(place, bound, in: context))
    }
}

/// The call `void device_release_driver(struct device *dev)`.
struct DeviceReleaseDriver: BareDeviceCall {
    static let signature = CallSignature(
        "device_release_driver",
        returns: "void",
        [deviceParameter],
        "Unbinds the driver: remove runs, then managed resources go, the newest first.",
        runsMethods: true
    )

    var device: DeviceArgument

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var result = CallResult(kernel.releaseDriver(place, in: context))
        result.value = .void
        return result
    }
}

/// The call `void *devres_open_group(struct device *dev, void *id, gfp_t gfp)`.
struct DevresOpenGroup: DeviceCall {
    static let signature = CallSignature(
        "devres_open_group",
        returns: "void *",
        [
            deviceParameter,
            Parameter("id", .address, "Any number; NULL for one of its own."),
            Parameter("gfp", .gfp, "How the allocation may behave."),
        ],
        "Begins a group of managed resources; returns its id."
    )

    var device: DeviceArgument
    var id: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        id = arguments.word(1)
        flags = arguments.gfp(2)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        return CallResult(
            .pointer(kernel.openGroup(place, id: id, flags: flags, in: context))
        )
    }
}

/// The call `void devres_close_group(struct device *dev, void *id)`.
struct DevresCloseGroup: GroupCall {
    static let signature = CallSignature(
        "devres_close_group",
        returns: "void",
        [deviceParameter, idParameter],
        "Ends a group: resources that come later are not of it."
    )

    var device: DeviceArgument
    var id: UInt64

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.closeGroup(place, id: id, in: context)
        return .void
    }
}

/// The call `void devres_remove_group(struct device *dev, void *id)`.
struct DevresRemoveGroup: GroupCall {
    static let signature = CallSignature(
        "devres_remove_group",
        returns: "void",
        [deviceParameter, idParameter],
        "Forgets a group; its resources stay the device's."
    )

    var device: DeviceArgument
    var id: UInt64

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.removeGroup(place, id: id, in: context)
        return .void
    }
}

/// The call `int devres_release_group(struct device *dev, void *id)`.
struct DevresReleaseGroup: GroupCall {
    static let signature = CallSignature(
        "devres_release_group",
        returns: "int",
        [deviceParameter, idParameter],
        "Releases a group's resources, the newest first; returns how many."
    )

    var device: DeviceArgument
    var id: UInt64

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let release = kernel.releaseGroup(place, id: id, in: context) else {
            return CallResult(.integer(0))
        }
        return CallResult(.integer(Int64(release.count)), detail: .facts(release.facts))
    }
}
