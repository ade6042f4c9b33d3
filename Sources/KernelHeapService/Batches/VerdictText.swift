internal import KernelHeap

/// Calls and verdicts for people, of `kheapd run --format text`.
enum VerdictText {
    /// A call's answer: function and result, and below it what the kernel logged.
    ///
    /// - Parameter answer: the JSON of an answer, as the service writes it.
    /// - Returns: the lines without their ends.
    static func lines(ofAnswer answer: String) -> [String] {
        var bytes = Array(answer.utf8)
        bytes.append(contentsOf: repeatElement(0, count: JSONParser.padding))
        guard let parser = JSONParser() else { return [answer] }
        return unsafe bytes.withUnsafeBytes { buffer -> [String] in
            let text = unsafe ByteSlice(
                UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - JSONParser.padding)])
            )
            // What is no answer is shown as it is.
            guard let root = parsed(text, parser), let call = root.member("call"),
                let sequence = root.member("seq")
            else { return [answer] }
            var head = "#\(sequence.number) \(String(call.text))"
            if let value = root.member("return"), value.kind != .null {
                head += " = \(shown(value))"
            }
            if root.member("return")?.kind == .null, returnsPointer(String(call.text)) {
                head += " = NULL"
            }
            if let errno = root.member("errno") { head += " (\(String(errno.text)))" }
            if root.member("injected") != nil { head += " [injected]" }
            var lines = [head]
            if let log = root.member("log") {
                lines += log.children.map { "    " + String($0.text) }
            }
            return lines
        }
    }

    /// Whether null is a pointer's NULL, and not the result of a function without one.
    private static func returnsPointer(_ name: String) -> Bool {
        CallRegistry.byName[name]?.signature.returns.hasSuffix("*") ?? false
    }

    private static func parsed(_ text: ByteSlice, _ parser: JSONParser) -> JSONValue? {
        do throws(Problem) { return try parser.parse(text) } catch { return nil }
    }

    private static func shown(_ value: JSONValue) -> String {
        value.kind == .string ? String(value.text) : value.shown
    }

    static func lines(of verdict: VerdictView, on kernel: borrowing Kernel) -> [String] {
        var lines = ["verdict: \(verdict.isOK ? "ok" : "bad")"]
        if verdict.isPanicked { lines.append("  the kernel has panicked") }
        if let reason = kernel.hangReason { lines.append("  the machine hangs: \(reason.text)") }
        for part in verdict.parts where part.total > 0 {
            lines.append("  \(part.name): \(part.total)")
            for item in part.items {
                let call = item.call.map { "#\($0) " } ?? ""
                lines.append("    \(call)\(item.kind): \(item.text)")
            }
            let rest = part.total - min(UInt64(part.items.count), part.total)
            if rest > 0 { lines.append("    … and \(rest) more") }
        }
        return lines
    }
}
