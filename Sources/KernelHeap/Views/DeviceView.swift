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
    /// The character devices, in the order of their registration.
    public var deviceViews: [DeviceView] {
        var files: [(major: Int, view: DeviceView.File)] = []
        for process in processes.sorted(by: { $0.pid < $1.pid }) {
            for descriptor in process.openDescriptors {
                guard case .device(let address)? = process.openFile(descriptor),
                    let file = devices.files[address]
                else { continue }
                let view = DeviceView.File(
                    pid: process.pid,
                    descriptor: descriptor,
                    address: LinearAddress(rawValue: address)
                )
                files.append((file.major, view))
            }
        }
        return devices.devices.map { device in
            let own = MethodParameter.allCases.count
            return DeviceView(
                name: device.name,
                major: device.major,
                isRegistered: device.isRegistered,
                methods: DeviceMethod.allCases.filter { !device.script[$0].isEmpty },
                variables: zip(device.script.variables, device.variables).dropFirst(own).map {
                    DeviceView.Variable(name: $0, value: $1)
                },
                files: files.filter { $0.major == device.major }.map(\.view)
            )
        }
    }
}
