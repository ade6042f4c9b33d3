internal import KernelHeap

extension StateView {
    /// `GET …/verdict`: whether a run was sound, in one document.
    static let verdict = StateView(
        "verdict",
        parameters: ["since", "leak_rule", "limit"],
        isLong: { (kernel, _) in kernel.heldBytes > 1 << 20 }
    ) { (kernel, query) throws(Problem) in
        let limit = Int(try query.number("limit", default: 20, in: 1...1_000))
        let since = try query.number("since", default: 0, in: 0...kernel.sequence)
        let rule = try query.choice(
            "leak_rule",
            from: VerdictScope.LeakRule.allCases.map(\.rawValue)
        ) { VerdictScope.LeakRule(rawValue: $0) }
        let scope = VerdictScope(since: since, leakRule: rule ?? .held)
        var json = JSONWriter(capacity: 4_096)
        json.verdict(kernel.verdict(scope, limit: limit), on: kernel)
        return ViewAnswer(json)
    }
}
