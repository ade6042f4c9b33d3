internal import KernelHeap

extension StateView {
    /// `GET …/segments`: segment registers with their hidden parts, GDT and LDT decoded.
    static let segments = StateView("segments", parameters: ["cpu"]) {
        (kernel, query) throws(Problem) in
        let cpu = try query.processor(of: kernel)
        var json = JSONWriter(capacity: 8_192)
        json.facts(
            [Fact("seq", .number(Int64(clamping: kernel.sequence)))]
                + kernel.segmentFacts(cpu: cpu),
            kernel.profile.gfp
        )
        return ViewAnswer(json)
    }
}

extension ViewQuery {
    /// The CPU that is asked about; the first where the field is absent.
    func processor(of kernel: borrowing Kernel) throws(Problem) -> Int {
        let last = UInt64(max(kernel.machine.cpus, 1) - 1)
        return Int(try number("cpu", default: 0, in: 0...last))
    }

    /// The linear address of `translate`.
    ///
    /// - Throws: `missing-field`, and `invalid-value` where an offset has no segment.
    func linearAddress() throws(Problem) -> UInt64 {
        for name in ["offset", "size", "cpu"] where text(name) != nil {
            throw Problem(.invalidValue, "\(name) needs a segment or selector", at: "/" + name)
        }
        if let address = try word("address") { return address }
        var problem = Problem(.missingField, "translate needs an address", at: "/address")
        problem.valid = [
            "address=0xffff888000100000", "segment=ds&offset=0x1000", "selector=0x7b&offset=0x1000",
        ]
        throw problem
    }

    /// The logical address of `translate`, with its linear one.
    ///
    /// - Parameters:
    ///   - access: what is to be done.
    ///   - kernel: whose processor.
    /// - Returns: nil where the query names no segment.
    /// - Throws: `invalid-value` on 64-bit machines and beside another address.
    func logicalAddress(
        _ access: TranslationView.Access,
        of kernel: borrowing Kernel
    ) throws(Problem) -> LogicalAddressView? {
        let register = try choice("segment", from: SegmentRegister.allCases.map(\.name)) { name in
            SegmentRegister.allCases.first { $0.name == name }
        }
        let selector = try number("selector", in: 0...0xffff)
        guard register != nil || selector != nil else { return nil }
        let name = register == nil ? "/selector" : "/segment"
        guard register == nil || selector == nil, text("address") == nil else {
            let detail = "give one of address, segment and selector"
            throw Problem(.invalidValue, detail, at: name)
        }
        let segment: LogicalAddressView.Segment =
            if let register {
                .register(register)
            } else {
                .selector(Selector(rawValue: UInt16(truncatingIfNeeded: selector ?? 0)))
            }
        let offset = try number("offset", default: 0, in: 0...0xffff_ffff)
        let size = try number("size", default: 1, in: 1...0xffff_ffff)
        let view = kernel.logicalAddressView(
            segment,
            UInt32(truncatingIfNeeded: offset),
            count: UInt32(truncatingIfNeeded: size),
            access: access.segmentAccess,
            cpu: try processor(of: kernel)
        )
        if let view { return view }
        throw Problem(.invalidValue, "this machine runs in 64-bit mode: no segmentation", at: name)
    }
}
