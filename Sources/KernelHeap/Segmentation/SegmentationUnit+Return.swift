/// Far returns: the way outwards, to the same level or to less privilege.
extension SegmentationUnit {
    /// The instruction RETF.
    ///
    /// - Parameters:
    ///   - released: bytes of parameters that the return takes off both stacks.
    ///   - memory: where tables and stacks are.
    /// - Returns: the way that was taken.
    /// - Throws: #SS, #GP, #NP; the unit is as it was.
    mutating func farReturn<Memory: SegmentMemory & ~Copyable>(
        releasing released: UInt16 = 0,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        let wordBytes: UInt32 = mode == .protected && self[.cs].descriptor.isBig ? 4 : 2
        var stack = currentStack
        try stack.needBytes(2, wordBytes)
        let offset = try stack.peek(0, wordBytes, from: memory, in: self)
        let name = try stack.peek(1, wordBytes, from: memory, in: self)
        let selector = Selector(rawValue: UInt16(truncatingIfNeeded: name))
        guard mode == .protected else {
            let code = LoadedSegment.real(selector.rawValue)
            try checkTarget(offset, in: code)
            stack.release(2 * wordBytes + UInt32(released))
            setCode(code, offset)
            esp = stack.pointer
            return FarTransfer(path: .real, oldCPL: 0, newCPL: 0)
        }
        let code = try returnTarget(selector, in: memory)
        if selector.rpl > cpl {
            return try outward(code, offset, wordBytes, released, in: &memory)
        }
        try checkTarget(offset, in: code)
        try markAccessed(code, in: &memory)
        stack.release(2 * wordBytes + UInt32(released))
        setCode(code, offset)
        esp = stack.pointer
        return FarTransfer(path: .return, oldCPL: cpl, newCPL: cpl)
    }

    private func returnTarget<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        let descriptor = try descriptor(selector, in: memory)
        guard descriptor.isCode else {
            throw SegmentFault(.generalProtection, selector, .wrongType)
        }
        let isOpen =
            selector.rpl >= cpl
            && (descriptor.isConforming
                ? descriptor.dpl <= selector.rpl : descriptor.dpl == selector.rpl)
        guard isOpen else { throw SegmentFault(.generalProtection, selector, .privilege) }
        guard descriptor.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
        return LoadedSegment(selector, descriptor)
    }

    private mutating func outward<Memory: SegmentMemory & ~Copyable>(
        _ code: LoadedSegment,
        _ offset: UInt32,
        _ wordBytes: UInt32,
        _ released: UInt16,
        in memory: inout Memory
    ) throws(SegmentFault) -> FarTransfer {
        let level = code.selector.rpl
        var inner = currentStack
        inner.release(2 * wordBytes + UInt32(released))
        try inner.needBytes(2, wordBytes)
        let pointer = try inner.peek(0, wordBytes, from: memory, in: self)
        let name = try inner.peek(1, wordBytes, from: memory, in: self)
        let selector = Selector(rawValue: UInt16(truncatingIfNeeded: name))
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        var stack = try stackSegment(
            selector,
            level: level,
            else: .generalProtection,
            in: memory
        )
        try checkTarget(offset, in: code)
        try markAccessed(code, in: &memory)
        try markAccessed(stack, in: &memory)
        stack.descriptor = stack.descriptor.accessed
        var outer = StackFrame(segment: stack, pointer: pointer, isUser: level == 3)
        outer.release(UInt32(released))

        var done = FarTransfer(path: .returnOutward, oldCPL: cpl, newCPL: level)
        setCode(code, offset)
        self[.ss] = stack
        esp = outer.pointer
        cpl = level
        done.cleared = clearInnerSegments()
        return done
    }

    /// Makes data registers null that hold what the new level could not have loaded.
    private mutating func clearInnerSegments() -> [SegmentRegister] {
        var cleared: [SegmentRegister] = []
        for register in [SegmentRegister.es, .ds, .fs, .gs] {
            let segment = self[register]
            guard segment.isUsable, segment.descriptor.dpl < cpl,
                !segment.descriptor.isConforming
            else { continue }
            self[register] = .null()
            cleared.append(register)
        }
        return cleared
    }
}
