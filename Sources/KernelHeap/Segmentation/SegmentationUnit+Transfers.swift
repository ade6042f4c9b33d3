/// What a far transfer did.
public struct FarTransfer: Hashable, Sendable {
    public enum Path: String, CaseIterable, Hashable, Sendable {
        /// The selector names the code segment.
        case direct
        /// Through a call gate, at the same privilege level.
        case gate
        /// Through a call gate, inwards, onto the stack that the TSS names.
        case gateInward = "gate_inward"
        /// A return at the same level, or outwards onto the caller's stack.
        case `return`, returnOutward = "return_outward"
        /// Real mode: no check but that of the offset.
        case real
        /// A TSS or task gate whose checks passed: the switch itself is not simulated.
        case taskSwitch = "task_switch"
    }

    public var path: Path
    /// What was left, and what was entered.
    public var oldCPL: UInt8
    public var newCPL: UInt8
    public var gate: SegmentDescriptor?
    /// Words that the gate copied from the old stack, lowest first.
    public var parameters: [UInt32] = []
    /// Data registers that a return outwards made null, as the new level may not use them.
    public var cleared: [SegmentRegister] = []
}

/// Far jumps and calls.
extension SegmentationUnit {
    public enum Transfer: String, CaseIterable, Hashable, Sendable {
        case call, jump
    }

    /// The instruction CALL or JMP with a selector and an offset.
    ///
    /// - Parameters:
    ///   - transfer: calls push the return address.
    ///   - selector: of a code segment, a call gate, a task gate or a TSS.
    ///   - offset: in the code segment; a gate has its own.
    ///   - memory: where tables, task state and stacks are.
    /// - Returns: the way that was taken.
    /// - Throws: #GP, #NP, #SS, #TS; the unit is as it was.
    mutating func transfer<Memory: SegmentMemory & ~Copyable>(
        _ transfer: Transfer,
        to selector: Selector,
        _ offset: UInt32,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        guard mode == .protected else {
            return try realTransfer(transfer, to: selector, offset, in: &memory)
        }
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        let descriptor = try descriptor(selector, in: memory)
        if descriptor.isCode {
            return try direct(transfer, to: selector, descriptor, offset, in: &memory)
        }
        switch descriptor.system {
        case .callGate16, .callGate32:
            return try throughGate(transfer, selector, descriptor, in: &memory)
        case .taskGate, .availableTSS16, .availableTSS32, .busyTSS16, .busyTSS32:
            return try checkTask(selector, descriptor, in: memory)
        case .ldt, .interruptGate16, .trapGate16, .interruptGate32, .trapGate32, nil:
            throw SegmentFault(.generalProtection, selector, .wrongType)
        }
    }

    private mutating func direct<Memory: SegmentMemory & ~Copyable>(
        _ transfer: Transfer,
        to selector: Selector,
        _ descriptor: SegmentDescriptor,
        _ offset: UInt32,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        let code = try codeSegment(selector, descriptor)
        let wordBytes: UInt32 = self[.cs].descriptor.isBig ? 4 : 2
        let offset = wordBytes == 4 ? offset : offset & 0xffff
        try enter(code, offset, transfer, wordBytes, in: &memory)
        return FarTransfer(path: .direct, oldCPL: cpl, newCPL: cpl)
    }

    /// Pushes the return address for a call, and loads CS and EIP, at the same level.
    mutating func enter<Memory: SegmentMemory & ~Copyable>(
        _ code: LoadedSegment,
        _ offset: UInt32,
        _ transfer: Transfer,
        _ wordBytes: UInt32,
        in memory: inout Memory
    ) throws(SegmentFault) {
        var stack = currentStack
        if transfer == .call { try stack.needRoom(2, wordBytes) }
        try checkTarget(offset, in: code)
        if mode == .protected { try markAccessed(code, in: &memory) }
        if transfer == .call {
            try stack.push(UInt32(self[.cs].selector.rawValue), wordBytes, to: &memory, in: self)
            try stack.push(eip, wordBytes, to: &memory, in: self)
        }
        setCode(code, offset)
        esp = stack.pointer
    }

    mutating func setCode(_ code: LoadedSegment, _ offset: UInt32) {
        var code = code
        if mode == .protected { code.descriptor = code.descriptor.accessed }
        self[.cs] = code
        eip = offset
    }

    var currentStack: StackFrame {
        StackFrame(segment: self[.ss], pointer: esp, isUser: isUser, errorCode: errorCodeZero)
    }

    private mutating func realTransfer<Memory: SegmentMemory & ~Copyable>(
        _ transfer: Transfer,
        to selector: Selector,
        _ offset: UInt32,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        try enter(.real(selector.rawValue), offset & 0xffff, transfer, 2, in: &memory)
        return FarTransfer(path: .real, oldCPL: 0, newCPL: 0)
    }

    /// The checks before a task switch, which is not carried out.
    private func checkTask<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        _ descriptor: SegmentDescriptor,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> FarTransfer {
        let isGate = descriptor.system == .taskGate
        guard isGate || !selector.isLocal else {
            throw SegmentFault(.generalProtection, selector, .outsideTable)
        }
        guard descriptor.dpl >= max(cpl, selector.rpl) else {
            throw SegmentFault(.generalProtection, selector, .privilege)
        }
        var task = descriptor
        var name = selector
        if isGate {
            guard descriptor.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
            name = descriptor.gateSelector
            guard !name.isLocal, !name.isNull else {
                throw SegmentFault(.generalProtection, name, .outsideTable)
            }
            task = try self.descriptor(name, in: memory)
        }
        guard task.system == .availableTSS16 || task.system == .availableTSS32 else {
            throw SegmentFault(.generalProtection, name, .wrongType)
        }
        guard task.isPresent else { throw SegmentFault(.notPresent, name, .absent) }
        return FarTransfer(
            path: .taskSwitch,
            oldCPL: cpl,
            newCPL: cpl,
            gate: isGate ? descriptor : nil
        )
    }
}
