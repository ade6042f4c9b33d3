/// Mappings of given pages and of devices, and what stands behind a vmalloc address.
let vmapCalls: [any KernelCall.Type] = [
    Vmap.self, Vunmap.self, VmMapRAM.self, VmUnmapRAM.self, VmUnmapAliases.self, IORemap.self,
    IOUnmap.self, VmallocToPage.self, VmallocToPFN.self,
]

private let pagesParameter = Parameter("pages", .addresses, "Page descriptors, in order.")

/// The most bytes of a device that one call maps.
private let ioremapLimit: UInt64 = 1 << 30
/// The most pages that one call maps.
private let pageLimit: UInt64 = 65_536

extension Kernel {
    /// The frames of a list of descriptors; nil for what is none, and beyond the list's end.
    fileprivate func frames(_ descriptors: [UInt64], count: UInt64) -> [UInt32?] {
        (0..<Int(min(count, pageLimit))).map { index in
            index < descriptors.count ? frame(ofDescriptor: descriptors[index]) : nil
        }
    }
}

/// The call `void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)`.
struct Vmap: KernelCall {
    static let signature = CallSignature(
        "vmap",
        returns: "void *",
        [
            pagesParameter,
            Parameter(
                "count",
                .uint,
                "Pages; left out, the whole list.",
                optional: true,
                maximum: pageLimit
            ),
            Parameter("flags", .names(flagNames), "Left out, VM_MAP.", optional: true),
            Parameter("prot", .names(rights), "Left out, PAGE_KERNEL.", optional: true),
        ],
        "Maps pages one after another at new addresses."
    )
    private static let flagNames = FlagNames(
        "flags",
        [
            FlagName("VM_MAP", UInt64(VmapUse.Flags.map.rawValue)),
            FlagName("VM_USERMAP", UInt64(VmapUse.Flags.userMap.rawValue)),
            FlagName("VM_MAP_PUT_PAGES", UInt64(VmapUse.Flags.putPages.rawValue)),
        ]
    )
    private static let rights = FlagNames(
        "prot",
        [FlagName("PAGE_KERNEL", 1), FlagName("PAGE_KERNEL_RO", 2)]
    )

    var pages: [UInt64]
    var count: UInt64
    var flags: VmapUse.Flags
    var isWritable: Bool

    init(_ arguments: borrowing CallArguments) {
        pages = arguments.addresses(0)
        count = arguments.has(1) ? UInt64(arguments.uint(1)) : UInt64(pages.count)
        let known: VmapUse.Flags = [.map, .userMap, .putPages]
        flags =
            arguments.has(2)
            ? VmapUse.Flags(rawValue: UInt16(truncatingIfNeeded: arguments.word(2)))
                .intersection(known) : .map
        isWritable = arguments.word(3) != 2
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frames = kernel.frames(pages, count: count)
        return kernel.areaResult(
            kernel.vmap(frames, flags, isWritable: isWritable, in: context)
        )
    }
}

/// The call `void vunmap(const void *addr)`.
struct Vunmap: KernelCall {
    static let signature = CallSignature(
        "vunmap",
        returns: "void",
        [Parameter("addr", .address, "What vmap returned; NULL is ignored.")],
        "Takes a mapping away; its pages stay their owner's.",
        freesArea: true,
        takesNull: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freeResult(address) { $0.vunmap(address, in: context) }
    }
}

/// The call `void *vm_map_ram(struct page **pages, unsigned int count, int node)`.
struct VmMapRAM: KernelCall {
    static let signature = CallSignature(
        "vm_map_ram",
        returns: "void *",
        [
            pagesParameter,
            Parameter(
                "count",
                .uint,
                "Pages; left out, the whole list.",
                optional: true,
                maximum: pageLimit
            ),
            Parameter("node", .int, "A node, or -1; it chooses nothing.", optional: true),
        ],
        "Maps pages for a short time; up to 64 of them from a block that the CPU keeps."
    )

    var pages: [UInt64]
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        pages = arguments.addresses(0)
        count = arguments.has(1) ? UInt64(arguments.uint(1)) : UInt64(pages.count)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frames = kernel.frames(pages, count: count).compactMap(\.self)
        guard frames.count == Int(min(count, pageLimit)) else { return CallResult(.pointer(0)) }
        return kernel.areaResult(kernel.vmMapRAM(frames, in: context))
    }
}

/// The call `void vm_unmap_ram(const void *mem, unsigned int count)`.
struct VmUnmapRAM: KernelCall {
    static let signature = CallSignature(
        "vm_unmap_ram",
        returns: "void",
        [
            Parameter("mem", .address, "What vm_map_ram returned."),
            Parameter("count", .uint, "Pages, as they were mapped."),
        ],
        "Takes a short mapping away."
    )

    var address: UInt64
    var count: UInt32

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        count = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freeResult(address) {
            $0.vmUnmapRAM(address, count: UInt64(count), in: context)
        }
    }
}

/// The call `void vm_unmap_aliases(void)`.
struct VmUnmapAliases: KernelCall {
    static let signature = CallSignature(
        "vm_unmap_aliases",
        returns: "void",
        [],
        "Purges: freed addresses can be had again, and no TLB has them any more."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.vmUnmapAliases()
        return CallResult(
            .void,
            detail: .facts([Fact("lazy_pages", .count(kernel.vmalloc.lazyPages))])
        )
    }
}

/// The call `void __iomem *ioremap(resource_size_t phys_addr, unsigned long size)`.
struct IORemap: KernelCall {
    static let signature = CallSignature(
        "ioremap",
        returns: "void *",
        [
            Parameter(
                "phys_addr",
                .address,
                "The first byte of the device's registers.",
                isFixedWidth: true
            ),
            Parameter("size", .size, "Bytes.", maximum: ioremapLimit, isWork: true),
        ],
        "Maps a device's registers, uncached; memory is refused."
    )

    var address: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        size = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard size <= ioremapLimit else { return CallResult(.pointer(0)) }
        return kernel.areaResult(kernel.ioremap(address, size: size, in: context))
    }
}

/// The call `void iounmap(volatile void __iomem *addr)`.
struct IOUnmap: KernelCall {
    static let signature = CallSignature(
        "iounmap",
        returns: "void",
        [Parameter("addr", .address, "What ioremap returned.")],
        "Takes the mapping of a device away.",
        freesArea: true,
        takesNull: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freeResult(address) { $0.iounmap(address, in: context) }
    }
}

/// The call `struct page *vmalloc_to_page(const void *vmalloc_addr)`.
struct VmallocToPage: KernelCall {
    static let signature = CallSignature(
        "vmalloc_to_page",
        returns: "struct page *",
        [Parameter("vmalloc_addr", .address, "An address in a vmalloc area.")],
        "Walks the kernel's page tables to the page behind an address; NULL where none is."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frame = kernel.frame(behind: address)
        return CallResult(.pointer(frame.map { kernel.layout.descriptor($0) } ?? 0))
    }
}

/// The call `unsigned long vmalloc_to_pfn(const void *vmalloc_addr)`.
struct VmallocToPFN: KernelCall {
    static let signature = CallSignature(
        "vmalloc_to_pfn",
        returns: "unsigned long",
        VmallocToPage.signature.parameters,
        "The frame number behind an address; where no page is, what page_to_pfn makes of NULL."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let none = kernel.layout.frameNumber(ofDescriptor: 0)
        return CallResult(.unsigned(kernel.frame(behind: address) ?? none))
    }
}
