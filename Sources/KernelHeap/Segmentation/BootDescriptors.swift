/// The descriptor table and task state that the boot gives a CPU of a 32-bit machine.
///
/// The table is the recorded one, `i386/686-1G/gdt.jsonl`. Entries 6 and 27 hold the bases of that
/// boot: of a program's thread-local memory, and of the CPU's variables. Other CPUs than the first
/// are taken as equal, with TSSs of their own.
///
///     ff400000  IDT
///     ff401000  GDT │ guard │ entry stack │ guard │ double fault's stack and TSS │ TSS …   43 pages a CPU
///         +0          +1        +2            +3           +4                        +5
///
/// Three of the pages matter here: GDT, entry stack, TSS. No byte of them exists before something is
/// stored there (`Kernel.unwrittenDescriptors`).
struct BootDescriptors: Hashable, Sendable {
    /// Linear addresses.
    let gdt: UInt32
    let stack: UInt32
    let task: UInt32
    let doubleFaultTask: UInt32

    static let limit: UInt16 = 0xff
    /// How many CPUs' areas fit, and how many pages each of them has in memory.
    static let maximumCPUs = 64
    static let pagesPerCPU = 3

    private static let areas: UInt32 = 0xff40_1000
    private static let areaBytes: UInt32 = 43 << 12

    /// Those in the window of 4.15 and later.
    init(cpu: Int) {
        gdt = Self.areas &+ UInt32(truncatingIfNeeded: cpu) &* Self.areaBytes
        stack = gdt &+ 2 << 12
        task = gdt &+ 5 << 12
        doubleFaultTask = task &- 0x68
    }

    /// Those of a kernel without such a window, in pages one behind another.
    init(pagesAt start: UInt32) {
        gdt = start
        stack = start &+ 1 << 12
        task = start &+ 2 << 12
        doubleFaultTask = task &+ 0x800
    }

    /// The pages of a CPU that are in memory, in the order of their frames.
    var pages: [UInt32] { [gdt, stack, task] }

    /// What a loaded stack pointer starts with: the end of the entry stack.
    var stackEnd: UInt32 { stack &+ 1 << 12 }

    // Selectors by their names in the kernel's headers.
    static let kernelCode = Selector(rawValue: 0x60)
    static let kernelData = Selector(rawValue: 0x68)
    static let userCode = Selector(rawValue: 0x73)
    static let userData = Selector(rawValue: 0x7b)
    static let perCPU = Selector(rawValue: 0xd8)
    static let threadLocal = Selector(rawValue: 0x33)
    static let taskSelector = Selector(rawValue: 0x80)

    /// Entries that are not zero, of the first CPU.
    private static let entries: [(index: Int, word: UInt64)] = [
        (6, 0x08df_f3cb_c380_ffff), (12, 0x00cf_9a00_0000_ffff), (13, 0x00cf_9300_0000_ffff),
        (14, 0x00cf_fa00_0000_ffff), (15, 0x00cf_f300_0000_ffff), (16, 0xff00_8b40_6000_407b),
        (18, 0x0040_9a00_0000_ffff), (19, 0x0000_9a00_0000_ffff), (20, 0x0000_9200_0000_ffff),
        (21, 0x0000_9200_0000_0000), (22, 0x0000_9200_0000_0000), (23, 0x0040_9a00_0000_ffff),
        (24, 0x0000_9a00_0000_ffff), (25, 0x0040_9200_0000_ffff), (26, 0x00cf_9200_0000_ffff),
        (27, 0x348f_9322_a000_ffff), (31, 0xff00_8940_5f98_407b),
    ]

    /// The GDT as the boot leaves it.
    var table: [SegmentDescriptor] {
        var table = [SegmentDescriptor](
            repeating: SegmentDescriptor(rawValue: 0),
            count: (Int(Self.limit) + 1) / 8
        )
        for entry in Self.entries {
            table[entry.index] = SegmentDescriptor(rawValue: entry.word)
        }
        for (index, base) in [(16, task), (31, doubleFaultTask)] {
            let recorded = table[index]
            table[index] = SegmentDescriptor(
                base: base,
                limit: recorded.limit,
                type: recorded.type,
                dpl: recorded.dpl,
                flags: recorded.flags
            )
        }
        return table
    }

    /// Bytes of one of `pages`; nil where they are zeros.
    func bytes(ofPage number: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: PageContents.pageBytes)
        switch number {
        case 0:
            for (index, entry) in table.enumerated() {
                for place in 0..<8 {
                    bytes[index * 8 + place] =
                        UInt8(truncatingIfNeeded: entry.rawValue >> UInt64(place * 8))
                }
            }
        case 2:
            // `sp0` and `ss0`, from the kernel's headers: the recordings do not look into the TSS.
            for (offset, word) in [(4, stackEnd), (8, UInt32(Self.kernelData.rawValue))] {
                for place in 0..<4 {
                    bytes[offset + place] = UInt8(truncatingIfNeeded: word >> UInt32(place * 8))
                }
            }
        default: return nil
        }
        return bytes
    }
}

/// The recorded register contents of kernel and user code.
extension SegmentationUnit {
    /// Kernel code: DS and ES stay the user's.
    static let kernelSelectors: [(SegmentRegister, Selector)] = [
        (.cs, BootDescriptors.kernelCode), (.ds, BootDescriptors.userData),
        (.es, BootDescriptors.userData), (.fs, BootDescriptors.perCPU),
        (.gs, BootDescriptors.threadLocal), (.ss, BootDescriptors.kernelData),
    ]
    /// A program without thread-local memory.
    static let userSelectors: [(SegmentRegister, Selector)] = [
        (.cs, BootDescriptors.userCode), (.ds, BootDescriptors.userData),
        (.es, BootDescriptors.userData), (.fs, .null), (.gs, .null),
        (.ss, BootDescriptors.userData),
    ]

    /// A CPU inside the kernel, as the recording found it, on its entry stack.
    init(booted boot: BootDescriptors) {
        self.init(gdtr: TableRegister(base: boot.gdt, limit: BootDescriptors.limit))
        let table = boot.table
        for (register, selector) in Self.kernelSelectors {
            self[register] = LoadedSegment(selector, table[selector.index])
        }
        let task = BootDescriptors.taskSelector
        tr = LoadedSegment(task, table[task.index])
        esp = boot.stackEnd
    }

    /// Enters kernel or user code by a way that is not simulated, such as an interrupt and its IRET.
    ///
    /// - Parameters:
    ///   - selectors: for each register; what the table has not stays null.
    ///   - cpl: the privilege level.
    ///   - memory: where the tables are.
    /// - Throws: #PF of the table's page.
    mutating func enter<Memory: SegmentMemory & ~Copyable>(
        _ selectors: [(SegmentRegister, Selector)],
        cpl: UInt8,
        in memory: borrowing Memory
    ) throws(SegmentFault) {
        mode = .protected
        self.cpl = cpl
        for (register, selector) in selectors {
            guard !selector.isNull, let place = place(of: selector) else {
                self[register] = .null(selector)
                continue
            }
            let word = try memory.load(place, 8, isUser: false)
            self[register] = LoadedSegment(selector, SegmentDescriptor(rawValue: word))
        }
    }
}
