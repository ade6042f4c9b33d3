internal import KernelHeap

extension StateView {
    /// `GET …/what_is`: region, page, object, area and owner of an address.
    static let whatIs = StateView(
        "what_is",
        parameters: ["address", "pid"]
    ) { (kernel, query) throws(Problem) in
        guard let address = try query.word("address") else {
            var problem = Problem(.missingField, "what_is needs an address", at: "/address")
            problem.valid = ["address=0xffff888000100000"]
            throw problem
        }
        let pid = try query.process(of: kernel) ?? 1
        let view = kernel.whatIs(LinearAddress(rawValue: address), pid: pid)
        var json = JSONWriter(capacity: 2_048)
        json.facts(
            [Fact("seq", .number(Int64(clamping: kernel.sequence)))] + view.facts,
            kernel.profile.gfp
        )
        return ViewAnswer(json)
    }
}
