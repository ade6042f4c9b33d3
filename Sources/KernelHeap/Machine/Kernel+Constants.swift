extension Kernel {
    /// The named numbers of this machine's kernel: the profile's, and on 32 bits those that its
    /// memory and its boot options decide.
    public var constants: [MachineProfile.Constant] {
        guard let space = MachineBoot(machine).space else { return profile.constants }
        var own = MachineProfile.constants(of: space)
        let highMemory = layout.pageOffset + layout.directMapEndPFN << 12
        let values: [(String, UInt64)] = [
            ("high_memory", highMemory), ("VMALLOC_START", layout.vmallocStart),
            ("VMALLOC_END", layout.vmallocEnd), ("MODULES_VADDR", layout.vmallocStart),
            ("MODULES_END", layout.vmallocEnd), ("LDT_BASE_ADDR", space.ldt),
            ("CPU_ENTRY_AREA_BASE", space.cpuEntryAreas),
            ("PKMAP_END", space.pkmapBase + space.permanentMaps << 12),
            ("mem_map", layout.descriptors), ("max_mapnr", layout.descriptorEndPFN),
            ("max_low_pfn", layout.directMapEndPFN), ("max_pfn", layout.descriptorEndPFN),
            ("highstart_pfn", layout.directMapEndPFN),
            ("highend_pfn", layout.descriptorEndPFN),
        ]
        // The classic kernel has neither of these windows.
        let absent: Set<String> = space.isClassic ? ["LDT_BASE_ADDR", "CPU_ENTRY_AREA_BASE"] : []
        for (name, value) in values where !absent.contains(name) {
            own.removeAll { $0.name == name }
            own.append(MachineProfile.Constant(name: name, value: value))
        }
        let names = Set(own.map(\.name))
        return own + profile.constants.filter { !names.contains($0.name) }
    }
}
