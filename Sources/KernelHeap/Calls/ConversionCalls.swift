/// The conversions between addresses, frames and descriptors.
///
/// Most are plain arithmetic in C and answer for any number; only the validity tests look at the
/// machine.
let conversionCalls: [any KernelCall.Type] = [
    VirtToPhys.self, PhysToVirt.self, VirtToPage.self, PageToVirt.self, PageAddress.self,
    PFNToPage.self, PageToPFN.self, PFNToKaddr.self, PFNToVirt.self, VirtToPFN.self,
    PFNValid.self, VirtAddrValid.self, IsVmallocAddr.self,
]

private let kernelAddressParameter = Parameter("address", .address, "A kernel address.")
private let pageParameter = Parameter("page", .page, "A page descriptor.")
private let pfnParameter = Parameter("pfn", .size, "A page frame number.")

extension Kernel {
    /// `virt_addr_valid()`.
    ///
    /// On 32 bits all that has a descriptor by arithmetic and lies in no other window passes, the
    /// permanent maps included. On 64 bits the image's own mapping does, too.
    func isValidVirtual(_ address: UInt64) -> Bool {
        guard layout.is32Bit else {
            guard address >= layout.imageOffset else {
                return frame(ofDirectMapped: address) != nil
            }
            let offset = address - layout.imageOffset
            return offset < AddressLayout.imageBytes && pages.isValid(offset >> 12)
        }
        guard address >= layout.pageOffset, address < layout.fixmapStart,
            !layout.isVmalloc(address)
        else { return false }
        return hasDescriptor((address - layout.pageOffset) >> 12)
    }
}

/// The call `phys_addr_t virt_to_phys(volatile void *address)`.
struct VirtToPhys: KernelCall {
    static let signature = CallSignature(
        "virt_to_phys",
        returns: "phys_addr_t",
        [kernelAddressParameter],
        "Subtracts the direct map's offset; wrong for addresses that are not in it."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkDirectMapped(address, "virt_to_phys", in: context)
        return CallResult(.pointer(kernel.layout.physical(of: address)))
    }
}

/// The call `void *phys_to_virt(phys_addr_t address)`.
struct PhysToVirt: KernelCall {
    static let signature = CallSignature(
        "phys_to_virt",
        returns: "void *",
        [Parameter("address", .address, "A physical address.", isFixedWidth: true)],
        "Adds the direct map's offset."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let layout = kernel.layout
        kernel.checkHasAddress(address >> 12, value: address, "phys_to_virt")
        return CallResult(.pointer((layout.pageOffset &+ address) & layout.addressMask))
    }
}

/// The call `struct page *virt_to_page(const void *kaddr)`.
struct VirtToPage: KernelCall {
    static let signature = CallSignature(
        "virt_to_page",
        returns: "struct page *",
        [Parameter("kaddr", .address, "A kernel address.")],
        "The descriptor of the page that a direct-map address lies in."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkDirectMapped(address, "virt_to_page", in: context)
        return CallResult(
            .pointer(kernel.layout.descriptor(kernel.layout.physical(of: address) >> 12))
        )
    }
}

/// The call `void *page_to_virt(struct page *page)`.
struct PageToVirt: KernelCall {
    static let signature = CallSignature(
        "page_to_virt",
        returns: "void *",
        [pageParameter],
        "The direct-map address of a page."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let pfn = kernel.layout.frameNumber(ofDescriptor: page)
        if kernel.checkDescriptor(page, "page_to_virt") {
            kernel.checkHasAddress(pfn, value: page, "page_to_virt")
        }
        return CallResult(.pointer(kernel.layout.directAddress(pfn)))
    }
}

/// The call `void *page_address(const struct page *page)`.
struct PageAddress: KernelCall {
    static let signature = CallSignature(
        "page_address",
        returns: "void *",
        [pageParameter],
        "The address at which the kernel sees a page; NULL for high memory that is not mapped."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let pfn = kernel.layout.frameNumber(ofDescriptor: page)
        kernel.checkDescriptor(page, "page_address")
        guard !kernel.layout.isMapped(pfn) else {
            return CallResult(.pointer(kernel.layout.directAddress(pfn)))
        }
        let address = UInt32(exactly: pfn).map { kernel.pageAddress($0) } ?? 0
        return CallResult(.pointer(address))
    }
}

/// The call `struct page *pfn_to_page(unsigned long pfn)`.
struct PFNToPage: KernelCall {
    static let signature = CallSignature(
        "pfn_to_page",
        returns: "struct page *",
        [pfnParameter],
        "The descriptor of a frame; memory need not be there."
    )

    var pfn: UInt64

    init(_ arguments: borrowing CallArguments) { pfn = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkFrame(pfn, "pfn_to_page")
        return CallResult(.pointer(kernel.layout.descriptor(pfn)))
    }
}

/// The call `unsigned long page_to_pfn(const struct page *page)`.
struct PageToPFN: KernelCall {
    static let signature = CallSignature(
        "page_to_pfn",
        returns: "unsigned long",
        [pageParameter],
        "The frame number of a descriptor."
    )

    var page: UInt64

    init(_ arguments: borrowing CallArguments) { page = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkDescriptor(page, "page_to_pfn")
        return CallResult(.unsigned(kernel.layout.frameNumber(ofDescriptor: page)))
    }
}

/// The call `void *pfn_to_kaddr(unsigned long pfn)`.
struct PFNToKaddr: KernelCall {
    static let signature = CallSignature(
        "pfn_to_kaddr",
        returns: "void *",
        [pfnParameter],
        "The direct-map address of a frame."
    )

    var pfn: UInt64

    init(_ arguments: borrowing CallArguments) { pfn = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkHasAddress(pfn, value: pfn, "pfn_to_kaddr")
        return CallResult(.pointer(kernel.layout.directAddress(pfn)))
    }
}

/// The call `void *pfn_to_virt(unsigned long pfn)`.
struct PFNToVirt: KernelCall {
    static let signature = CallSignature(
        "pfn_to_virt",
        returns: "void *",
        [pfnParameter],
        "The direct-map address of a frame."
    )

    var pfn: UInt64

    init(_ arguments: borrowing CallArguments) { pfn = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkHasAddress(pfn, value: pfn, "pfn_to_virt")
        return CallResult(.pointer(kernel.layout.directAddress(pfn)))
    }
}

/// The call `unsigned long virt_to_pfn(const void *kaddr)`.
struct VirtToPFN: KernelCall {
    static let signature = CallSignature(
        "virt_to_pfn",
        returns: "unsigned long",
        [Parameter("kaddr", .address, "A kernel address.")],
        "The frame number of a direct-map address."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkDirectMapped(address, "virt_to_pfn", in: context)
        return CallResult(.unsigned(kernel.layout.physical(of: address) >> 12))
    }
}

/// The call `int pfn_valid(unsigned long pfn)`.
struct PFNValid: KernelCall {
    static let signature = CallSignature(
        "pfn_valid",
        returns: "int",
        [pfnParameter],
        "Whether a frame number names a page of this machine."
    )

    var pfn: UInt64

    init(_ arguments: borrowing CallArguments) { pfn = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.integer(kernel.hasDescriptor(pfn) ? 1 : 0))
    }
}

/// The call `bool virt_addr_valid(const void *kaddr)`.
struct VirtAddrValid: KernelCall {
    static let signature = CallSignature(
        "virt_addr_valid",
        returns: "bool",
        [Parameter("kaddr", .address, "Any address.")],
        "Whether an address lies in the direct map of existing memory."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.boolean(kernel.isValidVirtual(address)))
    }
}

/// The call `bool is_vmalloc_addr(const void *x)`.
struct IsVmallocAddr: KernelCall {
    static let signature = CallSignature(
        "is_vmalloc_addr",
        returns: "bool",
        [Parameter("x", .address, "Any address.")],
        "Whether an address lies in the vmalloc area."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(.boolean(kernel.layout.isVmalloc(address)))
    }
}
