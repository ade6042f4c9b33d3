/// A region of the machine's address space and what lives there.
public struct RegionView: Hashable, Sendable {
    public var name: String
    public var start: LinearAddress
    /// The last address; the regions at the top end with the address space itself.
    public var last: LinearAddress
    /// Bytes at its start that this machine's memory fills; nil where that says nothing.
    public var usedBytes: UInt64?
    /// One sentence.
    public var summary: String

    /// Bytes.
    public var size: UInt64 { last.rawValue - start.rawValue + 1 }
}

extension Kernel {
    /// The regions of the address space, ascending, by the profile's constants.
    ///
    /// A region whose constants the profile lacks is left out.
    public func regionViews() -> [RegionView] {
        let frames = pages.endPFN
        var regions: [RegionView] = []
        func add(
            _ name: String,
            _ start: UInt64?,
            _ end: UInt64?,
            used: UInt64? = nil,
            _ summary: String
        ) {
            guard let start, let end, start < end else { return }
            regions.append(
                RegionView(
                    name: name,
                    start: LinearAddress(rawValue: start),
                    last: LinearAddress(rawValue: end - 1),
                    usedBytes: used,
                    summary: summary
                )
            )
        }
        add("user space", 0, constant("TASK_SIZE_MAX"), "Each process's own mappings.")
        if layout.is32Bit { return regions + windows(frames) }
        let map = constant("PAGE_OFFSET")
        add(
            "direct map",
            map,
            end(of: map, bytes: constant("MAXMEM")),
            used: frames << 12,
            "All physical memory in order: what kmalloc and __get_free_pages return."
        )
        let vmallocEnd = constant("VMALLOC_END").map { $0 &+ 1 }
        add("vmalloc", constant("VMALLOC_START"), vmallocEnd, "vmalloc, vmap and ioremap areas.")
        let memmap = constant("VMEMMAP_START")
        let descriptors = constant("MAXMEM").map { ($0 >> 12) &* layout.descriptorBytes }
        add(
            "vmemmap",
            memmap,
            end(of: memmap, bytes: descriptors),
            used: frames &* layout.descriptorBytes,
            "One struct page for each frame."
        )
        let entry = constant("CPU_ENTRY_AREA_BASE")
        add(
            "cpu entry area",
            entry,
            end(of: entry, bytes: 1 << 39),
            "Each CPU's entry stacks and descriptor tables."
        )
        let modules = constant("MODULES_VADDR")
        add(
            "kernel image",
            constant("__START_KERNEL_map"),
            modules,
            "The kernel's text and data, which the direct map shows a second time."
        )
        add("modules", modules, constant("MODULES_END"), "Loaded modules.")
        let fixed = constant("FIXADDR_TOP").map { $0 &+ 0x1000 }
        add(
            "fixmap",
            constant("FIXADDR_START"),
            fixed,
            "Addresses that are constants of the kernel, mapped where needed."
        )
        return regions
    }

    /// The kernel's gigabyte of a 32-bit machine.
    private func windows(_ frames: UInt64) -> [RegionView] {
        let low = min(frames, layout.directMapEndPFN)
        let table: [(String, UInt64?, UInt64?, UInt64?, String)] = [
            (
                "direct map", constant("PAGE_OFFSET"), constant("high_memory"), low << 12,
                "Low memory in order: what kmalloc and __get_free_pages return."
            ),
            (
                "vmalloc", constant("VMALLOC_START"), constant("VMALLOC_END"), nil,
                "vmalloc, vmap and ioremap areas, and modules."
            ),
            (
                "pkmap", constant("PKMAP_BASE"),
                end(of: constant("PKMAP_BASE"), bytes: constant("LAST_PKMAP").map { $0 << 12 }),
                nil, "Where kmap shows pages of high memory."
            ),
            (
                "ldt", constant("LDT_BASE_ADDR"), constant("CPU_ENTRY_AREA_BASE"), nil,
                "The process's local descriptor table."
            ),
            (
                "cpu entry area", constant("CPU_ENTRY_AREA_BASE"), constant("FIXADDR_START"), nil,
                "Each CPU's entry stacks and descriptor tables."
            ),
            (
                "fixmap", constant("FIXADDR_START"), constant("FIXADDR_TOP"), nil,
                "Addresses that are constants of the kernel, mapped where needed."
            ),
        ]
        return table.compactMap { name, start, end, used, summary in
            guard let start, let end, start < end else { return nil }
            return RegionView(
                name: name,
                start: LinearAddress(rawValue: start),
                last: LinearAddress(rawValue: end - 1),
                usedBytes: used,
                summary: summary
            )
        }
    }

    private func constant(_ name: String) -> UInt64? {
        constants.first { $0.name == name }?.value
    }

    private func end(of start: UInt64?, bytes: UInt64?) -> UInt64? {
        guard let start, let bytes else { return nil }
        let (end, overflow) = start.addingReportingOverflow(bytes)
        return overflow ? nil : end
    }
}
