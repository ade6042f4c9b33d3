/// Instructions that segmentation decides, on 32-bit machines.
let segmentationCalls: [any KernelCall.Type] = [
    LoadSegment.self, FarCall.self, FarJump.self, FarReturn.self, LoadTableRegister.self,
    LoadLocalTable.self, LoadTask.self, SetProcessorMode.self, ReadSegments.self,
]

extension Kernel {
    /// Runs an instruction and tells what it came to: 0, or -EFAULT with the exception.
    mutating func segmentResult(
        in context: CallContext,
        _ instruction:
            (inout SegmentationUnit, inout Kernel) throws(SegmentFault) -> [Fact]
    ) -> CallResult {
        guard hasSegmentation else { return .noSegmentation }
        switch runInstruction(in: context, instruction) {
        case .success(let facts):
            return CallResult(.integer(0), detail: .facts(facts + [Fact("fault", .null)]))
        case .failure(let fault):
            return CallResult(
                .integer(-Int64(Errno.EFAULT.rawValue)),
                errno: .EFAULT,
                detail: .facts([Fact("fault", .facts(fault.facts))])
            )
        }
    }
}

extension CallResult {
    /// The answer of a machine in 64-bit mode.
    static let noSegmentation = CallResult(
        .integer(-Int64(Errno.ENOSYS.rawValue)),
        errno: .ENOSYS,
        detail: .facts([
            Fact(
                "reason",
                .text("in 64-bit mode segments have no limit, and only FS and GS a base")
            )
        ])
    )
}

private let selectorParameter = Parameter("selector", .unsigned(bits: 16), "Index, TI and RPL.")
private let offsetParameter = Parameter(
    "offset",
    .unsigned(bits: 32),
    "Where the code begins; a gate has its own offset."
)

/// The instruction MOV to a segment register.
struct LoadSegment: KernelCall {
    static let signature = CallSignature(
        "load_segment",
        returns: "int",
        [
            Parameter("register", .names(SegmentRegister.flagNames), "cs cannot be loaded so."),
            selectorParameter,
        ],
        "Loads a segment register at the processor's CPL, with the checks of the processor.",
        needs32Bit: true
    )

    var register: SegmentRegister
    var selector: Selector

    init(_ arguments: borrowing CallArguments) {
        register = SegmentRegister(arguments.word(0))
        selector = Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(1)))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            try unit.load(register, selector, in: &memory)
            return [Fact(register.name, .facts(unit[register].facts))]
        }
    }
}

extension SegmentRegister {
    static let flagNames = FlagNames(
        "register",
        allCases.map { FlagName($0.name, UInt64($0.rawValue)) }
    )

    /// The register of a number; DS for one that there is not.
    init(_ word: UInt64) {
        self = SegmentRegister(rawValue: UInt8(truncatingIfNeeded: word)) ?? .ds
    }
}

/// What far transfers have in common.
private func transferred(
    _ done: FarTransfer,
    _ unit: borrowing SegmentationUnit
) -> [Fact] {
    [
        Fact("path", .text(done.path.rawValue)), Fact("old_cpl", .number(Int64(done.oldCPL))),
        Fact("cpl", .number(Int64(done.newCPL))),
        Fact("cs", .address(UInt64(unit[.cs].selector.rawValue))),
        Fact("eip", .address(UInt64(unit.eip))),
        Fact("ss", .address(UInt64(unit[.ss].selector.rawValue))),
        Fact("esp", .address(UInt64(unit.esp))),
        Fact("gate", done.gate.map { .facts($0.facts) } ?? .null),
        Fact("parameters", .list(done.parameters.map { .address(UInt64($0)) })),
        Fact("cleared", .list(done.cleared.map { .text($0.name) })),
    ]
}

/// The instruction CALL with a selector.
struct FarCall: KernelCall {
    static let signature = CallSignature(
        "far_call",
        returns: "int",
        [selectorParameter, offsetParameter],
        "Calls code of another segment, directly or through a call gate with its stack switch.",
        needs32Bit: true
    )

    var selector: Selector
    var offset: UInt32

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(0)))
        offset = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            let done = try unit.transfer(.call, to: selector, offset, in: &memory)
            return transferred(done, unit)
        }
    }
}

/// The instruction JMP with a selector.
struct FarJump: KernelCall {
    static let signature = CallSignature(
        "far_jump",
        returns: "int",
        [selectorParameter, offsetParameter],
        "Jumps to code of another segment; the privilege level stays.",
        needs32Bit: true
    )

    var selector: Selector
    var offset: UInt32

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(0)))
        offset = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            let done = try unit.transfer(.jump, to: selector, offset, in: &memory)
            return transferred(done, unit)
        }
    }
}

/// The instruction RETF.
struct FarReturn: KernelCall {
    static let signature = CallSignature(
        "far_return",
        returns: "int",
        [
            Parameter(
                "release",
                .unsigned(bits: 16),
                "Bytes of parameters that are taken off both stacks.",
                optional: true
            )
        ],
        "Returns to the code segment on the stack, at the same level or outwards.",
        needs32Bit: true
    )

    var released: UInt16

    init(_ arguments: borrowing CallArguments) {
        released = UInt16(truncatingIfNeeded: arguments.word(0))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            let done = try unit.farReturn(releasing: released, in: &memory)
            return transferred(done, unit)
        }
    }
}

/// The instruction LGDT.
struct LoadTableRegister: KernelCall {
    static let signature = CallSignature(
        "lgdt",
        returns: "int",
        [
            Parameter("base", .unsigned(bits: 32), "Linear address of the table."),
            Parameter("limit", .unsigned(bits: 16), "Its last byte."),
        ],
        "Points GDTR to a table; the hidden parts of registers stay.",
        needs32Bit: true
    )

    var table: SegmentationUnit.TableRegister

    init(_ arguments: borrowing CallArguments) {
        table = .init(
            base: arguments.uint(0),
            limit: UInt16(truncatingIfNeeded: arguments.word(1))
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, _) throws(SegmentFault) in
            try unit.loadGDTR(table)
            return [Fact("gdtr", .facts(unit.gdtr.facts))]
        }
    }
}

/// The instruction LLDT.
struct LoadLocalTable: KernelCall {
    static let signature = CallSignature(
        "lldt",
        returns: "int",
        [selectorParameter],
        "Points LDTR to an LDT of the GDT, or with a null selector to none.",
        needs32Bit: true
    )

    var selector: Selector

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(0)))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            try unit.loadLDTR(selector, in: memory)
            return [Fact("ldtr", .facts(unit.ldtr.facts))]
        }
    }
}

/// The instruction LTR.
struct LoadTask: KernelCall {
    static let signature = CallSignature(
        "ltr",
        returns: "int",
        [selectorParameter],
        "Points TR to a TSS of the GDT and marks it busy; its stacks serve call gates.",
        needs32Bit: true
    )

    var selector: Selector

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(0)))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            try unit.loadTR(selector, in: &memory)
            return [Fact("tr", .facts(unit.tr.facts))]
        }
    }
}

/// Kernel code, a program's code, or real mode: where a lesson begins.
struct SetProcessorMode: KernelCall {
    static let signature = CallSignature(
        "set_mode",
        returns: "int",
        [
            Parameter("mode", .names(modes), "kernel, user or real."),
            Parameter("esp", .unsigned(bits: 32), "Stack pointer.", optional: true),
            Parameter("eip", .unsigned(bits: 32), "Instruction pointer.", optional: true),
            Parameter("a20", .boolean, "Real mode: bit 20 gets through.", optional: true),
        ],
        "Puts a processor into kernel code (CPL 0), a program (CPL 3), or real mode after a reset.",
        needs32Bit: true
    )
    private static let modes = FlagNames(
        "mode",
        [FlagName("kernel", 0), FlagName("user", 1), FlagName("real", 2)]
    )

    var mode: UInt64
    var esp: UInt32?
    var eip: UInt32?
    var isA20Open: Bool

    init(_ arguments: borrowing CallArguments) {
        mode = arguments.word(0)
        esp = arguments.has(1) ? arguments.uint(1) : nil
        eip = arguments.has(2) ? arguments.uint(2) : nil
        isA20Open = !arguments.has(3) || arguments.flag(3)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let boot = kernel.keptBootTables().descriptors(cpu: context.cpu)
        let result = kernel.segmentResult(in: context) { (unit, memory) throws(SegmentFault) in
            switch mode {
            case 0, 1:
                if unit.mode == .real {
                    unit = SegmentationUnit(booted: boot)
                    memory.segmentation.isPaged = true
                }
                let isUser = mode == 1
                try unit.enter(
                    isUser
                        ? SegmentationUnit.userSelectors : SegmentationUnit.kernelSelectors,
                    cpl: isUser ? 3 : 0,
                    in: memory
                )
                unit.esp = isUser ? 0xbfff_f000 : boot.stackEnd
                unit.eip = 0
            default: unit.enterRealMode(isA20Open: isA20Open)
            }
            if let esp { unit.esp = esp }
            if let eip { unit.eip = eip }
            return [
                Fact("mode", .text(unit.mode.rawValue)), Fact("cpl", .number(Int64(unit.cpl))),
                Fact("esp", .address(UInt64(unit.esp))), Fact("eip", .address(UInt64(unit.eip))),
            ]
        }
        return result
    }
}

/// All registers and tables of a processor.
struct ReadSegments: KernelCall {
    static let signature = CallSignature(
        "read_segments",
        returns: "int",
        [],
        "Shows the segment registers with their hidden parts, GDT and LDT; changes nothing.",
        needs32Bit: true
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.hasSegmentation else { return .noSegmentation }
        _ = kernel.keptBootTables()
        return CallResult(.integer(0), detail: .facts(kernel.segmentFacts(cpu: context.cpu)))
    }
}
