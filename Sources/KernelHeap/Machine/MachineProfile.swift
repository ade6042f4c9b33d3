/// The constants of one kernel version on one architecture.
///
/// Values of `linux-6.1-x86_64` are those of the recording `constants/gfp_constants.json`.
public struct MachineProfile: Sendable {
    public let name: String
    let platform: Platform
    public let kernelRelease: String
    /// The build as reports name it.
    public let kernelBuild: String
    public let gfp: GFPTable
    /// How the processor reads page tables.
    public let pagingFormat: PagingFormat
    /// A named number of the layout, in the order in which the profile lists them.
    public let constants: [Constant]

    /// What the engine does differently.
    enum Platform: Sendable { case x8664, i386, classicI386 }

    /// One constant of the kernel's headers.
    public struct Constant: Hashable, Sendable {
        public let name: String
        public let value: UInt64
    }

    /// `_stext` to `_etext`: where the kernel's code lies.
    public let kernelText: Range<UInt64>

    /// All profiles by name.
    public static let all: [MachineProfile] = [.linux61X8664, .linux61I386, .linux26I386]

    public static func named(_ name: String) -> MachineProfile? {
        all.first { $0.name == name }
    }
}
