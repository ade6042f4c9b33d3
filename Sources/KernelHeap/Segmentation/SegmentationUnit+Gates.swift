/// Call gates: the only way to more privilege that a program itself can take.
///
///     caller's stack           stack from the TSS: ss0:esp0
///     | parameter 1 |          | old SS      |
///     | parameter 0 | ← ESP    | old ESP     |
///                              | parameter 1 |
///                              | parameter 0 |
///                              | old CS      |
///                              | old EIP     | ← ESP
extension SegmentationUnit {
    mutating func throughGate<Memory: SegmentMemory & ~Copyable>(
        _ transfer: Transfer,
        _ selector: Selector,
        _ gate: SegmentDescriptor,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        guard gate.dpl >= max(cpl, selector.rpl) else {
            throw SegmentFault(.generalProtection, selector, .privilege)
        }
        guard gate.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
        let target = gate.gateSelector
        guard !target.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        let code = try gateTarget(target, transfer, in: memory)
        if transfer == .call && !code.descriptor.isConforming && code.descriptor.dpl < cpl {
            return try inward(gate, code, in: &memory)
        }
        let same = LoadedSegment(target.withRPL(cpl), code.descriptor)
        let wordBytes: UInt32 = gate.system == .callGate32 ? 4 : 2
        let level = cpl
        try enter(same, gate.gateOffset, transfer, wordBytes, in: &memory)
        return FarTransfer(path: .gate, oldCPL: level, newCPL: level, gate: gate)
    }

    /// The code segment behind a gate; the RPL in the gate does not count.
    private func gateTarget<Memory: SegmentMemory & ~Copyable>(
        _ target: Selector,
        _ transfer: Transfer,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        let descriptor = try descriptor(target, in: memory)
        guard descriptor.isCode else {
            throw SegmentFault(.generalProtection, target, .wrongType)
        }
        // A jump never changes the level, so that other code than conforming must be at it.
        let mustEqual = transfer == .jump && !descriptor.isConforming
        guard mustEqual ? descriptor.dpl == cpl : descriptor.dpl <= cpl else {
            throw SegmentFault(.generalProtection, target, .privilege)
        }
        guard descriptor.isPresent else { throw SegmentFault(.notPresent, target, .absent) }
        return LoadedSegment(target, descriptor)
    }

    private mutating func inward<Memory: SegmentMemory & ~Copyable>(
        _ gate: SegmentDescriptor,
        _ target: LoadedSegment,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        let level = target.descriptor.dpl
        let wordBytes: UInt32 = gate.system == .callGate32 ? 4 : 2
        let count = gate.gateParameterCount
        let old = currentStack
        var stack = try innerStack(of: level, in: memory)
        try stack.needRoom(count + 4, wordBytes)
        let code = LoadedSegment(target.selector.withRPL(level), target.descriptor)
        try checkTarget(gate.gateOffset, in: code)
        var parameters: [UInt32] = []
        for index in 0..<count {
            parameters.append(try old.peek(index, wordBytes, from: memory, in: self))
        }
        try markAccessed(stack.segment, in: &memory)
        try markAccessed(code, in: &memory)
        var words = [UInt32(self[.ss].selector.rawValue), esp]
        words += parameters.reversed()
        words += [UInt32(self[.cs].selector.rawValue), eip]
        for word in words { try stack.push(word, wordBytes, to: &memory, in: self) }

        let done = FarTransfer(
            path: .gateInward,
            oldCPL: cpl,
            newCPL: level,
            gate: gate,
            parameters: parameters
        )
        stack.segment.descriptor = stack.segment.descriptor.accessed
        self[.ss] = stack.segment
        esp = stack.pointer
        cpl = level
        setCode(code, gate.gateOffset)
        return done
    }

    /// The stack that the TSS has for a level: `ss0:esp0` and its like.
    private func innerStack<Memory: SegmentMemory & ~Copyable>(
        of level: UInt8,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> StackFrame {
        let is32Bit = tr.descriptor.system?.is32Bit ?? true
        let bytes: UInt32 = is32Bit ? 4 : 2
        let place = is32Bit ? UInt32(level) * 8 + 4 : UInt32(level) * 4 + 2
        // The selector takes two bytes of its field.
        guard tr.isUsable, place + bytes + 1 <= tr.limit else {
            throw SegmentFault(.invalidTSS, tr.selector, .tssTooShort)
        }
        let pointer = try memory.load(tr.base &+ place, Int(bytes), isUser: false)
        let name = try memory.load(tr.base &+ place &+ bytes, 2, isUser: false)
        let selector = Selector(rawValue: UInt16(truncatingIfNeeded: name))
        guard !selector.isNull else {
            throw SegmentFault(.invalidTSS, selector, .nullSelector)
        }
        let segment = try stackSegment(selector, level: level, else: .invalidTSS, in: memory)
        return StackFrame(
            segment: segment,
            pointer: UInt32(truncatingIfNeeded: pointer),
            isUser: level == 3,
            errorCode: UInt32(selector.rawValue & ~3)
        )
    }
}
