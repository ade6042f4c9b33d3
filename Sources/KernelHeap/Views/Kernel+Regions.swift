/// The address space, region by region, from the first address to the last.
extension Kernel {
    /// The regions of the address space, ascending and without a gap: holes are regions, too.
    ///
    /// The kernel's half is the same for all processes; what a process has mapped in user space is
    /// its `ProcessView`.
    public func regionViews() -> [RegionView] {
        guard let space = MachineBoot(machine).space else { return regionsX8664() }
        return regionsI386(space)
    }

    /// The region that an address lies in; nil for what is no address of the machine.
    public func region(of address: LinearAddress) -> RegionView? {
        regionViews().first { $0.contains(address) }
    }

    /// 4-level paging: `Documentation/x86/x86_64/mm.rst`, 6.1.
    private func regionsX8664() -> [RegionView] {
        let memory = pages.endPFN << 12
        var list = RegionList(lastAddress: .max)
        list.add(.userSpace, "user space", 0, layout.userEnd, "Each process's own mappings.")
        list.add(
            .hole,
            "user guard page",
            layout.userEnd,
            1 << 47,
            "No process may map it: an instruction that ends at the hole must not be its own."
        )
        list.add(
            .nonCanonical,
            "non-canonical hole",
            1 << 47,
            0xffff_8000_0000_0000,
            "Bits 48 to 63 do not repeat bit 47: the processor raises #GP and walks no table."
        )
        list.add(
            .reserved,
            "guard hole",
            0xffff_8000_0000_0000,
            0xffff_8800_0000_0000,
            "Kept free between the halves; hypervisors may use it."
        )
        list.add(
            .reserved,
            "LDT remap",
            0xffff_8800_0000_0000,
            layout.pageOffset,
            "Where page-table isolation shows a process its LDT; this machine runs without it."
        )
        list.add(
            .directMap,
            "direct map",
            layout.pageOffset,
            0xffff_c880_0000_0000,
            used: memory,
            "All physical memory in order: what kmalloc and __get_free_pages return."
        )
        let behindVmalloc = layout.vmallocEnd &+ 1
        list.add(
            .vmalloc,
            "vmalloc",
            layout.vmallocStart,
            behindVmalloc,
            "vmalloc, vmap and ioremap areas, and kernel stacks."
        )
        list.add(
            .vmemmap,
            "vmemmap",
            layout.descriptors,
            layout.descriptors &+ 1 << 40,
            used: pages.endPFN &* layout.descriptorBytes,
            "One struct page for each frame."
        )
        addUpperRegions(to: &list)
        return list.finish()
    }

    /// What lies behind the page descriptors of a 64-bit machine.
    private func addUpperRegions(to list: inout RegionList) {
        list.add(
            .reserved,
            "KASAN shadow",
            0xffff_ec00_0000_0000,
            0xffff_fc00_0000_0000,
            "A byte for each eight of the kernel's, where it is built with KASAN; this one is not."
        )
        list.add(
            .cpuEntryArea,
            "cpu entry area",
            0xffff_fe00_0000_0000,
            0xffff_fe80_0000_0000,
            "Each CPU's entry stacks and descriptor tables."
        )
        list.add(
            .reserved,
            "ESP fixup stacks",
            0xffff_ff00_0000_0000,
            0xffff_ff80_0000_0000,
            "Read-only stacks from which 16-bit code is returned to."
        )
        list.add(
            .reserved,
            "EFI",
            0xffff_ffef_0000_0000,
            0xffff_ffff_0000_0000,
            "Run-time services of EFI firmware; this machine boots from a BIOS."
        )
        list.add(
            .kernelImage,
            "kernel image",
            layout.imageOffset,
            0xffff_ffff_c000_0000,
            "The kernel's text and data, which the direct map shows a second time."
        )
        list.add(
            .modules,
            "modules",
            0xffff_ffff_c000_0000,
            0xffff_ffff_ff00_0000,
            "Loaded modules."
        )
        list.add(
            .fixmap,
            "fixmap",
            layout.fixmapStart,
            0xffff_ffff_ff60_0000,
            "Addresses that are constants of the kernel, mapped where needed."
        )
        list.add(
            .vsyscall,
            "vsyscall",
            0xffff_ffff_ff60_0000,
            0xffff_ffff_ff60_1000,
            "System calls of old programs by address, the only page up here that user mode may run."
        )
    }
}

/// The kernel's gigabyte of a 32-bit machine: `pgtable_32_areas.h`, 6.1.
extension Kernel {
    private func regionsI386(_ space: I386AddressSpace) -> [RegionView] {
        let highMemory = layout.pageOffset &+ layout.directMapEndPFN << 12
        var list = RegionList(lastAddress: layout.addressMask)
        list.add(.userSpace, "user space", 0, layout.userEnd, "Each process's own mappings.")
        list.add(
            .directMap,
            "direct map",
            layout.pageOffset,
            highMemory,
            used: min(pages.endPFN, layout.directMapEndPFN) << 12,
            "Low memory in order: what kmalloc and __get_free_pages return."
        )
        list.add(
            .hole,
            "vmalloc gap",
            highMemory,
            layout.vmallocStart,
            "Kept free, so that what runs beyond the direct map faults."
        )
        list.add(
            .vmalloc,
            "vmalloc",
            layout.vmallocStart,
            layout.vmallocEnd,
            "vmalloc, vmap and ioremap areas, and modules."
        )
        if layout.vmallocEnd <= space.pkmapBase {
            list.add(
                .pkmap,
                "pkmap",
                space.pkmapBase,
                space.pkmapBase &+ space.permanentMaps << 12,
                "Where kmap shows pages of high memory."
            )
        }
        if !space.isClassic { addEntryRegions(of: space, to: &list) }
        list.add(
            .fixmap,
            "fixmap",
            layout.fixmapStart,
            I386AddressSpace.fixmapTop,
            "Addresses that are constants of the kernel, and each CPU's slots for kmap_atomic."
        )
        list.add(
            .hole,
            "last page",
            I386AddressSpace.fixmapTop,
            0,
            "Slot 0 of the fixmap, never mapped: error numbers as pointers lead here and fault."
        )
        return list.finish()
    }

    /// The windows that the classic kernel does not have.
    private func addEntryRegions(of space: I386AddressSpace, to list: inout RegionList) {
        list.add(
            .ldt,
            "ldt",
            space.ldt,
            space.ldt &+ space.directoryEntryBytes,
            "The process's local descriptor table."
        )
        let entryPages = I386AddressSpace.cpuLimit * I386AddressSpace.entryAreaPages
        list.add(
            .cpuEntryArea,
            "cpu entry area",
            space.cpuEntryAreas,
            space.cpuEntryAreas &+ entryPages << 12,
            "Each CPU's entry stacks and descriptor tables."
        )
        list.add(
            .reserved,
            "boot fixmap",
            I386AddressSpace.fixmapTop &- space.bootSlots << 12,
            layout.fixmapStart,
            "Slots that only early boot code maps, before ioremap works."
        )
    }
}
