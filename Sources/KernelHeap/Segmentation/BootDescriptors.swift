/// The descriptor table and registers of the recorded 32-bit kernels: `i386/686-1G/gdt.jsonl`.
///
/// Each CPU has its own, in the page of its entry area; those of other CPUs than the first are
/// taken as equal, with their own TSS. Entries 6 and 27 hold the bases of the recorded boot: of a
/// program's thread-local memory, and of the CPU's variables.
///
///     ff400000  IDT
///     ff401000  GDT │ guard │ entry stack │ guard │ double fault stack, its TSS │ TSS   43 pages a CPU
///         +0          +1        +2            +3            +4                     +5
enum BootDescriptors {
    static let entryArea: UInt32 = 0xff40_1000
    static let entryAreaBytes: UInt32 = 43 << 12
    /// Pages from the entry area's start.
    static let stackPage: UInt32 = 2
    static let doubleFaultPage: UInt32 = 4
    static let taskPage: UInt32 = 5
    static let limit: UInt16 = 0xff

    /// Selectors by their names in the kernel's headers.
    static let kernelCode = Selector(rawValue: 0x60)
    static let kernelData = Selector(rawValue: 0x68)
    static let userCode = Selector(rawValue: 0x73)
    static let userData = Selector(rawValue: 0x7b)
    static let perCPU = Selector(rawValue: 0xd8)
    static let threadLocal = Selector(rawValue: 0x33)
    static let task = Selector(rawValue: 0x80)

    /// Entries that are not zero, of the first CPU.
    private static let entries: [(index: Int, word: UInt64)] = [
        (6, 0x08df_f3cb_c380_ffff), (12, 0x00cf_9a00_0000_ffff), (13, 0x00cf_9300_0000_ffff),
        (14, 0x00cf_fa00_0000_ffff), (15, 0x00cf_f300_0000_ffff), (16, 0xff00_8b40_6000_407b),
        (18, 0x0040_9a00_0000_ffff), (19, 0x0000_9a00_0000_ffff), (20, 0x0000_9200_0000_ffff),
        (21, 0x0000_9200_0000_0000), (22, 0x0000_9200_0000_0000), (23, 0x0040_9a00_0000_ffff),
        (24, 0x0000_9a00_0000_ffff), (25, 0x0040_9200_0000_ffff), (26, 0x00cf_9200_0000_ffff),
        (27, 0x348f_9322_a000_ffff), (31, 0xff00_8940_5f98_407b),
    ]
    /// Those of them that point into the entry area.
    private static let own = [16, 31]

    /// Where a CPU's entry area begins, and its GDT.
    static func start(cpu: Int) -> UInt32 {
        entryArea &+ UInt32(truncatingIfNeeded: cpu) &* entryAreaBytes
    }

    /// A CPU's GDT as the boot leaves it.
    static func table(cpu: Int) -> [SegmentDescriptor] {
        var table = [SegmentDescriptor](
            repeating: SegmentDescriptor(rawValue: 0),
            count: (Int(limit) + 1) / 8
        )
        for entry in entries { table[entry.index] = SegmentDescriptor(rawValue: entry.word) }
        for index in own {
            let boot = table[index]
            table[index] = SegmentDescriptor(
                base: boot.base &+ (start(cpu: cpu) &- entryArea),
                limit: boot.limit,
                type: boot.type,
                dpl: boot.dpl,
                flags: boot.flags
            )
        }
        return table
    }

    /// Words of a CPU's TSS by offset: `sp0` and `ss0`, the end of the entry stack.
    ///
    /// From the kernel's headers; the recordings do not look into the TSS.
    static func taskState(cpu: Int) -> [(offset: Int, word: UInt32)] {
        let stackEnd = start(cpu: cpu) &+ (stackPage &+ 1) << 12
        return [(4, stackEnd), (8, UInt32(kernelData.rawValue))]
    }
}

/// The recorded register contents of kernel and user code.
extension SegmentationUnit {
    /// A CPU inside the kernel, as the recording found it.
    init(booted cpu: Int) {
        let start = BootDescriptors.start(cpu: cpu)
        self.init(gdtr: TableRegister(base: start, limit: BootDescriptors.limit))
        let table = BootDescriptors.table(cpu: cpu)
        setTask(table)
        enterKernel(table)
        esp = start &+ (BootDescriptors.stackPage &+ 1) << 12
    }

    private mutating func setTask(_ table: [SegmentDescriptor]) {
        tr = LoadedSegment(BootDescriptors.task, table[BootDescriptors.task.index])
    }

    /// The registers of recorded kernel code: DS and ES stay the user's.
    private mutating func enterKernel(_ table: [SegmentDescriptor]) {
        let selectors: [(SegmentRegister, Selector)] = [
            (.cs, BootDescriptors.kernelCode), (.ds, BootDescriptors.userData),
            (.es, BootDescriptors.userData), (.fs, BootDescriptors.perCPU),
            (.gs, BootDescriptors.threadLocal), (.ss, BootDescriptors.kernelData),
        ]
        for (register, selector) in selectors {
            self[register] = LoadedSegment(selector, table[selector.index])
        }
        cpl = 0
    }
}
