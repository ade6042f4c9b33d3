extension MachineProfile {
    /// Debian's 6.1 on x86_64: the recordings' machine.
    public static let linux61X8664 = MachineProfile(
        name: "linux-6.1-x86_64",
        platform: .x8664,
        kernelRelease: "6.1.0-56-amd64",
        kernelBuild: "#1  Debian 6.1.192-2",
        gfp: .linux61,
        pagingFormat: .fourLevel,
        constants: [
            Constant(name: "PAGE_OFFSET", value: 0xffff_8880_0000_0000),
            Constant(name: "VMALLOC_START", value: 0xffff_c900_0000_0000),
            Constant(name: "VMALLOC_END", value: 0xffff_e8ff_ffff_ffff),
            Constant(name: "VMEMMAP_START", value: 0xffff_ea00_0000_0000),
            Constant(name: "MODULES_VADDR", value: 0xffff_ffff_c000_0000),
            Constant(name: "MODULES_END", value: 0xffff_ffff_ff00_0000),
            Constant(name: "TASK_SIZE_MAX", value: 0x7fff_ffff_f000),
            Constant(name: "__START_KERNEL_map", value: 0xffff_ffff_8000_0000),
            Constant(name: "FIXADDR_TOP", value: 0xffff_ffff_ff7f_f000),
            Constant(name: "FIXADDR_START", value: 0xffff_ffff_ff57_9000),
            Constant(name: "CPU_ENTRY_AREA_BASE", value: 0xffff_fe00_0000_0000),
            Constant(name: "STACK_TOP_MAX", value: 0x7fff_ffff_f000),
            Constant(name: "MAXMEM", value: 0x4000_0000_0000),
            Constant(name: "KMALLOC_MAX_SIZE", value: 0x40_0000),
            Constant(name: "KMALLOC_MAX_CACHE_SIZE", value: 0x2000),
            Constant(name: "KMALLOC_MIN_SIZE", value: 8),
            Constant(name: "MAX_ORDER", value: 11),
            Constant(name: "pageblock_order", value: 9),
            Constant(name: "PAGE_ALLOC_COSTLY_ORDER", value: 3),
            Constant(name: "MIGRATE_PCPTYPES", value: 3),
            Constant(name: "NR_PCP_LISTS", value: 14),
            Constant(name: "PAGE_SIZE", value: 4096),
            Constant(name: "PAGE_SHIFT", value: 12),
            Constant(name: "THREAD_SIZE", value: 0x4000),
            Constant(name: "ZERO_SIZE_PTR", value: 0x10),
            Constant(name: "SMP_CACHE_BYTES", value: 64),
            Constant(name: "ARCH_KMALLOC_MINALIGN", value: 8),
            Constant(name: "sizeof(struct page)", value: 64),
            Constant(name: "sizeof(struct kmem_cache)", value: 0x20d8),
        ],
        // The last bytes of the text are 14,687,530 and 8 behind its start: `bad-ucopy.case-20`.
        kernelText: 0xffff_ffff_8100_0000..<0xffff_ffff_81e0_1d32
    )
}
