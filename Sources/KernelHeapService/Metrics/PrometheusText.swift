internal import HTTPServer

/// Writes metrics in Prometheus's text format, version 0.0.4.
struct PrometheusText: ~Copyable {
    private var writer = JSONWriter(capacity: 4_096)

    consuming func finish() -> ByteBuffer { writer.finish() }

    /// Opens a family of samples.
    mutating func family(_ name: String, _ type: String, _ help: String) {
        line("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        line("\(name)\(formatted(labels)) \(value)\n")
    }

    /// A duration in seconds with nine decimals.
    mutating func seconds(_ name: String, _ labels: [(String, String)], nanoseconds: UInt64) {
        let fraction = String(nanoseconds % 1_000_000_000)
        let zeros = String(repeating: "0", count: 9 - fraction.utf8.count)
        line("\(name)\(formatted(labels)) \(nanoseconds / 1_000_000_000).\(zeros)\(fraction)\n")
    }

    // Label values are ours: route templates, statuses and C names need no escapes.
    private func formatted(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",") + "}"
    }

    private mutating func line(_ text: String) { writer.raw(Array(text.utf8)) }
}
