/// A load, store or instruction fetch, and with which rights it is made.
///
/// The raw value is the access's bit in `PageRights`.
enum PageAccess: UInt8 {
    case kernelLoad, kernelStore, kernelFetch
    case userLoad, userStore, userFetch
    /// By the kernel between `stac` and `clac`: user pages are open in spite of SMAP.
    case copyLoad, copyStore

    var isStore: Bool { self == .kernelStore || self == .userStore || self == .copyStore }
    var isFetch: Bool { self == .kernelFetch || self == .userFetch }
    /// At CPL 3.
    var isUser: Bool { self == .userLoad || self == .userStore || self == .userFetch }
}

/// What the processor checks beside the tables: bits of CR0 and CR4.
struct AccessControls: Sendable {
    /// CR0.WP: the kernel, too, may not write where RW is clear.
    var writeProtect = true
    /// CR4.SMAP: the kernel may not touch user pages, but between `stac` and `clac`.
    var smap = true
    /// CR4.SMEP: the kernel may not run user pages.
    var smep = true
    /// ERMS: string instructions move single bytes fast, so that the kernel uses them.
    var erms = true
    /// 32-bit kernels on Intel's processors copy in blocks what is not aligned alike: `movsl_mask`.
    var hasBlockCopies = true

    init() {}

    /// As the command line says: 6.1 has `clearcpuid=smap,smep`, older kernels `nosmap`, `nosmep`.
    init(_ options: BootOptions) {
        let cleared = options.value("clearcpuid")?.split(separator: ",") ?? []
        smap = !options.contains("nosmap") && !cleared.contains("smap")
        smep = !options.contains("nosmep") && !cleared.contains("smep")
        erms = !cleared.contains("erms")
    }
}

/// Which accesses a translation allows: one bit for each `PageAccess`.
struct PageRights: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    @inline(__always)
    init(rawValue: UInt8) { self.rawValue = rawValue }

    @inline(__always)
    init(_ access: PageAccess) { rawValue = 1 << access.rawValue }

    static let stores: PageRights = [.init(.kernelStore), .init(.userStore), .init(.copyStore)]

    /// What the bits of all levels together allow.
    ///
    /// - Parameters:
    ///   - isWritable: RW is set in every entry.
    ///   - isUser: US is set in every entry.
    ///   - isExecutable: NX is clear in every entry.
    ///   - controls: of the processor.
    init(isWritable: Bool, isUser: Bool, isExecutable: Bool, _ controls: AccessControls) {
        var rights: PageRights = [.init(.copyLoad)]
        let mayWrite = isWritable || !controls.writeProtect
        if mayWrite { rights.insert(.init(.copyStore)) }
        if !(isUser && controls.smap) {
            rights.insert(.init(.kernelLoad))
            if mayWrite { rights.insert(.init(.kernelStore)) }
        }
        if isExecutable && !(isUser && controls.smep) { rights.insert(.init(.kernelFetch)) }
        if isUser {
            rights.insert(.init(.userLoad))
            if isWritable { rights.insert(.init(.userStore)) }
            if isExecutable { rights.insert(.init(.userFetch)) }
        }
        self = rights
    }
}

/// A #PF, or the #GP of an address that is none.
struct PageFault: Error, Hashable {
    /// CR2, but for a #GP.
    var address: UInt64
    /// P, W, U, RSVD, I from bit 0 on: as the processor pushes it.
    var code: UInt32
    /// No address of the processor's: a #GP, and no walk.
    var isGeneralProtection = false

    /// A page was found, and refused.
    var isProtection: Bool { code & 1 != 0 }

    init(address: UInt64, isGeneralProtection: Bool) {
        self.address = address
        self.isGeneralProtection = isGeneralProtection
        code = 0
    }

    init(address: UInt64, _ access: PageAccess, _ walk: PageWalk, tellsFetches: Bool) {
        self.address = address
        var code: UInt32 = walk.end == .absent ? 0 : 1
        if access.isStore { code |= 2 }
        if access.isUser { code |= 4 }
        if walk.end == .reservedBits { code |= 8 }
        if access.isFetch && tellsFetches { code |= 16 }
        self.code = code
    }
}
