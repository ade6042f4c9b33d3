/// Memory that devices load from and store to by themselves: masks, and coherent memory.
let dmaCalls: [any KernelCall.Type] = [
    DMASetMask.self, DMASetCoherentMask.self, DMASetMaskAndCoherent.self,
    DMAAllocCoherent.self, DMAFreeCoherent.self, DmamAllocCoherent.self,
    DmamFreeCoherent.self,
]

private let maskParameter = Parameter(
    "mask",
    .address,
    "The address bits that the device drives: DMA_BIT_MASK(24) is 0xffffff.",
    isFixedWidth: true
)
private let sizeParameter = Parameter("size", .size, "Bytes.")
private let flagsParameter = Parameter("gfp", .gfp, "How the allocation may behave.")

/// A call that gives a device a mask.
private protocol MaskCall: DeviceCall {
    var mask: UInt64 { get }
    init(device: DeviceArgument, mask: UInt64)
    /// Sets what the call is for.
    static func set(_ mask: UInt64, of device: inout Device)
}

extension MaskCall {
    init(_ arguments: borrowing CallArguments) {
        self.init(device: arguments.device(0), mask: arguments.word(1))
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let mask = mask & kernel.dmaMappingError
        guard kernel.supportsDMA(mask: mask) else {
            return CallResult(Kernel.DeviceOutcome.failure(.EIO))
        }
        Self.set(mask, of: &kernel.driverModel.devices[place])
        return CallResult(.integer(0))
    }
}

/// The call `int dma_set_mask(struct device *dev, u64 mask)`.
struct DMASetMask: MaskCall {
    static let signature = CallSignature(
        "dma_set_mask",
        returns: "int",
        [deviceParameter, maskParameter],
        "Says which addresses a device reaches when memory is mapped for it."
    )

    var device: DeviceArgument
    var mask: UInt64

    fileprivate static func set(_ mask: UInt64, of device: inout Device) { device.mask = mask }
}

/// The call `int dma_set_coherent_mask(struct device *dev, u64 mask)`.
struct DMASetCoherentMask: MaskCall {
    static let signature = CallSignature(
        "dma_set_coherent_mask",
        returns: "int",
        [deviceParameter, maskParameter],
        "Says which addresses a device reaches of memory that dma_alloc_coherent gives."
    )

    var device: DeviceArgument
    var mask: UInt64

    fileprivate static func set(_ mask: UInt64, of device: inout Device) {
        device.coherentMask = mask
    }
}

/// The call `int dma_set_mask_and_coherent(struct device *dev, u64 mask)`.
struct DMASetMaskAndCoherent: MaskCall {
    static let signature = CallSignature(
        "dma_set_mask_and_coherent",
        returns: "int",
        [deviceParameter, maskParameter],
        "Sets both masks of a device."
    )

    var device: DeviceArgument
    var mask: UInt64

    fileprivate static func set(_ mask: UInt64, of device: inout Device) {
        device.mask = mask
        device.coherentMask = mask
    }
}

extension Kernel {
    /// Coherent memory as a result: the processor's address, with the device's in the detail.
    fileprivate func coherentResult(_ frame: UInt32?) -> CallResult {
        guard let frame else { return CallResult(.pointer(0)) }
        let place = detail(of: frame)
        return CallResult(
            .pointer(layout.virtual(frame)),
            detail: .facts([
                Fact("dma_handle", .address(UInt64(frame) << 12)),
                Fact("pfn", .number(Int64(frame))), Fact("order", .number(Int64(place.order))),
                Fact("zone", .text(place.zone.name)),
            ])
        )
    }
}

/// The call `void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)`.
struct DMAAllocCoherent: DeviceCall {
    static let signature = CallSignature(
        "dma_alloc_coherent",
        returns: "void *",
        [
            deviceParameter, sizeParameter,
            Parameter(
                "dma_handle",
                .address,
                "Where the device's address goes; left out, it is in the detail alone.",
                optional: true
            ), flagsParameter,
        ],
        "Allocates cleared pages that a device and the processor both use."
    )

    var device: DeviceArgument
    var size: UInt64
    var handle: UInt64
    var flags: GFPFlags

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        size = arguments.word(1)
        handle = arguments.word(2)
        flags = arguments.gfp(3)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frame = kernel.dmaAllocCoherent(
            place,
            size: size,
            flags: flags,
            from: "dma_alloc_coherent",
            in: context
        )
        kernel.storeHandle(frame, at: handle, in: context)
        return kernel.coherentResult(frame)
    }
}

extension Kernel {
    /// Puts the device's address where the caller wants it.
    fileprivate mutating func storeHandle(
        _ frame: UInt32?,
        at address: UInt64,
        in context: CallContext
    ) {
        guard let frame, address != 0 else { return }
        let count = layout.is32Bit && !machine.pae ? 4 : 8
        let bytes = (UInt64(frame) << 12).littleEndianBytes(count: count)
        let (done, fault) = storeKernel(address, bytes, in: context)
        if let fault { logAccessFault(at: address &+ done, code: fault.code) }
    }
}

/// A call that takes coherent memory back.
private protocol CoherentFreeCall: DeviceCall {
    var size: UInt64 { get }
    var virtual: UInt64 { get }
    var handle: UInt64 { get }
    init(device: DeviceArgument, size: UInt64, virtual: UInt64, handle: UInt64)
}

extension CoherentFreeCall {
    init(_ arguments: borrowing CallArguments) {
        self.init(
            device: arguments.device(0),
            size: arguments.word(1),
            virtual: arguments.word(2),
            handle: arguments.word(3)
        )
    }
}

private let coherentFreeParameters = [
    deviceParameter, sizeParameter,
    Parameter("cpu_addr", .address, "The processor's address."),
    Parameter("dma_handle", .address, "The device's address.", isFixedWidth: true),
]

/// The call `void dma_free_coherent(struct device *dev, size_t size, void *cpu_addr, dma_addr_t handle)`.
struct DMAFreeCoherent: CoherentFreeCall {
    static let signature = CallSignature(
        "dma_free_coherent",
        returns: "void",
        coherentFreeParameters,
        "Frees what dma_alloc_coherent gave: the pages behind the device's address.",
        takesNull: true
    )

    var device: DeviceArgument
    var size: UInt64
    var virtual: UInt64
    var handle: UInt64

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.dmaFreeCoherent(
            place,
            size: size,
            virtual: virtual,
            address: handle,
            in: context
        )
        return .void
    }
}

/// The call `void *dmam_alloc_coherent(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp)`.
struct DmamAllocCoherent: DeviceCall {
    static let signature = CallSignature(
        "dmam_alloc_coherent",
        returns: "void *",
        DMAAllocCoherent.signature.parameters,
        "Allocates coherent memory that is freed with the device's driver."
    )

    private var request: DMAAllocCoherent
    var device: DeviceArgument { request.device }

    init(_ arguments: borrowing CallArguments) { request = DMAAllocCoherent(arguments) }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let frame = kernel.dmamAllocCoherent(
            place,
            size: request.size,
            flags: request.flags,
            in: context
        )
        kernel.storeHandle(frame, at: request.handle, in: context)
        return kernel.coherentResult(frame)
    }
}

/// The call `void dmam_free_coherent(struct device *dev, size_t size, void *vaddr, dma_addr_t handle)`.
struct DmamFreeCoherent: CoherentFreeCall {
    static let signature = CallSignature(
        "dmam_free_coherent",
        returns: "void",
        coherentFreeParameters,
        "Frees managed coherent memory before its time."
    )

    var device: DeviceArgument
    var size: UInt64
    var virtual: UInt64
    var handle: UInt64

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.dmamFreeCoherent(
            place,
            size: size,
            virtual: virtual,
            address: handle,
            in: context
        )
        return .void
    }
}
