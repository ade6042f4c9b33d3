/// Writing descriptor tables, as kernel code does with `write_gdt_entry()` and `write_ldt_entry()`.
let descriptorCalls: [any KernelCall.Type] = [SetDescriptor.self, SetGate.self]

private let tableParameter = Parameter(
    "table",
    .names(FlagNames("table", [FlagName("gdt", 0), FlagName("ldt", 1)])),
    "gdt or ldt."
)
private let indexParameter = Parameter("index", .unsigned(bits: 13), "Of the entry.")
private let levelParameter = Parameter(
    "dpl",
    .unsigned(bits: 2),
    "Privilege level; 0 where left out.",
    optional: true
)

extension Kernel {
    /// Stores a table's entry through the page tables, whatever the CPL is.
    fileprivate mutating func setDescriptor(
        _ descriptor: SegmentDescriptor,
        at selector: Selector,
        in context: CallContext
    ) -> CallResult {
        guard hasSegmentation else { return .noSegmentation }
        let unit = segmentationUnit(cpu: context.cpu)
        guard let place = unit.place(of: selector) else {
            return CallResult(.integer(-Int64(Errno.EINVAL.rawValue)), errno: .EINVAL)
        }
        return segmentResult(in: context) { (_, memory) throws(SegmentFault) in
            memory.segmentation.isPaged = true
            try memory.store(place, 8, descriptor.rawValue, isUser: false)
            return [
                Fact("selector", .address(UInt64(selector.rawValue))),
                Fact("address", .address(UInt64(place))),
                Fact("descriptor", .facts(descriptor.facts)),
            ]
        }
    }
}

/// Writes an entry for code, data, an LDT or a TSS; or any eight bytes.
struct SetDescriptor: KernelCall {
    static let signature = CallSignature(
        "set_descriptor",
        returns: "int",
        [
            tableParameter, indexParameter,
            Parameter("base", .unsigned(bits: 32), "Linear address; 0.", optional: true),
            Parameter("limit", .unsigned(bits: 20), "Bytes or, with G, pages; 0.", optional: true),
            Parameter("type", .unsigned(bits: 4), "2 is rw data, 10 xr code; 0.", optional: true),
            levelParameter,
            Parameter("flags", .names(flagNames), "S|P|D|G where left out.", optional: true),
            Parameter(
                "descriptor",
                .unsigned(bits: 64),
                "All eight bytes as a number, instead of the fields.",
                optional: true,
                isFixedWidth: true
            ),
        ],
        "Writes an entry of the GDT or LDT; -EINVAL outside the table. Hidden parts stay.",
        needs32Bit: true
    )
    private static let flagNames = FlagNames(
        "flags",
        SegmentDescriptor.Flags.names.map { FlagName($0.name, $0.flag.rawValue) }
    )

    var selector: Selector
    var descriptor: SegmentDescriptor

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(
            index: Int(truncatingIfNeeded: arguments.word(1) & 0x1fff),
            isLocal: arguments.word(0) & 1 != 0
        )
        if arguments.has(7) {
            descriptor = SegmentDescriptor(rawValue: arguments.word(7))
            return
        }
        descriptor = SegmentDescriptor(
            base: arguments.uint(2),
            limit: arguments.uint(3),
            type: UInt8(truncatingIfNeeded: arguments.word(4)),
            dpl: UInt8(truncatingIfNeeded: arguments.word(5)),
            flags: arguments.has(6)
                ? SegmentDescriptor.Flags(rawValue: arguments.word(6))
                : [.segment, .present, .big, .granular]
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.setDescriptor(descriptor, at: selector, in: context)
    }
}

/// Writes a gate.
struct SetGate: KernelCall {
    static let signature = CallSignature(
        "set_gate",
        returns: "int",
        [
            tableParameter, indexParameter,
            Parameter("selector", .unsigned(bits: 16), "Of the code segment, or of the TSS."),
            Parameter("offset", .unsigned(bits: 32), "Where the code begins; 0.", optional: true),
            Parameter("type", .names(types), "call_gate32 where left out.", optional: true),
            levelParameter,
            Parameter(
                "parameters",
                .unsigned(bits: 5),
                "Words that a call gate copies to the new stack; 0.",
                optional: true
            ),
            Parameter("present", .boolean, "P; true where left out.", optional: true),
        ],
        "Writes a call or task gate into the GDT or LDT; -EINVAL outside the table.",
        needs32Bit: true
    )
    private static let types = FlagNames(
        "type",
        [SystemType.callGate16, .taskGate, .callGate32].map {
            FlagName(
                SegmentDescriptor(gate: $0, selector: .null, offset: 0, dpl: 0).kind,
                UInt64($0.rawValue)
            )
        }
    )

    var selector: Selector
    var gate: SegmentDescriptor

    init(_ arguments: borrowing CallArguments) {
        selector = Selector(
            index: Int(truncatingIfNeeded: arguments.word(1) & 0x1fff),
            isLocal: arguments.word(0) & 1 != 0
        )
        let type = UInt8(truncatingIfNeeded: arguments.word(4))
        gate = SegmentDescriptor(
            gate: SystemType(rawValue: type) ?? .callGate32,
            selector: Selector(rawValue: UInt16(truncatingIfNeeded: arguments.word(2))),
            offset: arguments.uint(3),
            dpl: UInt8(truncatingIfNeeded: arguments.word(5)),
            parameterCount: UInt8(truncatingIfNeeded: arguments.word(6)),
            isPresent: !arguments.has(7) || arguments.flag(7)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.setDescriptor(gate, at: selector, in: context)
    }
}
