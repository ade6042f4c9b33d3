internal import KernelHeap

/// Writes what a sweep found.
extension JSONWriter {
    mutating func sweep(_ report: SweepReport, on kernel: borrowing Kernel) {
        raw("{")
        member("seq", report.sequence)
        member("ok", report.isOK)
        member("calls", report.calls)
        member("places", report.places)
        member("run_count", report.runs.count)
        member("bad_runs", report.badRuns)
        member("complete", report.stop == nil)
        member("stopped_by", orNull: report.stop?.rawValue)
        name("clean")
        if let clean = report.clean {
            raw("{")
            findings(of: clean, on: kernel)
            member("ok", clean.isOK)
            member("held_count", clean.heldCount)
            raw("}")
        } else {
            raw("null")
        }
        name("runs")
        raw("[")
        for (index, run) in report.runs.enumerated() {
            raw(index == 0 ? "\n" : ",\n")
            self.run(run, number: index + 1, on: kernel)
        }
        raw("]}")
    }

    private mutating func run(_ run: SweepRun, number: Int, on kernel: borrowing Kernel) {
        raw("{")
        member("n", number)
        member("ok", run.isOK)
        if let (call, fault) = run.fault {
            member("fault") { json in
                json.call(call)
                json.fault(fault)
            }
        }
        member("differ_count", run.differences.count)
        member("differs", objects: run.differences.items) {
            json,
            difference in
            json.call(difference.call)
            json.result(of: difference.call)
            json.member("clean") { $0.result(of: difference.clean) }
        }
        member("leak_count", run.leaks.count)
        member("leaks", objects: run.leaks.items) { $0.leak($1) }
        member("unlooked", objects: run.unlooked.items) { json, use in
            json.call(use.call)
            json.member("name", use.name)
        }
        raw(",")
        findings(of: run, on: kernel)
        raw("}")
    }

    /// The members that the clean run has, too.
    private mutating func findings(of run: SweepRun, on kernel: borrowing Kernel) {
        raw("\"panicked\":")
        boolean(run.isPanicked)
        member("hung", orNull: run.hang)
        name("findings")
        raw("[")
        var isFirst = true
        for item in run.findings.items {
            if !isFirst { raw(",") }
            isFirst = false
            // The calls are those of a fork: the session does not know them.
            raw("{")
            member("kind", item.kind)
            member("call", orNull: item.call)
            member("text", item.text)
            raw("}")
        }
        raw("]")
        member("problems", objects: run.problems.items) { json, problem in
            json.member("item", problem.item)
            json.member("type", "/problems/" + problem.problem.type.rawValue)
            json.member("detail", problem.problem.detail)
        }
    }

    private mutating func call(_ call: ObservedCall) {
        member("item", call.item)
        member("function", call.function)
    }

    private mutating func result(of call: ObservedCall) {
        name("return")
        value(call.value)
        if let errno = call.errno { member("errno", errno.name) }
    }

    private mutating func leak(_ leak: SweepRun.Leak) {
        member("kind", leak.allocation.kindName)
        member("address", address: leak.allocation.address)
        member("size", leak.allocation.size)
        member("cache", orNull: leak.allocation.cache)
        name("item")
        if let call = leak.call { number(call.item) } else { raw("null") }
        member("function", orNull: leak.call?.function)
    }
}
