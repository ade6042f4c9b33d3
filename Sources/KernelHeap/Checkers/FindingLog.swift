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

        /// A failure that was passed on as if it had been a success.
        init(unlooked result: String, by function: String) {
            name = "unlooked_failure"
            sentence = "\(function) was given \(result), which is a failure that was forced."
            calls = []
            part = .unlooked
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

    /// The part of a verdict that tells a finding.
    public enum Part: Hashable, Sendable {
        case reports, warnings, contexts, unlooked
    }

    public var call: UInt64
    public var what: What

    var part: Part {
        switch what {
        case .misuse(let misuse): misuse.part
        case .report: .reports
        }
    }

    /// The name of the misuse, or of the report's kind.
    var kind: String {
        switch what {
        case .misuse(let misuse): misuse.name
        case .report(let kind, _): kind.rawValue
        }
    }

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
///
/// The first findings are kept, for what went wrong later often follows from them, and the newest;
/// those between are counted by kind.
struct FindingLog: Sendable {
    /// A kind of findings that were not kept.
    struct Dropped: Sendable {
        let part: Finding.Part
        let kind: String
        var count: UInt64
        /// The newest call among theirs.
        var call: UInt64
    }

    /// Findings that are kept of the first ones, and of the newest.
    static let limit = 512

    private var first: [Finding] = []
    private var newest: [Finding] = []
    /// In the order in which the kinds came.
    private(set) var dropped: [Dropped] = []
    /// Of the findings' texts.
    private var textBytes = 0

    /// Oldest first.
    var findings: [Finding] { newest.isEmpty ? first : first + newest }

    var heldBytes: Int {
        (first.capacity + newest.capacity) * MemoryLayout<Finding>.stride + textBytes
            + dropped.capacity * MemoryLayout<Dropped>.stride
    }

    mutating func note(_ outcome: borrowing CallOutcome) {
        let call = outcome.sequence
        for warning in outcome.warnings {
            add(Finding(call: call, what: .misuse(Finding.Misuse(warning))))
        }
        if outcome.omittedWarnings > 0 {
            drop(.warnings, "omitted", UInt64(outcome.omittedWarnings), call)
        }
        for line in outcome.log {
            guard let kind = ReportKind(line: line) else { continue }
            add(Finding(call: call, what: .report(kind, line: line)))
        }
    }

    mutating func add(_ finding: Finding) {
        textBytes += finding.textBytes
        guard first.count >= Self.limit else { return first.append(finding) }
        if newest.count == Self.limit {
            let gone = Self.limit / 4
            for old in newest[..<gone] {
                drop(old.part, old.kind, 1, old.call)
                textBytes -= old.textBytes
            }
            newest.removeFirst(gone)
        }
        newest.append(finding)
    }

    private mutating func drop(
        _ part: Finding.Part,
        _ kind: String,
        _ count: UInt64,
        _ call: UInt64
    ) {
        if let place = dropped.firstIndex(where: { $0.part == part && $0.kind == kind }) {
            dropped[place].count &+= count
            dropped[place].call = call
        } else {
            dropped.append(Dropped(part: part, kind: kind, count: count, call: call))
        }
    }
}
