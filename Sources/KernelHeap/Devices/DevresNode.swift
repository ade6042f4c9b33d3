/// A resource that is freed with its device: a `struct devres`, or an end of a group.
///
/// The kernel keeps a node in front of each resource's data: list pointers, the release function,
/// a name and a size. Its room is there in memory; what it holds is kept here.
struct DevresNode: Sendable {
    enum Kind: Sendable {
        /// `devm_kmalloc()`: the data is the driver's.
        case memory
        /// `devm_get_free_pages()`.
        case pages(address: UInt64, order: Int)
        /// `devm_add_action()`.
        indirect case action(DevresAction)
        /// `dmam_alloc_coherent()`: the processor's address, the device's, and the bytes.
        case coherent(virtual: UInt64, handle: UInt64, bytes: UInt64)
        /// `devres_open_group()`, by the group's id.
        case groupOpen(id: UInt64, serial: UInt64, isClosed: Bool)
        /// The end of the group with a serial number.
        case groupClose(serial: UInt64)
    }

    var kind: Kind
    /// The `struct devres`, or the `struct devres_group` that both ends of a group have.
    let address: UInt64
    /// Bytes of the data.
    let size: UInt64
    /// The call that asked for it, and its function.
    let call: UInt64
    let function: String

    /// The name of the kind, for JSON.
    var kindName: String {
        switch kind {
        case .memory: "memory"
        case .pages: "pages"
        case .action: "action"
        case .coherent: "coherent_dma"
        case .groupOpen: "group_open"
        case .groupClose: "group_close"
        }
    }
}

/// A callback that waits for the end of its device.
struct DevresAction: Sendable {
    /// The C function's name; together with `data` it finds the callback again.
    let name: String
    let data: UInt64
    let script: DriverScript
}

/// Sizes in the driver core, by machine.
struct DeviceLayout {
    /// From the `struct devres` to its data: the node, as far as `ARCH_KMALLOC_MINALIGN` wants.
    ///
    /// That is 8, as recorded. 2.6 has no name and no size in the node.
    let header: UInt64
    /// A `struct devres_group`: two nodes, an id and a color.
    let groupBytes: UInt64
    /// A `struct device`: modelled.
    let deviceBytes: UInt64
    /// Where a device has its lists; modelled.
    let listOffset: UInt64

    init(is32Bit: Bool, isClassic: Bool) {
        header = isClassic ? 12 : is32Bit ? 24 : 40
        groupBytes = isClassic ? 32 : is32Bit ? 48 : 96
        deviceBytes = is32Bit ? 400 : 744
        listOffset = is32Bit ? 0x150 : 0x278
    }
}

extension Kernel {
    var deviceLayout: DeviceLayout {
        DeviceLayout(is32Bit: layout.is32Bit, isClassic: profile.platform == .classicI386)
    }
}
