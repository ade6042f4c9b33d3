/// Memory that is lent to a device for one transfer.
let dmaMappingCalls: [any KernelCall.Type] = [
    DMAMapSingle.self, DMAUnmapSingle.self, DMASyncSingleForCPU.self,
    DMASyncSingleForDevice.self, DMAMappingErrorCall.self,
]

private let handleParameter = Parameter(
    "dma_addr",
    .address,
    "The device's address.",
    isFixedWidth: true
)
private let sizeParameter = Parameter("size", .size, "Bytes.")
private let directionParameter = Parameter(
    "direction",
    .names(DMADirection.names),
    "Who stores and who loads."
)

/// The call `dma_addr_t dma_map_single(struct device *dev, void *ptr, size_t size, enum dma_data_direction)`.
struct DMAMapSingle: DeviceCall {
    static let signature = CallSignature(
        "dma_map_single",
        returns: "dma_addr_t",
        [
            deviceParameter, Parameter("ptr", .address, "Memory of the direct map."),
            sizeParameter, directionParameter,
        ],
        "Gives a device an address for memory; where it cannot reach it, a bounce buffer's."
    )

    var device: DeviceArgument
    var address: UInt64
    var size: UInt64
    var direction: UInt64

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
        size = arguments.word(2)
        direction = arguments.word(3)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let direction = DMADirection(rawValue: direction) else {
            kernel.log.bug(at: "kernel/dma/mapping.c", in: "dma_map_page_attrs", context)
            return .void
        }
        let outcome = kernel.dmaMap(place, address, size: size, direction, in: context)
        return CallResult(.pointer(outcome.address), detail: .facts(outcome.facts))
    }
}

/// Mapped memory, as a driver names it.
struct MappedUse {
    /// What is done, by the function that first looks at the direction.
    enum Purpose: String {
        case unmapping = "dma_unmap_page_attrs"
        case forCPU = "dma_sync_single_for_cpu"
        case forDevice = "dma_sync_single_for_device"
    }

    var device: DeviceArgument
    var address: UInt64
    var size: UInt64
    var direction: UInt64

    fileprivate static let parameters = [
        deviceParameter, handleParameter, sizeParameter, directionParameter,
    ]

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
        size = arguments.word(2)
        direction = arguments.word(3)
    }
}

/// A call on mapped memory.
private protocol MappedUseCall: DeviceCall {
    var mapped: MappedUse { get }
    init(mapped: MappedUse)
    static var purpose: MappedUse.Purpose { get }
}

extension MappedUseCall {
    var device: DeviceArgument { mapped.device }

    init(_ arguments: borrowing CallArguments) { self.init(mapped: MappedUse(arguments)) }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let direction = DMADirection(rawValue: mapped.direction) else {
            kernel.log.bug(at: "kernel/dma/mapping.c", in: Self.purpose.rawValue, context)
            return .void
        }
        let use = DMAUse(address: mapped.address, size: mapped.size, direction: direction)
        let facts =
            switch Self.purpose {
            case .unmapping: kernel.dmaUnmap(place, use, in: context)
            case .forCPU: kernel.dmaSync(place, use, isForCPU: true, in: context)
            case .forDevice: kernel.dmaSync(place, use, isForCPU: false, in: context)
            }
        return CallResult(.void, detail: .facts(facts))
    }
}

/// The call `void dma_unmap_single(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction)`.
struct DMAUnmapSingle: MappedUseCall {
    static let signature = CallSignature(
        "dma_unmap_single",
        returns: "void",
        MappedUse.parameters,
        "Takes memory back from a device; what it stored comes from the bounce buffer."
    )

    fileprivate static let purpose = MappedUse.Purpose.unmapping

    var mapped: MappedUse
}

/// The call `void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size, …)`.
struct DMASyncSingleForCPU: MappedUseCall {
    static let signature = CallSignature(
        "dma_sync_single_for_cpu",
        returns: "void",
        MappedUse.parameters,
        "Brings what the device stored while the memory stays mapped."
    )

    fileprivate static let purpose = MappedUse.Purpose.forCPU

    var mapped: MappedUse
}

/// The call `void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size, …)`.
struct DMASyncSingleForDevice: MappedUseCall {
    static let signature = CallSignature(
        "dma_sync_single_for_device",
        returns: "void",
        MappedUse.parameters,
        "Shows the device what the processor stored while the memory stays mapped."
    )

    fileprivate static let purpose = MappedUse.Purpose.forDevice

    var mapped: MappedUse
}

/// The call `int dma_mapping_error(struct device *dev, dma_addr_t dma_addr)`.
struct DMAMappingErrorCall: DeviceCall {
    static let signature = CallSignature(
        "dma_mapping_error",
        returns: "int",
        [deviceParameter, handleParameter],
        "Whether memory could not be mapped: -ENOMEM, else 0."
    )

    var device: DeviceArgument
    var address: UInt64

    init(_ arguments: borrowing CallArguments) {
        device = arguments.device(0)
        address = arguments.word(1)
    }

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let device = kernel.driverModel.devices[place].address
        kernel.driverModel.dma.mappings.check(address, of: device)
        let isError = address == kernel.dmaMappingError
        return isError
            ? CallResult(Kernel.DeviceOutcome.failure(.ENOMEM)) : CallResult(.integer(0))
    }
}
