/// A range of user addresses with one set of rights: `struct vm_area_struct`.
public struct VMArea: Hashable, Sendable {
    /// First address; a multiple of the page size.
    public internal(set) var start: UInt64
    /// First address behind it.
    public internal(set) var end: UInt64
    public internal(set) var rights: MemoryRights
    public internal(set) var isShared: Bool

    public var length: UInt64 { end - start }
}

/// What user code may do with memory: the `PROT_*` bits.
public struct MemoryRights: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let read = MemoryRights(rawValue: 1)
    public static let write = MemoryRights(rawValue: 2)
    public static let execute = MemoryRights(rawValue: 4)

    /// The names that `mmap` takes.
    static let names = FlagNames(
        "prot",
        [
            FlagName("PROT_NONE", 0), FlagName("PROT_READ", 1), FlagName("PROT_WRITE", 2),
            FlagName("PROT_EXEC", 4),
        ]
    )

    /// `rw-` as in `/proc/<pid>/maps`.
    var text: String {
        (contains(.read) ? "r" : "-") + (contains(.write) ? "w" : "-")
            + (contains(.execute) ? "x" : "-")
    }
}
