/// A character device: its number, its driver's script, and the variables of that.
struct CharacterDevice: Sendable {
    /// Under `/dev`.
    let name: String
    let major: Int
    let script: DriverScript
    var variables: [UInt64]
    /// False from `chrdev_unregister` on; files that are open keep the driver's methods.
    var isRegistered = true
    var openFiles = 0
    /// The address of the `struct device` that it belongs to and keeps; 0 for none.
    let parent: UInt64

    init(_ name: String, major: Int, _ script: DriverScript, parent: UInt64 = 0) {
        self.parent = parent
        self.name = name
        self.major = major
        self.script = script
        variables = Array(repeating: 0, count: script.variables.count)
    }
}

/// A device's file: a `struct file`, which descriptors of several processes may share.
struct DeviceFile: Hashable, Sendable {
    /// The device's major number.
    var major: Int
    var flags: UInt64
    /// Descriptors that it is open under.
    var descriptorCount = 1
    /// Pages of areas that show it.
    var mappedPages: UInt64 = 0

    var isReadable: Bool { flags & 3 != 1 }
    var isWritable: Bool { flags & 3 != 0 }
}

/// The character devices of a machine, their open files, and the kernel stacks of the callers.
struct DeviceTable: Sendable {
    /// In the order of registration.
    var devices: [CharacterDevice] = []
    /// By the address of the `struct file`, an object of the cache `filp`.
    var files: [UInt64: DeviceFile] = [:]
    /// The area that a driver's `mmap` is filling.
    var mapping: VMArea?
    /// Pages that it may still map there.
    var mappingBudget: UInt64 = 0
    /// Files that nothing shows any more, until the running call ends.
    var unused: [UInt64] = []
    /// The lowest address of each caller's kernel stack.
    var stacks: [Int: UInt64] = [:]
    /// Methods that are under way inside each other.
    var depth = 0

    /// Majors that `register_chrdev(0, …)` gives, in its order: `find_dynamic_major()`.
    private static let majors = Array((234...254).reversed()) + Array((384...511).reversed())

    var heldBytes: Int {
        devices.reduce(files.count * 64 + stacks.count * 32) {
            $0 + 128 + $1.name.utf8.count + $1.variables.count * 8 + $1.script.heldBytes
        }
    }

    /// A number that no device has; nil when all are taken.
    var freeMajor: Int? {
        Self.majors.first { major in !devices.contains { $0.major == major } }
    }

    /// The device that a name under `/dev` stands for.
    func device(named name: String) -> Int? {
        devices.firstIndex { $0.isRegistered && $0.name == name }
    }

    func device(major: Int) -> Int? { devices.firstIndex { $0.major == major } }

    /// Forgets a device that was unregistered, with its last file.
    ///
    /// - Returns: the `struct device` that it kept; 0 for none.
    mutating func dropIfUnused(_ device: Int) -> UInt64 {
        guard !devices[device].isRegistered && devices[device].openFiles == 0 else { return 0 }
        return devices.remove(at: device).parent
    }
}
