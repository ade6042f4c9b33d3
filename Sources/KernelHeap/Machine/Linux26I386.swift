extension MachineProfile {
    /// The 32-bit machine of textbooks and driver courses.
    ///
    /// Its layout, flags and `kmalloc()` are the classic ones; what such courses do not tell, as the
    /// order of free lists, is that of 6.1. See `docs/fidelity.md`.
    public static let linux26I386 = MachineProfile(
        name: "linux-2.6-i386",
        platform: .classicI386,
        kernelRelease: "2.6.24",
        kernelBuild: "#1",
        gfp: .linux26,
        pagingFormat: .twoLevel,
        constants: constants(of: I386AddressSpace(hasPAE: false, isClassic: true)) + [
            Constant(name: "MAX_ORDER", value: 11),
            Constant(name: "THREAD_SIZE", value: 0x2000),
            Constant(name: "sizeof(struct page)", value: 32),
        ],
        kernelText: 0xc100_0000..<0xc191_bc80
    )
}
