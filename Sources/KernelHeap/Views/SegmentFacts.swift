/// Descriptors, registers and faults of segmentation, as details and views show them.
extension SegmentDescriptor {
    /// One word for what the entry is: `data`, `code`, `tss32_busy`, `call_gate32`, `reserved`.
    public var kind: String {
        if isCode { return "code" }
        if isData { return "data" }
        return switch system {
        case .ldt: "ldt"
        case .availableTSS16: "tss16_available"
        case .busyTSS16: "tss16_busy"
        case .availableTSS32: "tss32_available"
        case .busyTSS32: "tss32_busy"
        case .callGate16: "call_gate16"
        case .callGate32: "call_gate32"
        case .taskGate: "task_gate"
        case .interruptGate16: "interrupt_gate16"
        case .interruptGate32: "interrupt_gate32"
        case .trapGate16: "trap_gate16"
        case .trapGate32: "trap_gate32"
        case nil: "reserved"
        }
    }

    /// What may be done with code and data: `rw`, `r expand_down`, `xr conforming`; else empty.
    public var rights: String {
        if isCode { return (isReadable ? "xr" : "x") + (isConforming ? " conforming" : "") }
        if isData { return (isWritable ? "rw" : "r") + (isExpandDown ? " expand_down" : "") }
        return ""
    }

    var facts: [Fact] {
        let isGate = system?.isGate == true
        var facts = [
            Fact("raw", .address(rawValue)), Fact("kind", .text(kind)),
            Fact("rights", .text(rights)), Fact("type", .number(Int64(type))),
            Fact("dpl", .number(Int64(dpl))),
        ]
        for (name, flag) in Flags.names {
            // In a gate the places of the others are part of the offset.
            guard !isGate || flag == .segment || flag == .present else { continue }
            facts.append(Fact(name.lowercased(), .boolean(flags.contains(flag))))
        }
        if isGate {
            facts += [
                Fact("gate_selector", .address(UInt64(gateSelector.rawValue))),
                Fact("gate_offset", .address(UInt64(gateOffset))),
                Fact("parameters", .number(Int64(gateParameterCount))),
            ]
        } else {
            facts += [
                Fact("base", .address(UInt64(base))), Fact("limit", .address(UInt64(limit))),
                Fact("byte_limit", .address(UInt64(lastByte))),
            ]
        }
        return facts
    }
}

extension Selector {
    var facts: [Fact] {
        [
            Fact("selector", .address(UInt64(rawValue))), Fact("index", .number(Int64(index))),
            Fact("table", .text(isLocal ? "ldt" : "gdt")), Fact("rpl", .number(Int64(rpl))),
        ]
    }
}

extension LoadedSegment {
    /// The selector, and the hidden part; null where nothing can be accessed through it.
    var facts: [Fact] {
        selector.facts + [
            Fact("usable", .boolean(isUsable)),
            Fact("hidden", isUsable ? .facts(descriptor.facts) : .null),
        ]
    }
}

extension SegmentFault {
    var facts: [Fact] {
        [
            Fact("exception", .text(vector.name)), Fact("vector", .number(Int64(vector.rawValue))),
            Fact("error_code", errorCode.map { .number(Int64($0)) } ?? .null),
            Fact("reason", .text(reason.rawValue)),
            Fact("address", address.map { .address(UInt64($0)) } ?? .null),
        ]
    }
}

extension SegmentationUnit.TableRegister {
    var facts: [Fact] {
        [
            Fact("base", .address(UInt64(base))), Fact("limit", .address(UInt64(limit))),
            Fact("entries", .number((Int64(limit) + 1) / 8)),
        ]
    }
}
