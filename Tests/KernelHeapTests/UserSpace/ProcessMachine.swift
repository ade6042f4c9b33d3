import Testing

@testable import KernelHeap

/// A machine whose processes map, store and load; each step says what it expects of the machine.
struct ProcessMachine: ~Copyable {
    static let page: UInt64 = 4_096
    static let privateFlags = MapFlags.private | MapFlags.anonymous
    static let sharedFlags = MapFlags.shared | MapFlags.anonymous

    struct Missing: Error { let what: String }

    var kernel: Kernel

    init(_ profile: String = MachineDescription().profile, memory: UInt64 = 512 << 20) throws {
        var description = MachineDescription()
        description.profile = profile
        description.memoryBytes = memory
        kernel = try Kernel(description)
    }

    init(kernel: consuming Kernel) { self.kernel = kernel }

    /// Free pages, those on per-CPU lists among them.
    var freePages: UInt64 { kernel.pages.ownPages() }

    mutating func create(_ name: String = "sh") throws -> Int {
        let pid = try kernel.createProcess(named: name, parent: 1, cpu: 0).get()
        return try place(pid)
    }

    mutating func fork(_ process: Int) throws -> Int {
        let pid = try kernel.forkProcess(process, cpu: 0).get()
        return try place(pid)
    }

    private func place(_ pid: Int) throws -> Int {
        guard let place = kernel.process(pid) else { throw Missing(what: "process \(pid)") }
        return place
    }

    /// The frame that an address shows.
    func frame(_ process: Int, _ address: UInt64) throws -> UInt64 {
        guard let entry = entry(process, address) else { throw Missing(what: "page \(address)") }
        return entry.frame
    }

    /// A page of the kernel's own, by its address.
    mutating func kernelPage() throws -> UInt64 {
        guard let page = kernel.allocPages(order: 0, flags: .kernel) else {
            throw Missing(what: "kernel page")
        }
        return kernel.layout.virtual(UInt32(page.rawValue))
    }

    mutating func exit(_ process: Int) { kernel.exitProcess(process, code: 0, cpu: 0) }

    mutating func map(
        _ process: Int,
        _ address: UInt64,
        pages: UInt64,
        _ rights: MemoryRights = [.read, .write],
        flags: UInt64 = privateFlags,
        file: Int = -1,
        offset: UInt64 = 0
    ) throws {
        let mapped = kernel.mmap(
            process,
            hint: address,
            length: pages * Self.page,
            rights: rights,
            flags: flags | MapFlags.fixed,
            descriptor: file,
            offset: offset
        )
        #expect(try mapped.get() == address)
    }

    /// Stores a byte in user mode.
    ///
    /// - Returns: why not, or nil.
    mutating func store(_ process: Int, _ address: UInt64, _ byte: UInt8) -> UserFault.Reason? {
        kernel.walkUser(process, address, 1, for: .store, cpu: 0) { kernel, pfn, offset, _ in
            if let pfn { kernel.writeFrame(pfn, offset: offset, [byte]) }
        }.fault?.reason
    }

    /// Loads a byte in user mode; nil where that is refused.
    mutating func load(_ process: Int, _ address: UInt64) -> UInt8? {
        var bytes: [UInt8] = []
        _ = kernel.walkUser(process, address, 1, for: .load, cpu: 0) { kernel, pfn, offset, _ in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: 1, into: &bytes)
            } else {
                bytes.append(0)
            }
        }
        return bytes.first
    }

    /// The frame that an address shows, and the bits of its entry.
    func entry(_ process: Int, _ address: UInt64) -> (frame: UInt64, text: String)? {
        let leaves = kernel.userLeaves(process, address..<address + 1).found
        return leaves.first.map { (kernel.paging.format.storedFrame(of: $0.entry), $0.entry.text) }
    }

    /// Areas as `start-end rights`.
    func areas(_ process: Int) -> [String] {
        kernel.processes[process].space.areas.map { area in
            String(area.start, radix: 16) + "-" + String(area.end, radix: 16) + " "
                + area.rights.text + (area.isShared ? "s" : "p")
        }
    }

    func violations() -> [String] { kernel.checkInvariants(misuse: false) }
}
