/// The service's counters, written as Prometheus text.
///
/// Labels come from closed sets: routes, the statuses that the service answers with, and the
/// functions of the registry.
final class Metrics: Sendable {
    /// Every status that is counted under its own number.
    private static let statuses = [
        200, 201, 204, 304, 400, 403, 404, 405, 406, 408, 409, 413, 414, 415, 421, 422, 429, 431,
        500, 501,
        503,
    ]
    /// Upper bounds of the buckets, in nanoseconds, with their labels.
    private static let buckets: [(bound: UInt64, label: StaticString)] = [
        (5_000, "5e-06"), (20_000, "2e-05"), (100_000, "0.0001"), (500_000, "0.0005"),
        (2_000_000, "0.002"), (10_000_000, "0.01"), (50_000_000, "0.05"), (250_000_000, "0.25"),
        (1_000_000_000, "1"), (10_000_000_000, "10"),
    ]

    private let columns = Metrics.statuses.count + 1
    private let requests = AtomicCounters(
        count: Route.allCases.count * (Metrics.statuses.count + 1)
    )
    private let durations = AtomicCounters(
        count: Route.allCases.count * (Metrics.buckets.count + 1)
    )
    private let durationSums = AtomicCounters(count: Route.allCases.count)
    private let calls: AtomicCounters
    private let functionNames: [String]

    init(functionNames: [String]) {
        self.functionNames = functionNames
        calls = AtomicCounters(count: functionNames.count)
    }

    /// Counts a finished request.
    @inline(__always)
    func countRequest(_ route: Route, status: Int, nanoseconds: UInt64) {
        let row = Int(route.rawValue)
        var column = 0
        if status != 200 { column = Metrics.statuses.firstIndex(of: status) ?? columns - 1 }
        requests.add(row * columns + column)
        var bucket = 0
        while bucket < Metrics.buckets.count, nanoseconds > Metrics.buckets[bucket].bound {
            bucket += 1
        }
        durations.add(row * (Metrics.buckets.count + 1) + bucket)
        durationSums.add(row, nanoseconds)
    }

    /// Counts a kernel call by its position in the registry.
    @inline(__always)
    func countCall(_ index: Int) { calls.add(index) }

    /// The text of `/metrics`.
    func write(to text: inout PrometheusText, sessionCount: Int, heldBytes: Int, jobs: Int) {
        text.family("kheapd_sessions", "gauge", "Sessions that exist.")
        text.sample("kheapd_sessions", [], UInt64(clamping: sessionCount))
        text.family("kheapd_held_bytes", "gauge", "Host memory of all sessions, in bytes.")
        text.sample("kheapd_held_bytes", [], UInt64(clamping: heldBytes))
        text.family("kheapd_jobs", "gauge", "Batches and deferred calls not finished.")
        text.sample("kheapd_jobs", [], UInt64(clamping: jobs))
        text.family("kheapd_requests_total", "counter", "Requests answered.")
        for route in Route.allCases { writeRequests(of: route, to: &text) }
        text.family("kheapd_request_duration_seconds", "histogram", "Time to answer a request.")
        for route in Route.allCases { writeDurations(of: route, to: &text) }
        text.family("kheapd_calls_total", "counter", "Kernel calls run.")
        for (index, name) in functionNames.enumerated() where calls.value(index) > 0 {
            text.sample("kheapd_calls_total", [("function", name)], calls.value(index))
        }
    }

    private func writeRequests(of route: Route, to text: inout PrometheusText) {
        for column in 0..<columns {
            let count = requests.value(Int(route.rawValue) * columns + column)
            guard count > 0 else { continue }
            let status =
                column < Metrics.statuses.count ? String(Metrics.statuses[column]) : "other"
            text.sample(
                "kheapd_requests_total",
                [("route", "\(route.template)"), ("status", status)],
                count
            )
        }
    }

    private func writeDurations(of route: Route, to text: inout PrometheusText) {
        let name = "kheapd_request_duration_seconds"
        let row = Int(route.rawValue)
        let label = ("route", "\(route.template)")
        let width = Metrics.buckets.count + 1
        let total = (0..<width).reduce(UInt64(0)) { $0 &+ durations.value(row * width + $1) }
        guard total > 0 else { return }
        var sum: UInt64 = 0
        for (index, bucket) in Metrics.buckets.enumerated() {
            sum &+= durations.value(row * width + index)
            text.sample(name + "_bucket", [label, ("le", "\(bucket.label)")], sum)
        }
        text.sample(name + "_bucket", [label, ("le", "+Inf")], total)
        text.sample(name + "_count", [label], total)
        text.seconds(name + "_sum", [label], nanoseconds: durationSums.value(row))
    }
}
