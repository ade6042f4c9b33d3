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

    init(_ name: String, major: Int, _ script: DriverScript) {
        self.name = name
        self.major = major
        self.script = script
        variables = Array(repeating: 0, count: script.variables.count)
    }
}

/// An entry of a process's table of open files.
struct OpenFile: Hashable, Sendable {
    /// The device's major number.
    var major: Int
    /// The `struct file`, an object of the cache `filp`.
    var address: UInt64
    var flags: UInt64

    var isReadable: Bool { flags & 3 != 1 }
    var isWritable: Bool { flags & 3 != 0 }
}

/// The character devices of a machine, who has them open, and the kernel stacks of the callers.
struct DeviceTable: Sendable {
    /// Places of a process's table of files: `RLIMIT_NOFILE`.
    static let maximumFiles = 1_024
    /// Standard input, output and error are taken, by files that nobody models.
    static let firstFree = 3

    struct FileKey: Hashable, Sendable {
        var pid: Int
        var descriptor: Int
    }

    /// In the order of registration.
    var devices: [CharacterDevice] = []
    private(set) var files: [FileKey: OpenFile] = [:]
    /// The lowest address of each caller's kernel stack.
    var stacks: [Int: UInt64] = [:]

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

    func file(_ pid: Int, _ descriptor: Int) -> OpenFile? {
        files[FileKey(pid: pid, descriptor: descriptor)]
    }

    /// The lowest free place of a process's table; nil when it is full.
    func freeDescriptor(of pid: Int) -> Int? {
        (Self.firstFree..<Self.maximumFiles).first { file(pid, $0) == nil }
    }

    mutating func install(_ file: OpenFile, pid: Int, descriptor: Int) {
        files[FileKey(pid: pid, descriptor: descriptor)] = file
        if let device = device(major: file.major) { devices[device].openFiles += 1 }
    }

    /// Takes a file out of a process's table; a device that is gone goes with its last file.
    mutating func remove(pid: Int, descriptor: Int) {
        let key = FileKey(pid: pid, descriptor: descriptor)
        guard let file = files.removeValue(forKey: key), let device = device(major: file.major)
        else { return }
        devices[device].openFiles -= 1
        dropIfUnused(device)
    }

    mutating func dropIfUnused(_ device: Int) {
        if !devices[device].isRegistered && devices[device].openFiles == 0 {
            devices.remove(at: device)
        }
    }

    /// The descriptors of a process, ascending.
    func descriptors(of pid: Int) -> [Int] {
        files.keys.filter { $0.pid == pid }.map(\.descriptor).sorted()
    }
}
