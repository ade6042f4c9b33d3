extension MachineProfile {
    /// Debian's 6.1 for 32-bit PCs, with PAE by option: the recordings `i386/`.
    public static let linux61I386 = MachineProfile(
        name: "linux-6.1-i386",
        platform: .i386,
        kernelRelease: "6.1.0-50-686",
        kernelBuild: "#1  Debian 6.1.176-1",
        gfp: .linux61,
        pagingFormat: .twoLevel,
        constants: constants(of: I386AddressSpace(hasPAE: false)) + [
            Constant(name: "KMALLOC_MAX_SIZE", value: 0x40_0000),
            Constant(name: "KMALLOC_MAX_CACHE_SIZE", value: 0x2000),
            Constant(name: "KMALLOC_MIN_SIZE", value: 8),
            Constant(name: "ARCH_KMALLOC_MINALIGN", value: 8),
            Constant(name: "MAX_ORDER", value: 11),
            Constant(name: "PAGE_ALLOC_COSTLY_ORDER", value: 3),
            Constant(name: "MIGRATE_PCPTYPES", value: 3),
            Constant(name: "THREAD_SIZE", value: 0x2000),
            Constant(name: "sizeof(struct page)", value: 40),
            Constant(name: "sizeof(struct kmem_cache)", value: 140),
            Constant(name: "LDT_BASE_ADDR", value: I386AddressSpace(hasPAE: false).ldt),
            Constant(
                name: "CPU_ENTRY_AREA_BASE",
                value: I386AddressSpace(hasPAE: false).cpuEntryAreas
            ),
        ],
        kernelText: 0xc100_0000..<0xc191_bc80
    )

    /// What the address space of a 32-bit kernel consists of, whatever its memory is.
    static func constants(of space: I386AddressSpace) -> [Constant] {
        [
            Constant(name: "PAGE_OFFSET", value: I386AddressSpace.pageOffset),
            Constant(name: "TASK_SIZE", value: I386AddressSpace.pageOffset),
            Constant(name: "TASK_SIZE_MAX", value: I386AddressSpace.pageOffset),
            Constant(name: "MAX_DMA_ADDRESS", value: I386AddressSpace.pageOffset + 0x100_0000),
            Constant(name: "MAXMEM", value: space.maximumLowMemory),
            Constant(name: "__VMALLOC_RESERVE", value: space.vmallocReserve),
            Constant(name: "VMALLOC_OFFSET", value: I386AddressSpace.vmallocOffset),
            Constant(name: "VMALLOC_END", value: space.vmallocEnd()),
            Constant(name: "PKMAP_BASE", value: space.pkmapBase),
            Constant(name: "LAST_PKMAP", value: space.permanentMaps),
            Constant(name: "FIXADDR_START", value: space.fixmapStart),
            Constant(name: "FIXADDR_TOP", value: I386AddressSpace.fixmapTop),
            Constant(name: "pageblock_order", value: space.hasPAE ? 9 : 10),
            Constant(name: "PTRS_PER_PTE", value: space.permanentMaps),
            Constant(name: "PMD_SIZE", value: space.directoryEntryBytes),
            Constant(name: "PAGE_SIZE", value: 4096),
            Constant(name: "PAGE_SHIFT", value: 12),
            Constant(name: "ZERO_SIZE_PTR", value: 0x10),
        ]
    }

    /// What slabs are cut by on a machine.
    func slabOptions(_ description: MachineDescription, hasHighMemory: Bool) -> SlabOptions {
        var architecture = SlabArchitecture.x8664
        switch platform {
        case .x8664:
            break
        case .i386:
            architecture = .i386
            let kernel = BuiltinCaches.I386(
                hasHighMemory: hasHighMemory,
                hasPAE: description.pae
            )
            architecture.builtins = .i386(kernel)
        case .classicI386:
            architecture = .i386
        }
        var options = SlabOptions(
            bootOptions: description.bootOptions,
            cpus: description.cpus,
            architecture: architecture
        )
        options.isSanitized = description.kasan
        if platform == .classicI386 {
            let limit = description.kmallocLimit ?? BuiltinCaches.Classic.defaultLimit
            let smallest: UInt64 = options.architecture.cacheLineBytes > 32 ? 64 : 32
            options.architecture.builtins = .classic(
                BuiltinCaches.Classic(smallest: smallest, largest: limit)
            )
        }
        return options
    }
}
