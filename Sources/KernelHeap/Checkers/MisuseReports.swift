/// The newest misuse that calls of a machine were seen to do, whoever asks when.
public struct MisuseReports: Sendable {
    /// Reports kept; older ones fall out.
    public static let limit = 128

    /// What one call was seen to do.
    public struct Report: Hashable, Sendable {
        /// The call's number.
        public let call: UInt64
        /// The C name of its function.
        public let function: String
        public let warning: MisuseWarning
    }

    /// Oldest first.
    public private(set) var reports: [Report] = []
    /// Reports since boot by the warning's `name`, those that fell out included.
    public private(set) var counts: [String: UInt64] = [:]
    /// Warnings that a call had no room for; their kinds are not known.
    public private(set) var omitted: UInt64 = 0
    private var textBytes = 0

    /// Host memory, in bytes.
    var heldBytes: Int { reports.count * 640 + textBytes }

    /// Reports since boot.
    public var total: UInt64 { counts.values.reduce(omitted) { $0 &+ $1 } }

    /// Keeps what a call did.
    @inline(never)
    mutating func note(_ log: MisuseLog, call: UInt64, _ function: String) {
        omitted &+= UInt64(log.omitted)
        for warning in log.warnings {
            if reports.count == Self.limit {
                textBytes -= Self.textBytes(reports.removeFirst().warning)
            }
            reports.append(Report(call: call, function: function, warning: warning))
            textBytes += Self.textBytes(warning)
            counts[warning.name, default: 0] &+= 1
        }
    }

    private static func textBytes(_ warning: MisuseWarning) -> Int {
        warning.lines.reduce(0) { $0 + $1.utf8.count + 16 }
    }
}

extension MisuseReports.Report {
    /// What was touched, freed or converted; nil for a function in the wrong context.
    public var address: LinearAddress? {
        for fact in warning.facts where fact.name == "address" {
            if case .address(let address) = fact.value { return LinearAddress(rawValue: address) }
        }
        return nil
    }
}

extension MisuseWarning {
    /// The report in the kernel's own words; empty where the kernel would say nothing.
    public var lines: [String] {
        switch self {
        case .kasan(let report): report.text
        case .informationLeak(let leak), .uninitializedValue(let leak): leak.text
        default: []
        }
    }
}
