/// The `vmalloc` family.
let vmallocCalls: [any KernelCall.Type] =
    [
        Vmalloc.self, Vzalloc.self, VmallocUser.self, Vmalloc32.self, VmallocHuge.self,
        Vfree.self, Kvmalloc.self, Kvzalloc.self, Kvcalloc.self, Kvfree.self,
    ] + vmapCalls

private let sizeParameter = Parameter(
    "size",
    .size,
    "Bytes; whole pages are taken.",
    isWork: true
)
private let flagsParameter = Parameter("flags", .gfp, "How the allocation may behave.")
private let addressParameter = Parameter("addr", .address, "What vmalloc returned.")

extension Kernel {
    /// An address of the family, with its area.
    func areaResult(_ address: UInt64) -> CallResult {
        CallResult(.pointer(address), detail: address == 0 ? .none : .facts(areaFacts(address)))
    }

    /// Runs a free and tells what was there before, and how much waits for a purge.
    mutating func freeResult(
        _ address: UInt64,
        _ body: (inout Kernel) -> Void
    ) -> CallResult {
        startVmalloc()
        let before = areaFacts(address)
        body(&self)
        return CallResult(
            .void,
            detail: .facts(before + [Fact("lazy_pages", .count(vmalloc.lazyPages))])
        )
    }

    /// `kvmalloc_node()`: pages that are neighbours where that is easy, else any.
    mutating func kvmallocResult(
        size: UInt64,
        flags: GFPFlags,
        in context: CallContext
    ) -> CallResult {
        var quiet = flags
        if size > 4096 {
            quiet = quiet.subtracting(.noFail).union(.noWarn)
            if !quiet.contains(.retryMayFail) { quiet.insert(.noRetry) }
        }
        let outcome = allocate(size: size, flags: quiet, in: context)
        if address(of: outcome) != 0 || size <= 4096 {
            return result(of: outcome, requested: size)
        }
        guard flags.contains(.directReclaim) else { return CallResult(.pointer(0)) }
        guard size <= UInt64(Int32.max) else {
            if !flags.contains(.noWarn) {
                log.warnOnce(at: "mm/util.c:596", in: "kvmalloc_node+0xc0/0xd0", context)
            }
            return CallResult(.pointer(0))
        }
        let request = VmallocRequest(size: size, flags: flags, areaFlags: .allowHuge)
        return areaResult(vmalloc(request, in: context))
    }
}

/// The call `void *vmalloc(unsigned long size)`.
struct Vmalloc: KernelCall {
    static let signature = CallSignature(
        "vmalloc",
        returns: "void *",
        [sizeParameter],
        "Allocates virtually contiguous pages, not cleared."
    )

    var size: UInt64

    init(_ arguments: borrowing CallArguments) { size = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.areaResult(kernel.vmalloc(Kernel.VmallocRequest(size: size), in: context))
    }
}

/// The call `void *vzalloc(unsigned long size)`.
struct Vzalloc: KernelCall {
    static let signature = CallSignature(
        "vzalloc",
        returns: "void *",
        [sizeParameter],
        "Allocates virtually contiguous pages, cleared."
    )

    var size: UInt64

    init(_ arguments: borrowing CallArguments) { size = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let request = Kernel.VmallocRequest(size: size, flags: GFPFlags.kernel.union(.zero))
        return kernel.areaResult(kernel.vmalloc(request, in: context))
    }
}

/// The call `void *vmalloc_user(unsigned long size)`.
struct VmallocUser: KernelCall {
    static let signature = CallSignature(
        "vmalloc_user",
        returns: "void *",
        [sizeParameter],
        "Allocates cleared pages that may be mapped into user space."
    )

    var size: UInt64

    init(_ arguments: borrowing CallArguments) { size = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let request = Kernel.VmallocRequest(
            size: size,
            flags: GFPFlags.kernel.union(.zero),
            areaFlags: .userMap
        )
        return kernel.areaResult(kernel.vmalloc(request, in: context))
    }
}

/// The call `void *vmalloc_32(unsigned long size)`.
struct Vmalloc32: KernelCall {
    static let signature = CallSignature(
        "vmalloc_32",
        returns: "void *",
        [sizeParameter],
        "Allocates pages below 4 GiB."
    )

    var size: UInt64

    init(_ arguments: borrowing CallArguments) { size = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let request = Kernel.VmallocRequest(size: size, flags: GFPFlags.kernel.union(.dma32))
        return kernel.areaResult(kernel.vmalloc(request, in: context))
    }
}

/// The call `void *vmalloc_huge(unsigned long size, gfp_t gfp_mask)`.
struct VmallocHuge: KernelCall {
    static let signature = CallSignature(
        "vmalloc_huge",
        returns: "void *",
        [sizeParameter, Parameter("gfp_mask", .gfp, "How the allocation may behave.")],
        "Allocates pages, by 2 MiB where the size reaches that."
    )

    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let request = Kernel.VmallocRequest(size: size, flags: flags, areaFlags: .allowHuge)
        return kernel.areaResult(kernel.vmalloc(request, in: context))
    }
}

/// The call `void vfree(const void *addr)`.
struct Vfree: KernelCall {
    static let signature = CallSignature(
        "vfree",
        returns: "void",
        [addressParameter],
        "Frees an area and its pages; its addresses are collected later.",
        freesArea: true,
        takesNull: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.freeResult(address) { $0.vfree(address, in: context) }
    }
}

/// The call `void *kvmalloc(size_t size, gfp_t flags)`.
struct Kvmalloc: KernelCall {
    static let signature = CallSignature(
        "kvmalloc",
        returns: "void *",
        [sizeParameter, flagsParameter],
        "Allocates by kmalloc where that succeeds easily, else by vmalloc."
    )

    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.kvmallocResult(size: size, flags: flags, in: context)
    }
}

/// The call `void *kvzalloc(size_t size, gfp_t flags)`.
struct Kvzalloc: KernelCall {
    static let signature = CallSignature(
        "kvzalloc",
        returns: "void *",
        [sizeParameter, flagsParameter],
        "Allocates cleared memory by kmalloc, else by vmalloc."
    )

    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        size = arguments.word(0)
        flags = arguments.gfp(1).union(.zero)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.kvmallocResult(size: size, flags: flags, in: context)
    }
}

/// The call `void *kvcalloc(size_t n, size_t size, gfp_t flags)`.
struct Kvcalloc: KernelCall {
    static let signature = CallSignature(
        "kvcalloc",
        returns: "void *",
        [Parameter("n", .size, "Elements."), sizeParameter, flagsParameter],
        "Allocates a cleared array by kmalloc, else by vmalloc; NULL where the product overflows."
    )

    var count: UInt64
    var size: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        count = arguments.word(0)
        size = arguments.word(1)
        flags = arguments.gfp(2).union(.zero)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow else { return CallResult(.pointer(0)) }
        return kernel.kvmallocResult(size: bytes, flags: flags, in: context)
    }
}

/// The call `void kvfree(const void *addr)`.
struct Kvfree: KernelCall {
    static let signature = CallSignature(
        "kvfree",
        returns: "void",
        [Parameter("addr", .address, "What kvmalloc returned; NULL is ignored.")],
        "Frees what kvmalloc allocated, whichever way it came.",
        freesArea: true,
        takesNull: true
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.layout.isVmalloc(address) {
            return kernel.freeResult(address) { $0.vfree(address, in: context) }
        }
        kernel.checkFree(address)
        kernel.kfree(LinearAddress(rawValue: address), in: context)
        return .void
    }
}
