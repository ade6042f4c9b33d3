internal import KernelHeap

extension StateView {
    /// `GET …/translate`: an address, level by level of the page tables.
    static let translate = StateView(
        "translate",
        parameters: ["address", "pid", "access", "mode"]
    ) { (kernel, query) throws(Problem) in
        guard let address = try query.word("address") else {
            var problem = Problem(.missingField, "translate needs an address", at: "/address")
            problem.valid = ["address=0xffff888000100000"]
            throw problem
        }
        let pid = try query.process(of: kernel) ?? 1
        let names = TranslationView.Access.allCases.map(\.name)
        let access = try query.choice("access", from: names) { name in
            TranslationView.Access.allCases.first { $0.name == name }
        }
        let isUser = try query.choice("mode", from: ["kernel", "user"]) { name in
            switch name {
            case "kernel": false
            case "user": true
            default: nil
            }
        }
        let view = kernel.translationView(
            LinearAddress(rawValue: address),
            pid: pid,
            access: access ?? .read,
            isUser: isUser ?? false
        )
        var json = JSONWriter(capacity: 2_048)
        json.facts(
            [Fact("seq", .number(Int64(clamping: kernel.sequence)))] + view.facts,
            kernel.profile.gfp
        )
        return ViewAnswer(json)
    }
}
