/// A range of the kernel's address space, as a node of a `VmapTree`.
struct VmapNode: ColumnElement {
    /// First address.
    var start: UInt64 = 0
    /// First address behind it, the guard page included.
    var end: UInt64 = 0
    /// Bytes of the largest range in the subtree that begins here.
    var largest: UInt64 = 0
    var left: UInt32 = 0
    var right: UInt32 = 0
    var parent: UInt32 = 0
    private var colour: UInt32 = 0
    /// What the range is for; of busy ranges.
    var use = VmapUse()

    init() {}

    init(_ range: Range<UInt64>, _ use: VmapUse = VmapUse()) {
        start = range.lowerBound
        end = range.upperBound
        self.use = use
    }

    var size: UInt64 { end &- start }
    var pages: UInt64 { size >> 12 }

    var isRed: Bool {
        get { colour != 0 }
        set { colour = newValue ? 1 : 0 }
    }
}

/// What a busy range is for: `struct vm_struct`.
struct VmapUse: BitwiseCopyable {
    /// `VM_*` of `include/linux/vmalloc.h`, 6.1.
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt16

        static let ioremap = Flags(rawValue: 0x1)
        static let alloc = Flags(rawValue: 0x2)
        static let map = Flags(rawValue: 0x4)
        static let userMap = Flags(rawValue: 0x8)
        static let noGuard = Flags(rawValue: 0x40)
        static let putPages = Flags(rawValue: 0x200)
        static let allowHuge = Flags(rawValue: 0x400)
    }

    enum Kind: UInt8 {
        /// Has a `vm_struct`.
        case area
        /// A block that `vm_map_ram()` hands out page by page.
        case block
        /// A large mapping of `vm_map_ram()`.
        case ram
    }

    /// Areas of `ioremap`: the physical address.
    ///
    /// Areas with many pages: where their array of pages is mapped. Blocks: the number of the block.
    var address: UInt64 = 0
    /// The call that made it, or the place of the boot's name for its maker.
    var maker: UInt32 = 0
    /// Pages of the page allocator that back it.
    var pageCount: UInt32 = 0
    /// Where their numbers are in the arena's list of frames.
    var frames: UInt32 = 0
    var flags: Flags = []
    /// Of the pages that map it.
    var pageOrder: UInt8 = 0
    private var kindAndBoot: UInt8 = 0

    init() {}

    init(
        _ flags: Flags = [],
        kind: Kind = .area,
        maker: UInt32 = 0,
        pageCount: UInt32 = 0,
        address: UInt64 = 0,
        isBoot: Bool = false
    ) {
        self.flags = flags
        self.maker = maker
        self.pageCount = pageCount
        self.address = address
        kindAndBoot = kind.rawValue | (isBoot ? 0x80 : 0)
    }

    var kind: Kind { Kind(rawValue: kindAndBoot & 0x3f) ?? .area }
    /// Holds the page pointers of another area.
    var isPageArray: Bool {
        get { kindAndBoot & 0x40 != 0 }
        set { kindAndBoot = newValue ? kindAndBoot | 0x40 : kindAndBoot & ~0x40 }
    }
    /// Made by the boot: nobody knows its pages.
    var isBoot: Bool { kindAndBoot & 0x80 != 0 }
}
