/// Devices come and go, and drivers are bound to them: `drivers/base/core.c` and `dd.c`, 6.1.
extension Kernel {
    /// The device that a call names.
    ///
    /// - Parameters:
    ///   - argument: a name, or the address of a `struct device`.
    ///   - context: of the caller.
    /// - Returns: its place. Nil where no device is: an address without memory behind it is an oops.
    mutating func findDevice(_ argument: DeviceArgument, in context: CallContext) -> Int? {
        switch argument {
        case .name(let name): return driverModel.device(named: Device.name(from: name))
        case .address(let address):
            if let place = driverModel.device(at: address) { return place }
            let member = address &+ deviceLayout.listOffset
            let (_, fault) = loadKernel(member, layout.wordBytes, in: context)
            if let fault { logAccessFault(at: member, code: fault.code) }
            return nil
        }
    }

    /// `device_register()`, with the memory of the `struct device`.
    ///
    /// - Parameters:
    ///   - text: the name: 1 to 63 printable characters; a slash becomes an exclamation mark.
    ///   - context: of the bus that found the device.
    /// - Returns: 0, or an error.
    mutating func registerBusDevice(_ text: String, in context: CallContext) -> DeviceOutcome {
        let name = Device.name(from: text)
        if let refusal = refuseName(name, in: context) { return refusal }
        mightSleep(at: "kernel/locking/mutex.c:580", in: context)
        if let known = driverModel.device(named: name), driverModel.devices[known].isRegistered {
            log.append("sysfs: cannot create duplicate filename '/devices/platform/\(name)'")
            logProcess(context)
            log.append(
                "kobject: kobject_add_internal failed for \(name) with -EEXIST, don't try to "
                    + "register things with the same name in the same directory."
            )
            let reason = "a device of this name is registered since call "
            return .failure(
                .EEXIST,
                [Fact("refused", .text(reason + "\(driverModel.devices[known].call)"))]
            )
        }
        guard driverModel.devices.count < DriverModel.deviceLimit else {
            let text = "a machine has at most \(DriverModel.deviceLimit) devices"
            return .failure(.ENOSPC, [Fact("refused", .text(text))])
        }
        let flags = GFPFlags.kernel.union(.zero)
        let memory = allocate(size: deviceLayout.deviceBytes, flags: flags, in: context)
        let address = address(of: memory)
        guard address != 0 else { return .failure(.ENOMEM) }
        driverModel.devices.append(Device(name: name, address: address, call: sequence))
        return DeviceOutcome(
            value: 0,
            facts: [
                Fact("dev", .address(address)), Fact("name", .text(name)),
                Fact("path", .text("/devices/platform/" + name)),
            ]
        )
    }

    /// Names that no device gets; that of no characters is the kernel's own refusal.
    private mutating func refuseName(_ name: String, in context: CallContext) -> DeviceOutcome? {
        let reason: String
        if name.isEmpty {
            log.warn(
                "kobject: (____ptrval____): attempted to be registered with empty name!",
                at: "lib/kobject.c",
                in: "kobject_add_internal",
                context
            )
            reason = "the name is empty"
        } else if name.utf8.count > Device.nameLimit {
            reason =
                "the name has \(name.utf8.count) bytes; a device's has \(Device.nameLimit) at most"
        } else if !name.utf8.allSatisfy({ (33...126).contains($0) }) {
            reason = "the name has a character that is not printable ASCII, or a space"
        } else {
            return nil
        }
        return .failure(.EINVAL, [Fact("refused", .text(reason))])
    }

    /// `device_driver_attach()`: the driver's `probe` decides.
    ///
    /// What a failed probe asked for is freed, the newest first.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - driver: its name and methods; only `probe` and `remove` are called.
    ///   - context: of the caller.
    /// - Returns: 0, or what probe returned; `EBUSY` for a device that has a driver or resources.
    mutating func attachDriver(
        _ place: Int,
        _ driver: BoundDriver,
        in context: CallContext
    ) -> DeviceOutcome {
        mightSleep(at: "kernel/locking/mutex.c:580", in: context)
        let device = driverModel.devices[place]
        guard device.isRegistered else { return .failure(.ENODEV) }
        guard device.driver == nil else { return .failure(.EBUSY) }
        guard device.resources.isEmpty else {
            log.append("\(driver.name) \(device.name): Resources present before probing")
            return .failure(.EBUSY)
        }
        driverModel.devices[place].driver = driver
        let run = runDriver(.probe, of: place, in: context)
        var facts = [Fact("dev", .address(device.address)), Fact("steps", .list(run.steps))]
        guard let value = run.value else { return DeviceOutcome(value: nil, facts: facts) }
        let status = Int32(truncatingIfNeeded: value)
        guard status != 0 else { return DeviceOutcome(value: 0, facts: facts) }
        // A driver may say that it is not its device, or that it comes too early.
        if ![-19, -6, -517].contains(status) {
            log.append("\(driver.name): probe of \(device.name) failed with error \(status)")
        }
        let release = releaseAllResources(of: place, in: context)
        facts += release.facts
        driverModel.devices[place].driver = nil
        guard !release.isDead else { return DeviceOutcome(value: nil, facts: facts) }
        // EPROBE_DEFER becomes EAGAIN.
        let errno = status == -517 ? 11 : Int64(status.magnitude)
        return DeviceOutcome(value: -errno, facts: facts)
    }

    /// `device_release_driver()`: `remove` runs, then everything that is managed goes.
    mutating func releaseDriver(_ place: Int, in context: CallContext) -> DeviceOutcome {
        mightSleep(at: "kernel/locking/mutex.c:580", in: context)
        guard driverModel.devices[place].driver != nil else { return DeviceOutcome(value: 0) }
        let run = runDriver(.remove, of: place, in: context)
        var facts = [Fact("steps", .list(run.steps))]
        guard run.value != nil else { return DeviceOutcome(value: nil, facts: facts) }
        let release = releaseAllResources(of: place, in: context)
        facts += release.facts
        driverModel.devices[place].driver = nil
        checkPendingMappings(of: place, in: context)
        return DeviceOutcome(value: release.isDead ? nil : 0, facts: facts)
    }

    /// `device_unregister()`: unbinds the driver, and drops the registration's reference.
    ///
    /// Character devices that belong to the device keep its memory until their last file is closed.
    mutating func unregisterBusDevice(_ place: Int, in context: CallContext) -> DeviceOutcome {
        let device = driverModel.devices[place]
        guard device.isRegistered else {
            return .failure(.ENODEV, [Fact("refused", .text("it is not registered any more"))])
        }
        let files = devices.devices.filter { $0.parent == device.address }
        let unbound = releaseDriver(place, in: context)
        let facts =
            unbound.facts + [
                Fact("open_files", .number(Int64(files.reduce(0) { $0 + $1.openFiles }))),
                Fact("kept_by", .list(files.map { .text("/dev/" + $0.name) })),
            ]
        guard unbound.value != nil else { return DeviceOutcome(value: nil, facts: facts) }
        driverModel.devices[place].isRegistered = false
        let release = putDevice(device.address, in: context)
        let isFreed = driverModel.device(at: device.address) == nil
        return DeviceOutcome(
            value: release.isDead ? nil : 0,
            facts: facts + (release.count > 0 ? release.facts : []) + [
                Fact("freed", .boolean(isFreed))
            ]
        )
    }

    /// `put_device()`: the last one frees what is left, and the `struct device`.
    ///
    /// - Parameters:
    ///   - address: of the `struct device`; 0 is ignored.
    ///   - context: of the caller.
    /// - Returns: what was freed with it.
    mutating func putDevice(_ address: UInt64, in context: CallContext) -> DevresRelease {
        guard address != 0, let place = driverModel.device(at: address) else {
            return DevresRelease()
        }
        driverModel.devices[place].references -= 1
        guard driverModel.devices[place].references == 0 else { return DevresRelease() }
        let release = releaseAllResources(of: place, in: context)
        driverModel.drop(place)
        checkFree(address)
        kfree(LinearAddress(rawValue: address), in: context)
        return release
    }

    /// Runs `probe` or `remove` of a device's driver.
    private mutating func runDriver(
        _ method: DeviceMethod,
        of place: Int,
        in context: CallContext
    ) -> MethodRun {
        guard let driver = driverModel.devices[place].driver else { return MethodRun() }
        var variables = driver.variables
        let address = driverModel.devices[place].address
        let run = runSteps(driver.script[method], [(.dev, address)], &variables, in: context)
        driverModel.devices[place].driver?.variables = variables
        return run
    }
}
