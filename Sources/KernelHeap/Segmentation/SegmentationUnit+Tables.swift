/// Descriptor tables: reading an entry, and the registers that point to them.
extension SegmentationUnit {
    /// The linear address of a selector's descriptor; nil outside its table.
    func place(of selector: Selector) -> UInt32? {
        let offset = UInt32(selector.index) << 3
        if selector.isLocal {
            guard ldtr.isUsable, offset + 7 <= ldtr.limit else { return nil }
            return ldtr.base &+ offset
        }
        guard offset + 7 <= UInt32(gdtr.limit) else { return nil }
        return gdtr.base &+ offset
    }

    /// The descriptor of a selector.
    ///
    /// - Parameters:
    ///   - selector: not null.
    ///   - vector: which exception an entry outside the table is.
    ///   - memory: where the tables are.
    /// - Returns: the entry, of any kind.
    /// - Throws: the exception with the selector, or #PF.
    func descriptor<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        else vector: SegmentFault.Vector = .generalProtection,
        in memory: borrowing Memory
    ) throws(SegmentFault) -> SegmentDescriptor {
        guard let place = place(of: selector) else {
            throw SegmentFault(vector, selector, .outsideTable)
        }
        return SegmentDescriptor(rawValue: try memory.load(place, 8, isUser: false))
    }

    /// Sets the accessed bit in the table, as each load of a segment register does.
    func markAccessed<Memory: SegmentMemory & ~Copyable>(
        _ segment: LoadedSegment,
        in memory: inout Memory
    ) throws(SegmentFault) {
        guard segment.isUsable, let place = place(of: segment.selector) else { return }
        let now = try memory.load(place &+ 5, 1, isUser: false)
        guard now & 1 == 0 else { return }
        try memory.store(place &+ 5, 1, now | 1, isUser: false)
    }

    /// The instruction LGDT.
    mutating func loadGDTR(_ table: TableRegister) throws(SegmentFault) {
        try needRing0()
        gdtr = table
    }

    /// The instruction LLDT: a null selector leaves no LDT.
    mutating func loadLDTR<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        in memory: borrowing Memory
    ) throws(SegmentFault) {
        try needProtectedMode()
        try needRing0()
        guard !selector.isNull else {
            ldtr = .null(selector)
            return
        }
        ldtr = try systemSegment(selector, [.ldt], in: memory)
    }

    /// The instruction LTR, which marks the TSS busy.
    mutating func loadTR<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        in memory: inout Memory
    ) throws(SegmentFault) {
        try needProtectedMode()
        try needRing0()
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        let types: [SystemType] = [.availableTSS16, .availableTSS32]
        var task = try systemSegment(selector, types, in: memory)
        task.descriptor.rawValue |= 2 << 40
        if let place = place(of: selector) {
            let access = task.descriptor.rawValue >> 40 & 0xff
            try memory.store(place &+ 5, 1, access, isUser: false)
        }
        tr = task
    }

    private func systemSegment<Memory: SegmentMemory & ~Copyable>(
        _ selector: Selector,
        _ types: [SystemType],
        in memory: borrowing Memory
    ) throws(SegmentFault) -> LoadedSegment {
        guard !selector.isLocal else {
            throw SegmentFault(.generalProtection, selector, .outsideTable)
        }
        let descriptor = try descriptor(selector, in: memory)
        guard let type = descriptor.system, types.contains(type) else {
            throw SegmentFault(.generalProtection, selector, .wrongType)
        }
        guard descriptor.isPresent else { throw SegmentFault(.notPresent, selector, .absent) }
        return LoadedSegment(selector, descriptor)
    }

    private func needRing0() throws(SegmentFault) {
        guard cpl == 0 else { throw SegmentFault(.generalProtection, 0, .needsRing0) }
    }

    private func needProtectedMode() throws(SegmentFault) {
        guard mode == .protected else { throw SegmentFault(.invalidOpcode, nil, .realMode) }
    }
}
