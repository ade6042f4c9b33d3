/// Registering devices, and a program's system calls on their files.
extension Kernel {
    /// The result of a system call or of a registration: a value, or an error, and what happened.
    struct DeviceOutcome {
        /// Nil where the kernel died on the way: nobody gets a result.
        var value: Int64?
        var facts: [Fact] = []

        static func failure(_ errno: Errno, _ facts: [Fact] = []) -> DeviceOutcome {
            DeviceOutcome(value: -Int64(errno.rawValue), facts: facts)
        }
    }

    /// `register_chrdev()` with a node under `/dev`; the driver's `probe` runs first.
    ///
    /// - Parameters:
    ///   - name: of the node: 1 to 255 bytes without a slash.
    ///   - script: the driver.
    ///   - parent: the place of the device that its methods get as `$dev`, and that it keeps.
    ///   - context: where the driver is loaded.
    /// - Returns: the major number, or what `probe` returned when that is negative.
    mutating func registerDevice(
        _ name: String,
        _ script: DriverScript,
        parent: Int? = nil,
        in context: CallContext
    ) -> DeviceOutcome {
        let isName =
            (1...255).contains(name.utf8.count) && !name.utf8.contains { $0 == 47 || $0 == 0 }
        guard isName else { return .failure(.EINVAL) }
        guard devices.device(named: name) == nil else { return .failure(.EEXIST) }
        guard let major = devices.freeMajor else { return .failure(.EBUSY) }
        let owner = parent.map { driverModel.keep($0) } ?? 0
        devices.devices.append(CharacterDevice(name, major: major, script, parent: owner))
        let run = run(.probe, ofDevice: major, [], in: context)
        let facts = [
            Fact("path", .text("/dev/" + name)), Fact("major", .number(Int64(major))),
            Fact("minor", .number(0)), Fact("steps", .list(run.steps)),
        ]
        guard let value = run.value, Int64(bitPattern: value) >= 0 else {
            if let place = devices.device(major: major) { devices.devices.remove(at: place) }
            _ = putDevice(owner, in: context)
            return DeviceOutcome(value: run.value.map { Int64(bitPattern: $0) }, facts: facts)
        }
        return DeviceOutcome(value: Int64(major), facts: facts)
    }

    /// `unregister_chrdev()`: `remove` runs; files that are open keep the driver's methods.
    mutating func unregisterDevice(_ name: String, in context: CallContext) -> DeviceOutcome {
        guard let place = devices.device(named: name) else { return .failure(.ENODEV) }
        let major = devices.devices[place].major
        let open = devices.devices[place].openFiles
        devices.devices[place].isRegistered = false
        let run = run(.remove, ofDevice: major, [], in: context)
        dropIfUnused(major, in: context)
        return DeviceOutcome(
            value: run.value == nil ? nil : 0,
            facts: [
                Fact("open_files", .number(Int64(open))), Fact("steps", .list(run.steps)),
            ]
        )
    }

    /// `open()`: makes a `struct file` and runs the driver's `open`.
    mutating func openFile(_ path: String, flags: UInt64, in context: CallContext) -> DeviceOutcome
    {
        let process = process(context.pid) ?? 0
        guard processes[process].hasFreeDescriptor else { return .failure(.EMFILE) }
        guard path.hasPrefix("/dev/"),
            let place = devices.device(named: String(path.dropFirst(5)))
        else { return .failure(.ENOENT) }
        // Open from here on: making room for the file may kill those who have it open otherwise.
        let major = devices.devices[place].major
        devices.devices[place].openFiles += 1
        var isOpen = false
        defer { if !isOpen { letGo(of: major, in: context) } }
        guard let address = newFile(flags: flags, in: context) else { return .failure(.ENOMEM) }
        let run = run(.open, ofDevice: major, [(.file, address)], in: context)
        let facts = [
            Fact("file", .address(address)), Fact("steps", .list(run.steps)),
        ]
        guard let value = run.value else { return DeviceOutcome(value: nil, facts: facts) }
        let status = Int32(truncatingIfNeeded: value)
        guard status == 0 else {
            kfreeFile(address, in: context)
            guard status > 0 else { return DeviceOutcome(value: Int64(status), facts: facts) }
            // do_dentry_open(): only errors may stand for a file that was not opened.
            log.warnOnce(at: "fs/open.c", in: "do_dentry_open", context)
            return .failure(.EINVAL, facts)
        }
        guard let descriptor = processes[process].open(.device(address)) else {
            // A method of the driver has taken the last one.
            _ = self.run(.release, ofDevice: major, [(.file, address)], in: context)
            kfreeFile(address, in: context)
            return .failure(.EMFILE, facts)
        }
        devices.files[address] = DeviceFile(major: major, flags: flags)
        isOpen = true
        return DeviceOutcome(value: Int64(descriptor), facts: facts)
    }

    /// A descriptor less for a device's file; with the last one its driver's `release` runs, at whose
    /// result nobody looks.
    mutating func releaseDeviceFile(_ address: UInt64, in context: CallContext) -> DeviceOutcome {
        guard let file = devices.files[address], devices.device(major: file.major) != nil else {
            return .failure(.EBADF)
        }
        devices.files[address]?.descriptorCount -= 1
        guard file.descriptorCount == 1, file.mappedPages == 0 else {
            return DeviceOutcome(value: 0)
        }
        return endDeviceFile(address, in: context)
    }

    /// `__fput()`: nothing shows the file any more.
    mutating func endDeviceFile(_ address: UInt64, in context: CallContext) -> DeviceOutcome {
        guard let file = devices.files[address], devices.device(major: file.major) != nil
        else { return .failure(.EBADF) }
        let run = run(.release, ofDevice: file.major, [(.file, address)], in: context)
        devices.files[address] = nil
        kfreeFile(address, in: context)
        letGo(of: file.major, in: context)
        return DeviceOutcome(
            value: run.value == nil ? nil : 0,
            facts: [Fact("steps", .list(run.steps))]
        )
    }

    /// An open file less.
    private mutating func letGo(of major: Int, in context: CallContext) {
        if let place = devices.device(major: major), devices.devices[place].openFiles > 0 {
            devices.devices[place].openFiles -= 1
        }
        dropIfUnused(major, in: context)
    }

    /// Forgets a character device that nothing shows any more, and lets go of its `struct device`.
    private mutating func dropIfUnused(_ major: Int, in context: CallContext) {
        guard let place = devices.device(major: major) else { return }
        let parent = devices.dropIfUnused(place)
        _ = putDevice(parent, in: context)
    }

    /// The device's file that a descriptor of the calling process stands for.
    func deviceFile(
        _ descriptor: Int,
        in context: CallContext
    ) -> (address: UInt64, file: DeviceFile, place: Int)? {
        let process = process(context.pid) ?? 0
        guard case .device(let address)? = processes[process].openFile(descriptor),
            let file = devices.files[address], let place = devices.device(major: file.major)
        else { return nil }
        return (address, file, place)
    }

    /// `read()` and `write()`: `vfs_read()` and `vfs_write()` check, then the driver's method runs.
    ///
    /// - Parameters:
    ///   - method: `.read` or `.write`.
    ///   - descriptor: of the file.
    ///   - buffer: the program's.
    ///   - count: bytes.
    ///   - entry: the way in: the position is on the kernel stack while the method runs.
    ///   - context: whose CPU and process.
    /// - Returns: the bytes moved, or an error; with the driver's steps and the position.
    mutating func transfer(
        _ method: DeviceMethod,
        _ descriptor: Int,
        buffer: UInt64,
        count: UInt64,
        _ entry: SystemCallEntry,
        in context: CallContext
    ) -> DeviceOutcome {
        let memory = processes[processIndex(context)].file(descriptor)
        let device = deviceFile(descriptor, in: context)
        if let (_, file, place) = device {
            guard method == .read ? file.isReadable : file.isWritable else {
                return .failure(.EBADF)
            }
            guard !devices.devices[place].script[method].isEmpty else { return .failure(.EINVAL) }
        }
        guard device != nil || memory != nil else { return .failure(.EBADF) }
        guard isUserRange(buffer, count) else { return .failure(.EFAULT) }
        guard Int64(bitPattern: layout.is32Bit ? count << 32 : count) >= 0 else {
            return .failure(.EINVAL)
        }
        let count = min(count, 0x7fff_f000)
        guard let (address, file, _) = device else {
            guard let memory else { return .failure(.EBADF) }
            return transferFile(method, memory, buffer: buffer, count: count, in: context)
        }
        let member = address &+ FileLayout(is32Bit: layout.is32Bit).position
        let position = entry.registersAddress == nil ? member : positionAddress(entry)
        let before = loadKernel(member, 8, in: context).bytes
        if before.count == 8 { _ = storeKernel(position, before, in: context) }
        let run = run(
            method,
            ofDevice: file.major,
            [(.file, address), (.buf, buffer), (.count, count), (.ppos, position)],
            in: context
        )
        var facts = [Fact("steps", .list(run.steps))]
        guard let value = run.value.map({ Int64(bitPattern: $0) }) else {
            return DeviceOutcome(value: nil, facts: facts)
        }
        let after = loadKernel(position, 8, in: context).bytes
        if value >= 0, after.count == 8 { _ = storeKernel(member, after, in: context) }
        facts.append(Fact("position", .number(Int64(bitPattern: after.littleEndianValue))))
        return DeviceOutcome(value: value, facts: facts)
    }

    /// `ioctl()`.
    mutating func controlFile(
        _ descriptor: Int,
        command: UInt64,
        argument: UInt64,
        in context: CallContext
    ) -> DeviceOutcome {
        guard let (address, file, place) = deviceFile(descriptor, in: context) else {
            return .failure(.EBADF)
        }
        guard !devices.devices[place].script[.ioctl].isEmpty else { return .failure(.ENOTTY) }
        let run = run(
            .ioctl,
            ofDevice: file.major,
            [(.file, address), (.cmd, command), (.arg, argument)],
            in: context
        )
        // A command that the driver does not know: -ENOIOCTLCMD becomes -ENOTTY.
        // vfs_ioctl() and its caller keep the result in an int.
        let status = run.value.map { Int32(truncatingIfNeeded: $0) }
        let value = status.map { $0 == -515 ? -25 : Int64($0) }
        return DeviceOutcome(value: value, facts: [Fact("steps", .list(run.steps))])
    }

    /// An object of the cache `filp`, filled in: `alloc_empty_file()`.
    private mutating func newFile(flags: UInt64, in context: CallContext) -> UInt64? {
        guard let cache = slab.catalog.cache(named: "filp"),
            let object = allocateCleared(
                from: Int(cache.rawValue),
                flags: GFPFlags.kernel.union(.zero),
                in: context
            )
        else { return nil }
        let address = object.address
        let members = FileLayout(is32Bit: layout.is32Bit)
        let mode: UInt64 = (flags & 3 == 0 ? 1 : flags & 3 == 1 ? 2 : 3) | 0x8_0000
        _ = storeKernel(address + members.count, [1], in: context)
        _ = storeKernel(address + members.flags, flags.littleEndianBytes(count: 4), in: context)
        _ = storeKernel(address + members.mode, mode.littleEndianBytes(count: 4), in: context)
        return address
    }

    private mutating func kfreeFile(_ address: UInt64, in context: CallContext) {
        guard let cache = slab.catalog.cache(named: "filp") else { return }
        freeObject(at: address, to: Int(cache.rawValue), in: context)
    }
}

extension [UInt8] {
    /// The number that at most eight bytes stand for.
    fileprivate var littleEndianValue: UInt64 {
        prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
