internal import KernelHeap

/// Writes the misuse that a call was seen to do.
extension JSONWriter {
    /// Writes the members `warnings` and, where some had no room, `omitted_warnings`.
    ///
    /// - Parameters:
    ///   - outcome: a call's, with at least one warning.
    ///   - kernel: the machine, which knows the calls' functions.
    mutating func warnings(of outcome: CallOutcome, on kernel: borrowing Kernel) {
        name("warnings")
        raw("[")
        var isFirst = true
        for warning in outcome.warnings {
            if !isFirst { raw(",") }
            isFirst = false
            self.warning(warning, on: kernel)
        }
        raw("]")
        if outcome.omittedWarnings > 0 { member("omitted_warnings", outcome.omittedWarnings) }
    }

    private mutating func warning(_ warning: MisuseWarning, on kernel: borrowing Kernel) {
        raw("{")
        members(of: warning, on: kernel)
        raw("}")
    }

    /// The members of one warning, without braces.
    mutating func members(of warning: MisuseWarning, on kernel: borrowing Kernel) {
        member("kind", warning.name)
        member("text", warning.sentence)
        name("calls")
        raw("[")
        var isFirst = true
        for call in warning.calls {
            if !isFirst { raw(",") }
            isFirst = false
            self.call(call, on: kernel)
        }
        raw("]")
        for fact in warning.facts {
            raw(",")
            self.fact(fact, kernel.profile.gfp)
        }
    }

    /// Writes `{"seq":3,"function":"kmalloc"}`.
    private mutating func call(_ sequence: UInt64, on kernel: borrowing Kernel) {
        raw("{")
        member("seq", sequence)
        member("function", orNull: kernel.function(ofCall: sequence))
        raw("}")
    }
}
