/// The vmalloc area: who has which addresses, and what is left.
public struct VmallocView: Sendable {
    /// Addresses without an owner.
    public struct Range: Hashable, Sendable {
        public var start: LinearAddress
        public var size: UInt64
    }

    /// `VMALLOC_START`.
    public var start: LinearAddress
    /// `VMALLOC_END`.
    public var end: LinearAddress
    /// In order of address, modules and the like included.
    public var areas: [VmallocAreaView] = []
    /// Addresses that can be had, among the areas shown.
    public var holes: [Range] = []
    /// Freed addresses that can be had after a purge, among the areas shown.
    public var lazy: [Range] = []
    /// Where the areas go on; nil where they are all shown.
    public var next: LinearAddress?
    public var areaCount = 0
    public var lazyCount = 0
    /// `vmap_lazy_nr`.
    public var lazyPages: UInt64 = 0
    /// More than these call the worker.
    public var lazyMaximum: UInt64 = 0
    /// Pages behind areas.
    public var usedPages: UInt64 = 0
    /// Bytes of the largest hole in the vmalloc area.
    public var largestHole: UInt64 = 0
    public var isPurgePending = false
    /// Digits of a physical address in text.
    public var physicalDigits = 16
    /// Areas that interrupts freed, and that the worker still has to.
    public var deferredFrees: [LinearAddress] = []

    /// Bytes between start and end.
    public var totalBytes: UInt64 { end.rawValue &- start.rawValue }
}

/// One area: a line of `/proc/vmallocinfo`.
public struct VmallocAreaView: Hashable, Sendable {
    public enum Use: String, Hashable, Sendable {
        case area
        case vmMapRAM = "vm_map_ram"
    }

    public var start: LinearAddress
    /// With the guard page.
    public var size: UInt64
    public var guardBytes: UInt64
    public var use = Use.area
    /// `VM_*`, as `include/linux/vmalloc.h` numbers them.
    public var flags: UInt16 = 0
    public var pageCount: UInt64 = 0
    /// Of the pages that map it: 9 for 2 MiB.
    public var pageOrder = 0
    /// Of devices.
    public var physical: PhysicalAddress?
    /// The array of its pages is itself in a vmalloc area.
    public var hasMappedPageArray = false
    /// Who made it: a function of the boot, or `call_` and the call's number.
    public var maker = ""
    /// The call that made it; nil for the boot.
    public var call: UInt64?
    /// Pages by node; empty where the area is shown alone.
    public var nodePages: [UInt64] = []

    init(start: LinearAddress, size: UInt64, guardBytes: UInt64) {
        self.start = start
        self.size = size
        self.guardBytes = guardBytes
    }

    /// What the flags say: `ioremap`, `vmalloc`, `vmap`, `user`.
    public var words: [String] {
        let names: [(VmapUse.Flags, String)] = [
            (.ioremap, "ioremap"), (.alloc, "vmalloc"), (.map, "vmap"), (.userMap, "user"),
        ]
        let flags = VmapUse.Flags(rawValue: flags)
        return names.filter { flags.contains($0.0) }.map(\.1)
    }
}
