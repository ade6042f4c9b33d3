/// A processor's segmentation: registers with their hidden parts, and the tables decoded.
///
/// A processor in 64-bit mode has neither limits nor, but for FS and GS, bases: its mode is `long`,
/// and it has nothing to show.
extension Kernel {
    /// Entries of a table that are looked at.
    static let shownDescriptors = 256

    /// - Parameter cpu: below the machine's count.
    /// - Returns: what `GET …/segments` answers with, without `seq`.
    public func segmentFacts(cpu: Int) -> [Fact] {
        guard hasSegmentation else {
            return [
                Fact("cpu", .number(Int64(cpu))), Fact("mode", .text("long")),
                Fact("cpl", .null), Fact("a20", .null), Fact("eip", .null), Fact("esp", .null),
                Fact("gdtr", .null), Fact("ldtr", .null), Fact("tr", .null),
                Fact("registers", .list([])), Fact("gdt", .list([])), Fact("ldt", .list([])),
                Fact("fault", .null),
            ]
        }
        let unit = segmentationUnit(cpu: cpu)
        let registers = SegmentRegister.allCases.map { register in
            FactValue.facts([Fact("name", .text(register.name))] + unit[register].facts)
        }
        var fault: SegmentFault?
        let gdt = entries(of: unit, isLocal: false, &fault)
        let ldt = entries(of: unit, isLocal: true, &fault)
        return [
            Fact("cpu", .number(Int64(cpu))), Fact("mode", .text(unit.mode.rawValue)),
            Fact("cpl", .number(Int64(unit.cpl))), Fact("a20", .boolean(unit.isA20Open)),
            Fact("eip", .address(UInt64(unit.eip))), Fact("esp", .address(UInt64(unit.esp))),
            Fact("gdtr", .facts(unit.gdtr.facts)), Fact("ldtr", .facts(unit.ldtr.facts)),
            Fact("tr", .facts(unit.tr.facts)), Fact("registers", .list(registers)),
            Fact("gdt", .list(gdt)), Fact("ldt", .list(ldt)),
            Fact("fault", fault.map { .facts($0.facts) } ?? .null),
        ]
    }

    /// The entries of a table that are not zero, up to the first that cannot be read.
    private func entries(
        of unit: SegmentationUnit,
        isLocal: Bool,
        _ fault: inout SegmentFault?
    ) -> [FactValue] {
        var found: [FactValue] = []
        for index in 0..<Self.shownDescriptors {
            let selector = Selector(index: index, isLocal: isLocal)
            guard let place = unit.place(of: selector) else { break }
            do throws(SegmentFault) {
                let word = try load(place, 8, isUser: false)
                guard word != 0 else { continue }
                let facts = [
                    Fact("index", .number(Int64(index))),
                    Fact("selector", .address(UInt64(selector.rawValue))),
                ]
                found.append(.facts(facts + SegmentDescriptor(rawValue: word).facts))
            } catch {
                fault = error
                break
            }
        }
        return found
    }
}
