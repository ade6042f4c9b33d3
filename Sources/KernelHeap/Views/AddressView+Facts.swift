/// The view for JSON: the detail of `what_is`, and the answer of `GET …/what_is`.
extension AddressView {
    public var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)),
            Fact("region", region.map { .facts($0.facts) } ?? .null),
            Fact("canonical", .boolean(isCanonical)), Fact("mapped", .boolean(mapping != nil)),
            Fact("pid", .number(Int64(pid))),
            Fact("mapping", mapping.map { .facts($0.facts) } ?? .null),
            Fact("page", frame.map { .facts($0.facts) } ?? .null),
            Fact("object", object.map { .facts(objectFacts($0)) } ?? .null),
            Fact("area", area.map { .facts($0.facts) } ?? .null),
            Fact("vma", userArea.map { .facts($0.facts) } ?? .null),
            Fact("struct_page_of", descriptor.map { .count($0.rawValue) } ?? .null),
            Fact("section", section.map { .text($0) } ?? .null),
            Fact("slot", slot.map { .facts($0.facts) } ?? .null), Fact("text", .text(sentence)),
        ]
    }

    private func objectFacts(_ place: SlabPlace) -> [Fact] {
        place.facts + [
            Fact("mark", mark.map { .text($0) } ?? .null),
            Fact("allocated_by", allocatedBy.map { .facts($0.facts) } ?? .null),
            Fact("freed_by", freedBy.map { .facts($0.facts) } ?? .null),
        ]
    }

    /// What the address is, in one sentence.
    public var sentence: String {
        guard isCanonical, let region else {
            return "No address of this machine: an access is a general protection fault."
        }
        if let object { return "\(object.whole)\(mark.map { ", \($0)" } ?? "")." }
        if let userArea { return userSentence(userArea) }
        if let slot { return slotSentence(slot) }
        if let area { return area.sentence }
        if let descriptor {
            return "Byte \(descriptorOffset) of the struct page of PFN \(descriptor.rawValue)."
        }
        if let section, frame?.state != .pageTable { return "The kernel's image: \(section)." }
        if let frame { return frame.sentence }
        if let mapping {
            let page = mapping.physical.pfn.rawValue
            return "Mapped in the \(region.name) to PFN \(page), which is no memory: a device."
        }
        return "\(region.summary) No page is mapped at this address."
    }

    private func slotSentence(_ slot: Slot) -> String {
        let name = "Slot \(slot.index) of the \(slot.window)"
        let whose = slot.cpu.map { " (short maps of CPU \($0))" } ?? ""
        guard let mapping else { return "\(name)\(whose), which maps nothing now." }
        let page = "PFN \(mapping.physical.pfn.rawValue)\(frame == nil ? ", a device" : "")"
        let isKept = slot.count == 1
        return "\(name)\(whose): \(page)\(isKept ? ", given back but not flushed yet" : "")."
    }

    private func userSentence(_ area: UserArea) -> String {
        let whose = "User memory of process \(area.pid), \(area.rights.letters)"
        guard let mapping else { return "\(whose): no page yet, a touch brings one." }
        return "\(whose): PFN \(mapping.physical.pfn.rawValue)."
    }
}

extension RegionView {
    fileprivate var facts: [Fact] {
        [
            Fact("name", .text(name)), Fact("kind", .text(kind.rawValue)),
            Fact("start", .address(start.rawValue)), Fact("last", .address(last.rawValue)),
        ]
    }
}

extension AddressView.Mapping {
    fileprivate var facts: [Fact] {
        [
            Fact("physical", .address(physical.rawValue)),
            Fact("pfn", .count(physical.pfn.rawValue)), Fact("page_size", .count(pageBytes)),
            Fact("writable", .boolean(isWritable)), Fact("user", .boolean(isUser)),
            Fact("executable", .boolean(isExecutable)),
        ]
    }
}

extension AddressView.UserArea {
    fileprivate var facts: [Fact] {
        [
            Fact("pid", .number(Int64(pid))), Fact("start", .address(start.rawValue)),
            Fact("end", .address(end.rawValue)), Fact("rights", .text(rights.letters)),
            Fact("shared", .boolean(isShared)),
        ]
    }
}

extension AddressView.Slot {
    fileprivate var facts: [Fact] {
        [
            Fact("window", .text(window)), Fact("index", .count(index)),
            Fact("cpu", cpu.map { .number(Int64($0)) } ?? .null),
            Fact("type", type.map { .text($0) } ?? .null),
            Fact("count", count.map { .number(Int64($0)) } ?? .null),
            Fact("mapped_by", owner.map { .facts($0.facts) } ?? .null),
        ]
    }
}

extension AddressView.Owner {
    fileprivate var facts: [Fact] {
        [Fact("call", .count(call)), Fact("function", function.map { .text($0) } ?? .null)]
    }
}

extension FrameView {
    fileprivate var facts: [Fact] {
        [
            Fact("pfn", .count(pfn.rawValue)),
            Fact("zone", zone.map { .text($0.name) } ?? .null),
            Fact("node", node.map { .number(Int64($0)) } ?? .null),
            Fact("state", .text(state.rawValue)),
            Fact("block", block.map { .count($0.rawValue) } ?? .null),
            Fact("order", order.map { .number(Int64($0)) } ?? .null),
            Fact("migratetype", migrateType.map { .text($0.name) } ?? .null),
            Fact("references", references.map { .count($0) } ?? .null),
            Fact("compound", .boolean(isCompound)),
            Fact("cpu", cpu.map { .number(Int64($0)) } ?? .null),
            Fact("call", call.map { .count($0) } ?? .null),
            Fact("function", function.map { .text($0) } ?? .null),
        ]
    }

    fileprivate var sentence: String {
        let page = "PFN \(pfn.rawValue)"
        let maker = call.map { " by \(function ?? "a call"), call \($0)" } ?? ""
        let size = order.map { " of order \($0)" } ?? ""
        return switch state {
        case .free: "\(page): free, in a block\(size)."
        case .perCPU: "\(page): free, on a list of CPU \(cpu.map(String.init) ?? "?")."
        case .slab: "\(page): a slab's."
        case .pageTable: "\(page): a page table."
        case .user: "\(page): a page of a process or of the page cache."
        case .pages: "\(page): handed out by the page allocator, in a block\(size)\(maker)."
        case .reserved: "\(page): kept at boot, no allocator's."
        }
    }
}

extension AreaPlace {
    fileprivate var facts: [Fact] {
        [
            Fact("part", .text(part.rawValue)), Fact("start", .address(start.rawValue)),
            Fact("size", .count(size)), Fact("offset", .count(offset)),
            Fact("kind", area.map { .text($0.kindText) } ?? .null),
            Fact("pages", area.map { .count($0.pageCount) } ?? .null),
            Fact("maker", area.map { .text($0.maker) } ?? .null),
            Fact("call", area?.call.map { .count($0) } ?? .null),
            Fact("function", function.map { .text($0) } ?? .null),
        ]
    }

    fileprivate var sentence: String {
        switch part {
        case .usable:
            "Byte \(offset) of a \(area?.kindText ?? "") area made by \(function ?? area?.maker ?? "")."
        case .guardPage: "The guard page behind an area of \(size - 4_096) bytes: an access faults."
        case .lazy: "Freed vmalloc addresses that wait for a purge: an access faults."
        case .free: "Free vmalloc addresses: an access faults."
        }
    }
}

extension VmallocAreaView {
    /// What the area is: `vmalloc`, `vmap`, `ioremap`, `vm_map_ram`.
    public var kindText: String {
        use == .area ? words.joined(separator: " ") : use.rawValue
    }
}

extension SlabPlace {
    /// Place and history: `byte 3 of object 5 of kmalloc-64 (slab at PFN 4096), allocated by call 2`.
    fileprivate var whole: String {
        let name = CacheName.escaped(cache)
        guard let index else { return "The tail of a slab of \(name), behind its last object" }
        let position = region == .object ? "Byte \(offset)" : "Padding beside the bytes"
        let state = isAllocated ? "allocated" : "free"
        return "\(position) of object \(index) of \(name) (slab at PFN \(slab.rawValue)), \(state)"
    }
}
