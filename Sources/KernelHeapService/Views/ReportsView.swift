internal import KernelHeap

extension StateView {
    /// `GET …/reports`: the newest misuse that calls were seen to do, and how much there was.
    static let reports = StateView("reports") { (kernel, _) throws(Problem) in
        let found = kernel.misuseReports
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("total", found.total)
            json.member("omitted", found.omitted)
            json.member("counts", objects: found.counts.sorted { $0.key < $1.key }) { json, row in
                json.member("kind", row.key)
                json.member("count", row.value)
            }
            json.name("reports")
            json.raw("[")
            var isFirst = true
            for report in found.reports {
                if !isFirst { json.raw(",") }
                isFirst = false
                json.report(report, on: kernel)
            }
            json.raw("]")
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    /// Writes `{"call":3,"function":"kfree","warning":{…},"lines":[…]}`.
    fileprivate mutating func report(
        _ report: MisuseReports.Report,
        on kernel: borrowing Kernel
    ) {
        raw("{")
        member("call", report.call)
        member("function", report.function)
        name("warning")
        raw("{")
        members(of: report.warning, on: kernel)
        raw("}")
        name("lines")
        strings(report.warning.lines)
        raw("}")
    }
}
