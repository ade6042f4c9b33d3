/// A logical address on its way to a linear one; nothing is changed by looking.
public struct LogicalAddressView: Sendable {
    /// What names the segment: a register's hidden part, or a selector that would be loaded.
    public enum Segment: Hashable, Sendable {
        case register(SegmentRegister)
        case selector(Selector)
    }

    public var segment: Segment
    public var offset: UInt32
    /// Bytes of the access.
    public var count: UInt32
    public var cpl: UInt8
    public var mode: SegmentationUnit.Mode
    /// The segment as it is used; nil where the selector cannot be loaded.
    public var loaded: LoadedSegment?
    /// Nil where the access faults.
    public var linear: UInt32?
    public var fault: SegmentFault?
}

extension Kernel {
    /// Finds the linear address of a logical one.
    ///
    /// - Parameters:
    ///   - segment: a register, or a selector: of DS, or of CS where instructions are fetched.
    ///   - offset: in the segment.
    ///   - count: bytes, at least 1.
    ///   - access: what is to be done.
    ///   - cpu: whose registers and tables.
    /// - Returns: the way, or the fault that ends it; nil on machines without segments.
    public func logicalAddressView(
        _ segment: LogicalAddressView.Segment,
        _ offset: UInt32,
        count: UInt32,
        access: SegmentationUnit.Access,
        cpu: Int
    ) -> LogicalAddressView? {
        guard hasSegmentation else { return nil }
        let unit = segmentationUnit(cpu: cpu)
        var view = LogicalAddressView(
            segment: segment,
            offset: offset,
            count: max(count, 1),
            cpl: unit.cpl,
            mode: unit.mode
        )
        do throws(SegmentFault) {
            var vector = SegmentFault.Vector.generalProtection
            switch segment {
            case .register(let register):
                view.loaded = unit[register]
                if register == .ss { vector = .stack }
                view.linear = try unit.linear(register, offset, count: view.count, access)
            case .selector(let selector):
                let loaded = try wouldLoad(selector, for: access, on: unit)
                view.loaded = loaded
                view.linear = try unit.linear(
                    in: loaded,
                    offset,
                    count: view.count,
                    access,
                    else: vector
                )
            }
        } catch {
            view.fault = error
        }
        return view
    }

    /// What a data register, or CS for a fetch, would hold.
    private func wouldLoad(
        _ selector: Selector,
        for access: SegmentationUnit.Access,
        on unit: SegmentationUnit
    ) throws(SegmentFault) -> LoadedSegment {
        guard unit.mode == .protected else { return .real(selector.rawValue) }
        guard access == .execute else { return try unit.dataSegment(selector, in: self) }
        guard !selector.isNull else { throw SegmentFault(.generalProtection, 0, .nullSelector) }
        let descriptor = try unit.descriptor(selector, in: self)
        guard descriptor.isCode else {
            throw SegmentFault(.generalProtection, selector, .wrongType)
        }
        return try unit.codeSegment(selector, descriptor)
    }
}

extension LogicalAddressView {
    var facts: [Fact] {
        var name: [Fact]
        switch segment {
        case .register(let register): name = [Fact("register", .text(register.name))]
        case .selector: name = [Fact("register", .null)]
        }
        let selector: Selector? =
            switch segment {
            case .register: loaded?.selector
            case .selector(let selector): selector
            }
        name += (selector ?? .null).facts
        return name + [
            Fact("offset", .address(UInt64(offset))), Fact("size", .number(Int64(count))),
            Fact("cpl", .number(Int64(cpl))), Fact("mode", .text(mode.rawValue)),
            Fact(
                "descriptor",
                loaded.flatMap { $0.isUsable ? .facts($0.descriptor.facts) : nil } ?? .null
            ),
            Fact("linear", linear.map { .address(UInt64($0)) } ?? .null),
            Fact("fault", fault.map { .facts($0.facts) } ?? .null),
        ]
    }
}
