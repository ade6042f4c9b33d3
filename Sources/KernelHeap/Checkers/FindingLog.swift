/// Something that a call did wrong, as the verdict on a run tells it.
public struct Finding: Hashable, Sendable {
    public enum What: Hashable, Sendable {
        /// Misuse that the machine let pass.
        case misuse(Misuse)
        /// The head of a report in the kernel's log.
        case report(ReportKind, line: String)
    }

    /// What is kept of a warning: the reports of checkers carry much more.
    public struct Misuse: Hashable, Sendable {
        public var name: String
        public var sentence: String
        /// Other calls that it names.
        public var calls: [UInt64]
        /// The part of a verdict that tells it.
        public var part: Part

        public enum Part: Hashable, Sendable {
            case warnings, contexts, unlooked
        }

        init(_ warning: MisuseWarning) {
            name = warning.name
            sentence = warning.sentence
            calls = warning.calls
            part =
                switch warning {
                case .wrongContext: .contexts
                case .uncheckedCopy: .unlooked
                default: .warnings
                }
        }
    }

    public var call: UInt64
    public var what: What

    /// Host memory beside the value itself, in bytes.
    fileprivate var textBytes: Int {
        switch what {
        case .misuse(let misuse): misuse.sentence.utf8.count + misuse.calls.count * 8 + 128
        case .report(_, let line): line.utf8.count + 32
        }
    }
}

/// What the first line of a report says that it is about.
public enum ReportKind: String, CaseIterable, Hashable, Sendable {
    case bug, warning, oops, panic, hang, kasan, kmemleak
    case outOfMemory = "out_of_memory"

    /// The kind of the report that a line of the log begins; nil for any other line.
    ///
    /// A failed allocation is no report here: drivers are meant to live with it. Of an oops the line
    /// that says why counts, and not the one behind it.
    init?(line: String) {
        if line.hasPrefix("BUG: KASAN") {
            self = .kasan
        } else if line.hasPrefix("BUG: kernel NULL pointer")
            || line.hasPrefix("BUG: unable to handle") || line.hasPrefix("general protection fault")
        {
            self = .oops
        } else if line.hasPrefix("BUG") || line.hasPrefix("kernel BUG at") {
            self = .bug
        } else if line.hasPrefix("WARNING: ") {
            self = .warning
        } else if line.hasPrefix("Kernel panic") {
            self = .panic
        } else if line.hasPrefix("watchdog: ") || line.hasPrefix("NMI watchdog: ")
            || line.hasPrefix("INFO: task ")
        {
            self = .hang
        } else if line.hasPrefix("Out of memory: ") {
            self = .outOfMemory
        } else if line.hasPrefix("kmemleak: "), line.contains("suspected memory leaks") {
            self = .kmemleak
        } else {
            return nil
        }
    }
}

/// What the calls of a machine did wrong, so that a whole run can be judged at its end.
struct FindingLog: Sendable {
    /// Findings that are kept; the oldest go first.
    static let limit = 1_024

    private(set) var findings: [Finding] = []
    /// Findings that are not kept any more, and the call of the newest of them.
    private(set) var dropped: UInt64 = 0
    private(set) var newestDropped: UInt64 = 0

    /// Of the findings' texts.
    private var textBytes = 0

    var heldBytes: Int { findings.capacity * MemoryLayout<Finding>.stride + textBytes }

    mutating func note(_ outcome: borrowing CallOutcome) {
        let call = outcome.sequence
        for warning in outcome.warnings {
            add(Finding(call: call, what: .misuse(Finding.Misuse(warning))))
        }
        if outcome.omittedWarnings > 0 {
            dropped &+= UInt64(outcome.omittedWarnings)
            newestDropped = call
        }
        for line in outcome.log {
            guard let kind = ReportKind(line: line) else { continue }
            add(Finding(call: call, what: .report(kind, line: line)))
        }
    }

    private mutating func add(_ finding: Finding) {
        if findings.count == Self.limit {
            let gone = Self.limit / 4
            dropped &+= UInt64(gone)
            newestDropped = max(newestDropped, findings[gone - 1].call)
            textBytes -= findings[..<gone].reduce(0) { $0 + $1.textBytes }
            findings.removeFirst(gone)
        }
        textBytes += finding.textBytes
        findings.append(finding)
    }
}
