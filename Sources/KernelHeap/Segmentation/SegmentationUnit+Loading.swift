/// Loading segment registers: the instruction MOV, and the checks that others share.
extension SegmentationUnit {
    /// Loads a segment register and its hidden part.
    ///
    /// - Parameters:
    ///   - register: any but CS, which only far transfers load.
    ///   - selector: in real mode the segment.
    ///   - memory: where the tables are; the descriptor's accessed bit is set there.
    /// - Throws: #GP, #NP, #SS with the selector; #GP(0) for a null SS; #UD for CS.
    mutating func load<Memory: SegmentMemory & ~Copyable>(
        _ register: SegmentRegister,
        _ selector: Selector,
        in memory: inout Memory
    ) throws(SegmentFault) {
        guard register != .cs else { throw SegmentFault(.invalidOpcode, nil, .notLoadable) }
        guard mode == .protected else {
            self[register] = .real(selector.rawValue)
            return
        }
        var segment =
            register == .ss
            ? try stackSegment(selector, in: memory) : try dataSegment(selector, in: memory)
        if segment.isUsable {
            try markAccessed(segment, in: &memory)
            segment.descriptor = segment.descriptor.accessed
        }
        self[register] = segment
    }

    /// What DS, ES, FS or GS would hold after a load.
    func dataSegment<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        guard !selector.isNull else { return .null(selector) }
        let descriptor = try descriptor(selector, in: memory)
        guard descriptor.isReadable else {
            throw SegmentFault(.generalProtection, selector, .wrongType)
        }
        // Conforming code is open to all.
        guard descriptor.isConforming || descriptor.dpl >= max(cpl, selector.rpl) else {
            throw SegmentFault(.generalProtection, selector, .privilege)
        }
        guard descriptor.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
        return LoadedSegment(selector, descriptor)
    }

    /// What SS would hold after a load at the current privilege level.
    func stackSegment<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        return try stackSegment(selector, level: cpl, else: .generalProtection, in: memory)
    }

    /// The same for another level: of a gate's target, or of where a return leads.
    ///
    /// - Parameters:
    ///   - selector: not null.
    ///   - level: the privilege level that the stack is for.
    ///   - vector: #GP, or #TS where the selector is the TSS's.
    ///   - memory: where the tables are.
    /// - Returns: the register's contents.
    /// - Throws: that exception, or #SS for an absent segment, with the selector.
    func stackSegment<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        level: UInt8,
        else vector: SegmentFault.Vector,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        let descriptor = try descriptor(selector, else: vector, in: memory)
        guard selector.rpl == level else { throw SegmentFault(vector, selector, .privilege) }
        guard descriptor.isWritable else { throw SegmentFault(vector, selector, .wrongType) }
        guard descriptor.dpl == level else { throw SegmentFault(vector, selector, .privilege) }
        guard descriptor.isPresent else { throw SegmentFault(.stack, selector, .absent) }
        return LoadedSegment(selector, descriptor)
    }

    /// What CS would hold after a far jump or call that names a code segment.
    ///
    /// - Throws: #GP where DPL, CPL and RPL do not fit, #NP; the offset is not looked at.
    func codeSegment(
        _ selector: Selector,
        _ descriptor: SegmentDescriptor
    ) throws(SegmentFault) -> LoadedSegment {
        let isOpen =
            descriptor.isConforming
            ? descriptor.dpl <= cpl : descriptor.dpl == cpl && selector.rpl <= cpl
        guard isOpen else { throw SegmentFault(.generalProtection, selector, .privilege) }
        guard descriptor.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
        return LoadedSegment(selector.withRPL(cpl), descriptor)
    }
}
