internal import KernelHeap

extension StateView {
    /// `GET …/translate`: an address through segmentation and the page tables, step by step.
    static let translate = StateView(
        "translate",
        parameters: [
            "address", "pid", "access", "mode", "segment", "selector", "offset", "size", "cpu",
        ]
    ) { (kernel, query) throws(Problem) in
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
        let view: TranslationView
        if let logical = try query.logicalAddress(access ?? .read, of: kernel) {
            view = kernel.translationView(
                logical,
                pid: pid,
                access: access ?? .read,
                isUser: isUser
            )
        } else {
            view = kernel.translationView(
                LinearAddress(rawValue: try query.linearAddress()),
                pid: pid,
                access: access ?? .read,
                isUser: isUser ?? false
            )
        }
        var json = JSONWriter(capacity: 2_048)
        json.facts(
            [Fact("seq", .number(Int64(clamping: kernel.sequence)))] + view.facts,
            kernel.profile.gfp
        )
        return ViewAnswer(json)
    }
}
