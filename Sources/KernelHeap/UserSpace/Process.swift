/// What a descriptor of a process stands for.
enum OpenFile: Hashable, Sendable {
    /// A file in memory, by its place among the machine's.
    case memory(Int)
    /// A device's, by the address of its `struct file`.
    case device(UInt64)
}

/// A process: `struct task_struct`, as far as memory is concerned.
///
/// Processes stand in places that are used again: an exited one leaves its place with `pid` 0.
struct Process: Sendable {
    /// 0 where the process has exited.
    private(set) var pid: Int
    private(set) var name: String
    /// The process that made it; 0 for the first.
    var parent: Int
    var space = AddressSpace()
    /// `/proc/<pid>/oom_score_adj`: from -1000, never killed, to 1000.
    var oomScoreAdjustment = 0
    /// The memory cgroup it is in, by its number.
    var cgroup = 0
    /// What it takes along from CPU to CPU.
    var task = TaskState()
    /// Open files by descriptor, less `firstDescriptor`.
    private(set) var descriptors: [OpenFile?] = []

    /// The first three descriptors are a terminal that is not there.
    static let firstDescriptor = 3
    /// `RLIMIT_NOFILE`.
    static let maximumDescriptors = 1_024
    /// `TASK_COMM_LEN` without its NUL.
    private static let nameBytes = 15

    init(pid: Int, name: String, parent: Int = 0) {
        self.pid = pid
        self.name = Self.shown(name)
        self.parent = parent
    }

    var isAlive: Bool { pid != 0 }
    var heldBytes: Int {
        space.areas.count * MemoryLayout<VMArea>.stride + descriptors.count * 16
    }

    /// A name as it is kept: cut, and without what would break a line of text.
    private static func shown(_ name: String) -> String {
        var shown = ""
        for scalar in name.unicodeScalars {
            let isControl = scalar.value < 0x20 || scalar.value == 0x7f
            let next = isControl ? "?" : String(scalar)
            guard shown.utf8.count + next.utf8.count <= nameBytes else { break }
            shown += next
        }
        return shown
    }

    /// A copy for a child without memory: `copy_process()`.
    func child(pid: Int) -> Process {
        var child = Process(pid: pid, name: name, parent: self.pid)
        child.descriptors = descriptors
        child.oomScoreAdjustment = oomScoreAdjustment
        child.cgroup = cgroup
        return child
    }

    /// Leaves the place to another one.
    mutating func exit() {
        pid = 0
        descriptors = []
        cgroup = 0
        space = AddressSpace()
    }

    /// The files behind its descriptors, one for each.
    var openFiles: [OpenFile] { descriptors.compactMap { $0 } }
    /// The first descriptor that is open.
    var lowestDescriptor: Int? {
        descriptors.firstIndex { $0 != nil }.map { $0 + Self.firstDescriptor }
    }

    /// The devices' files, each time one is open, with their descriptors, ascending.
    var deviceFiles: some Sequence<(descriptor: Int, address: UInt64)> {
        descriptors.indices.lazy.compactMap { index -> (descriptor: Int, address: UInt64)? in
            guard case .device(let address)? = descriptors[index] else { return nil }
            return (index + Self.firstDescriptor, address)
        }
    }

    /// What a descriptor stands for.
    func openFile(_ descriptor: Int) -> OpenFile? {
        let index = descriptor - Self.firstDescriptor
        return descriptors.indices.contains(index) ? descriptors[index] : nil
    }

    /// The file in memory behind a descriptor, as its place among the machine's.
    func file(_ descriptor: Int) -> Int? {
        guard case .memory(let place)? = openFile(descriptor) else { return nil }
        return place
    }

    var hasFreeDescriptor: Bool {
        descriptors.contains(nil)
            || descriptors.count + Self.firstDescriptor < Self.maximumDescriptors
    }

    /// Opens a file under the lowest free descriptor; nil where there is none.
    mutating func open(_ file: OpenFile) -> Int? {
        if let index = descriptors.firstIndex(of: nil) {
            descriptors[index] = file
            return index + Self.firstDescriptor
        }
        guard descriptors.count + Self.firstDescriptor < Self.maximumDescriptors else { return nil }
        descriptors.append(file)
        return descriptors.count - 1 + Self.firstDescriptor
    }

    /// Closes a descriptor.
    ///
    /// - Returns: the file, or nil where none was open.
    mutating func close(_ descriptor: Int) -> OpenFile? {
        guard let file = openFile(descriptor) else { return nil }
        descriptors[descriptor - Self.firstDescriptor] = nil
        return file
    }
}
