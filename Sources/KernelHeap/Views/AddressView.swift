/// What an address is: the region it lies in, what it maps, and whose memory that is.
///
///     address ─→ region ─→ page tables ─→ frame ─→ block, slab, table ─→ object ─→ owner
///                   └─→ vmalloc area, area of the process, descriptor, slot, section
///
/// Any number is answered; parts that do not apply are nil.
public struct AddressView: Sendable {
    /// What the page tables say of the address.
    public struct Mapping: Hashable, Sendable {
        public var physical: PhysicalAddress
        /// Bytes of the page that maps it.
        public var pageBytes: UInt64
        public var isWritable: Bool
        public var isUser: Bool
        public var isExecutable: Bool
    }

    /// An area of a process's user space.
    public struct UserArea: Hashable, Sendable {
        public var pid: Int
        public var start: LinearAddress
        /// First address behind it.
        public var end: LinearAddress
        public var rights: MemoryRights
        public var isShared: Bool
    }

    /// A slot of a window of single pages: pkmap or fixmap.
    public struct Slot: Hashable, Sendable {
        public var window: String
        public var index: UInt64
        /// Whose short maps it belongs to; nil elsewhere.
        public var cpu: Int?
        /// What a slot of the classic kernel's short maps is for: `KM_USER0`.
        public var type: String?
        /// `pkmap_count`; nil outside that window.
        public var count: UInt32?
        /// The call that mapped a page there first; nil where none is, and in the fixmap.
        public var owner: Owner?
    }

    /// A call that had to do with the memory.
    public struct Owner: Hashable, Sendable {
        public var call: UInt64
        /// The C name of its function; nil where that is forgotten.
        public var function: String?
    }

    public var address: LinearAddress
    /// Nil for a number with more bits than the machine's addresses have.
    public var region: RegionView?
    /// Whether the processor translates it at all.
    public var isCanonical: Bool
    /// Whose page tables were walked.
    public var pid: Int
    /// Nil where no entry maps it.
    public var mapping: Mapping?
    /// The frame behind it; nil where that is no memory of the machine.
    public var frame: FrameView?
    /// The object, or the padding beside it; nil where no slab is.
    public var object: SlabPlace?
    /// The name of the mark that the byte belongs to: `Left Redzone`; nil elsewhere.
    public var mark: String?
    /// The object's last allocation and free, as far as the machine knows them.
    public var allocatedBy: Owner?
    public var freedBy: Owner?
    public var area: AreaPlace?
    public var userArea: UserArea?
    /// The frame whose `struct page` the address lies in, and the offset there.
    public var descriptor: PFN?
    public var descriptorOffset: UInt64 = 0
    /// `text`, `rodata` or `data`, at either address of the kernel's image.
    public var section: String?
    public var slot: Slot?
}

extension Kernel {
    /// Tells what an address is; nothing is changed by asking.
    ///
    /// - Parameters:
    ///   - address: any number.
    ///   - pid: whose user space is meant; the first process's where there is no such.
    /// - Returns: all that is known of it.
    public func whatIs(_ address: LinearAddress, pid: Int) -> AddressView {
        let number = address.rawValue
        let process = process(pid) ?? 0
        var view = AddressView(
            address: address,
            region: number <= layout.addressMask ? region(of: address) : nil,
            isCanonical: paging.format.isCanonical(number),
            pid: processes.indices.contains(process) ? processes[process].pid : pid
        )
        guard view.isCanonical, let region = view.region else { return view }
        view.mapping = mapping(of: number, process: process)
        if let frame = view.mapping?.physical.pfn, isMemory(frame.rawValue) {
            view.frame = frameView(frame)
            describeObject(in: frame, offset: number & 4_095, &view)
            view.section = imageSection(of: frame)
        }
        describe(region, number, process: process, &view)
        return view
    }

    /// What the page tables have behind a canonical address.
    func mapping(of address: UInt64, process: Int) -> AddressView.Mapping? {
        let boot = bootTables()
        let walk = walk(address, root: root(of: process, boot), boot)
        guard walk.end == .mapped else { return nil }
        return AddressView.Mapping(
            physical: PhysicalAddress(rawValue: walk.frame << 12 | address & 4_095),
            pageBytes: paging.format.span(walk.last.level),
            isWritable: walk.isWritable,
            isUser: walk.isUser,
            isExecutable: walk.isExecutable
        )
    }

    /// The parts that only addresses of one kind of region have.
    private func describe(
        _ region: RegionView,
        _ address: UInt64,
        process: Int,
        _ view: inout AddressView
    ) {
        let offset = address - region.start.rawValue
        switch region.kind {
        case .userSpace:
            view.userArea = userArea(at: address, process: process)
        case .vmalloc, .modules:
            view.area = areaPlace(at: address, in: region)
        case .vmemmap:
            describeDescriptor(address, &view)
        case .directMap where layout.is32Bit:
            describeDescriptor(address, &view)
        case .pkmap:
            view.slot = permanentSlot(Int(truncatingIfNeeded: offset >> 12))
        case .fixmap:
            view.slot = fixedSlot(at: address)
        case .directMap, .kernelImage, .ldt, .cpuEntryArea, .vsyscall, .reserved, .nonCanonical,
            .hole:
            break
        }
    }

    private func permanentSlot(_ index: Int) -> AddressView.Slot {
        var slot = AddressView.Slot(window: "pkmap", index: UInt64(clamping: index))
        let slots = highMemory.pkmap.slots
        let state = slots.indices.contains(index) ? slots[index] : PkmapTable.Slot()
        slot.count = state.count
        if state.count > 0 {
            slot.owner = AddressView.Owner(call: state.call, function: function(ofCall: state.call))
        }
        return slot
    }

    /// Slots are numbered downwards; a CPU's short maps are neighbours.
    private func fixedSlot(at address: UInt64) -> AddressView.Slot? {
        let fixmap = highMemory.fixmap
        guard let index = fixmap.index(of: address) else { return nil }
        var slot = AddressView.Slot(window: "fixmap", index: index)
        guard let first = fixmap.firstMap, index >= first, fixmap.mapsPerCPU > 0,
            (index - first) / fixmap.mapsPerCPU < fixmap.cpuLimit
        else { return slot }
        slot.cpu = Int(clamping: (index - first) / fixmap.mapsPerCPU)
        if highMemory.isClassic {
            slot.type = KmapType(rawValue: (index - first) % fixmap.mapsPerCPU)?.name
        }
        return slot
    }

    private func userArea(at address: UInt64, process: Int) -> AddressView.UserArea? {
        guard processes.indices.contains(process),
            let area = processes[process].space.area(at: address)
        else { return nil }
        return AddressView.UserArea(
            pid: processes[process].pid,
            start: LinearAddress(rawValue: area.start),
            end: LinearAddress(rawValue: area.end),
            rights: area.rights,
            isShared: area.isShared
        )
    }

    private func describeDescriptor(_ address: UInt64, _ view: inout AddressView) {
        guard address >= layout.descriptors else { return }
        let offset = address - layout.descriptors
        let pfn = offset / layout.descriptorBytes
        guard layout.is32Bit ? pfn < layout.descriptorEndPFN : pages.isValid(pfn) else { return }
        view.descriptor = PFN(rawValue: pfn)
        view.descriptorOffset = offset % layout.descriptorBytes
    }

    /// A frame of a slab is looked at by its direct-map address, wherever it was mapped besides.
    private func describeObject(in frame: PFN, offset: UInt64, _ view: inout AddressView) {
        guard layout.isMapped(frame.rawValue) else { return }
        let address = layout.directAddress(frame.rawValue) | offset
        guard let place = slabPlace(at: address) else { return }
        view.object = place
        guard place.index != nil else { return }
        view.mark = mark(at: place, frame: Int(frame.rawValue))
        let events = biography(of: LinearAddress(rawValue: place.begin.rawValue)).events
        func last(_ isAllocation: Bool) -> AddressView.Owner? {
            events.last { $0.isAllocation == isAllocation }.map {
                AddressView.Owner(call: $0.call, function: function(ofCall: $0.call))
            }
        }
        view.allocatedBy = last(true)
        view.freedBy = last(false)
    }

    /// The mark of `slub_debug` that a byte of a slot belongs to.
    private func mark(at place: SlabPlace, frame: Int) -> String? {
        let cache = Int(slab.slabs[Int(pages.map[frame].slabNumber)].cache)
        guard slab.caches[cache].isChecked else { return nil }
        let mark = place.isAllocated ? SlabPoison.active : SlabPoison.inactive
        let offset = UInt64(bitPattern: place.offset)
        return parts(in: checkedLayout(ofCache: cache), mark: mark).first { part in
            offset &- part.offset < part.count
        }?.name
    }

    /// The section of the kernel's image that a frame holds.
    private func imageSection(of frame: PFN) -> String? {
        guard machine.zones == nil, machine.reserved == nil else { return nil }
        let image =
            MachineBoot(machine).space.map { BootLayout.imageI386($0) } ?? BootLayout.imageX8664
        guard case .reserved = frameRun(at: frame.rawValue, limit: frame.rawValue + 1).use else {
            return nil
        }
        if image.text.contains(frame.rawValue) { return "text" }
        if image.readOnlyData.contains(frame.rawValue) { return "rodata" }
        let data = image.readOnlyData.upperBound..<image.end
        return data.contains(frame.rawValue) ? "data" : nil
    }
}
