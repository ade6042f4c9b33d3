/// A character device with the files that processes have open on it.
public struct DeviceView: Hashable, Sendable {
    /// An open file of a process.
    public struct File: Hashable, Sendable {
        public var pid: Int
        /// The place in the process's table.
        public var descriptor: Int
        /// The `struct file`.
        public var address: LinearAddress
    }

    /// A variable of the driver and what it holds.
    public struct Variable: Hashable, Sendable {
        public var name: String
        public var value: UInt64
    }

    /// The node's name under `/dev`.
    public var name: String
    public var major: Int
    /// False once it was unregistered; then only its files keep it.
    public var isRegistered: Bool
    /// The methods that the driver has.
    public var methods: [DeviceMethod]
    public var variables: [Variable]
    /// By process, then by descriptor.
    public var files: [File]
}

extension Kernel {
    /// The character devices, in the order of their registration, with a part of their open files.
    ///
    /// - Parameters:
    ///   - cursor: where the files go on, from `next`; 0 for their beginning.
    ///   - limit: most files to give, those of all devices together.
    /// - Returns: the devices; and where the files go on, nil at their end.
    public func deviceViews(
        filesFrom cursor: UInt64 = 0,
        limit: Int
    ) -> (devices: [DeviceView], next: UInt64?) {
        let (files, next) = deviceFiles(from: cursor, limit: limit)
        let grouped = Dictionary(grouping: files, by: \.major)
        let own = MethodParameter.allCases.count
        let views = devices.devices.map { device in
            DeviceView(
                name: device.name,
                major: device.major,
                isRegistered: device.isRegistered,
                methods: DeviceMethod.ofDriver.filter { !device.script[$0].isEmpty },
                variables: zip(device.script.variables, device.variables).dropFirst(own).map {
                    DeviceView.Variable(name: $0, value: $1)
                },
                files: (grouped[device.major] ?? []).map(\.view)
            )
        }
        return (views, next)
    }

    /// Descriptors of devices by process, then by number; a cursor holds both.
    private func deviceFiles(
        from cursor: UInt64,
        limit: Int
    ) -> (files: [(major: Int, view: DeviceView.File)], next: UInt64?) {
        var files: [(major: Int, view: DeviceView.File)] = []
        let first = (pid: Int(clamping: cursor >> 16), descriptor: Int(cursor & 0xffff))
        for process in processes.sorted(by: { $0.pid < $1.pid }) where process.pid >= first.pid {
            let start = process.pid == first.pid ? first.descriptor : 0
            for (descriptor, address) in process.deviceFiles where descriptor >= start {
                guard let file = devices.files[address] else { continue }
                guard files.count < limit else {
                    return (files, UInt64(process.pid) << 16 | UInt64(descriptor))
                }
                let view = DeviceView.File(
                    pid: process.pid,
                    descriptor: descriptor,
                    address: LinearAddress(rawValue: address)
                )
                files.append((file.major, view))
            }
        }
        return (files, nil)
    }
}
