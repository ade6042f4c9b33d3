internal import KernelHeap

/// Forced failures and verdicts.
extension JSONWriter {
    /// The members of a forced failure.
    mutating func fault(_ fault: InjectedFault) {
        member("name", fault.site.rawValue)
        member("cause", fault.cause.rawValue)
        member("size", fault.size)
    }

    /// The whole document of a verdict.
    mutating func verdict(_ verdict: VerdictView, on kernel: borrowing Kernel) {
        raw("{")
        member("seq", verdict.sequence)
        member("since", verdict.scope.since)
        member("leak_rule", verdict.scope.leakRule.rawValue)
        member("ok", verdict.isOK)
        member("panicked", verdict.isPanicked)
        name("hung")
        if let reason = kernel.hangReason { string(reason.text) } else { raw("null") }
        for part in verdict.parts {
            raw(",")
            string(part.name)
            raw(":")
            self.part(part, on: kernel)
        }
        raw("}")
    }

    private mutating func part(_ part: VerdictPart, on kernel: borrowing Kernel) {
        raw("{")
        member("total", part.total)
        member("by_kind", counts: part.counts.map { ($0.kind, $0.count) })
        if part.forgotten > 0 { member("forgotten", part.forgotten) }
        name("items")
        raw("[")
        var isFirst = true
        for item in part.items {
            if !isFirst { raw(",") }
            isFirst = false
            verdictItem(item, on: kernel)
        }
        raw("]}")
    }

    mutating func verdictItem(_ item: VerdictItem, on kernel: borrowing Kernel) {
        raw("{")
        member("kind", item.kind)
        member("call", orNull: item.call)
        member("function", orNull: item.call.flatMap { kernel.function(ofCall: $0) })
        member("text", item.text)
        for fact in item.facts {
            raw(",")
            self.fact(fact, kernel.profile.gfp)
        }
        raw("}")
    }
}
