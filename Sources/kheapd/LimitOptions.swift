import ArgumentParser
import KernelHeapService

/// Every limit of the service.
///
/// A request that meets one is answered by a problem document.
struct LimitOptions: ParsableArguments {
    @Option(help: "Sessions at once (429 beyond).")
    var maxSessions = 10_000

    @Option(help: "Host MiB of all sessions at which no further one is booted (429).")
    var maxHeldMib = 8_192

    @Option(help: "Host MiB of one session at which it takes no further calls (429).")
    var maxSessionMib = 1_024

    @Option(help: "GiB of simulated memory of one machine (422 beyond).")
    var maxMachineGib = 1_024

    @Option(help: "Seconds without a request after which a session is dropped, by default.")
    var idleTimeout = 3_600

    @Option(help: "Longest idle timeout that a client may ask for, in seconds.")
    var maxIdleTimeout = 604_800

    @Option(help: "Bytes of a request body (413 beyond).")
    var maxBodyBytes = 1 << 20

    @Option(help: "Bytes of the body of a batch or of a session's description (413 beyond).")
    var maxBatchBytes = 32 << 20

    @Option(help: "Calls in one batch (413 beyond).")
    var maxBatchCalls = 1_000_000

    @Option(help: "Calls in the list of a sweep (413 beyond).")
    var maxSweepCalls = 1_000

    @Option(help: "Runs of one sweep; its answer says where they were not enough.")
    var maxSweepRuns = 1_000

    @Option(help: "Seconds that one sweep may take; its answer says where they were not enough.")
    var maxSweepSeconds = 30

    @Option(help: "Threads that run batches.")
    var workers = 1

    @Option(help: "Batches accepted and not finished (503 beyond).")
    var maxJobs = 64

    @Option(help: "MiB of the bodies of those batches together (503 beyond).")
    var maxQueuedMib = 256

    @Option(help: "Answers kept for Idempotency-Key; the oldest go first.")
    var maxKeptAnswers = 10_000

    @Option(help: "Connections at once.")
    var maxConnections = 4_096

    @Option(help: "Connections from one address; 0 for no limit.")
    var maxConnectionsPerAddress = 0

    @Option(help: "Bytes of request line and headers (431 beyond).")
    var maxHeaderBytes = 16 << 10

    @Option(help: "Seconds after which a silent connection closes.")
    var connectionIdleSeconds = 60

    @Option(help: "Seconds that a request may take to arrive (408 beyond).")
    var requestSeconds = 60

    func validate() throws {
        let limits = [
            maxSessions, maxHeldMib, maxSessionMib, maxMachineGib, idleTimeout, maxIdleTimeout,
            maxBodyBytes, maxBatchBytes, maxBatchCalls, maxSweepCalls, maxSweepRuns,
            maxSweepSeconds, workers, maxJobs, maxQueuedMib,
            maxKeptAnswers, maxConnections, maxHeaderBytes, connectionIdleSeconds, requestSeconds,
        ]
        guard limits.allSatisfy({ (1...1 << 31).contains($0) }), maxConnectionsPerAddress >= 0
        else {
            throw ValidationError("Limits must be whole numbers from 1 to 2147483648.")
        }
        guard workers <= 64 else { throw ValidationError("--workers must be 1 to 64.") }
    }

    var service: ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.maximumSessions = maxSessions
        configuration.maximumHeldBytes = maxHeldMib << 20
        configuration.maximumSessionBytes = maxSessionMib << 20
        configuration.maximumMachineBytes = UInt64(maxMachineGib) << 30
        configuration.idleTimeout = UInt64(idleTimeout)
        configuration.maximumIdleTimeout = UInt64(maxIdleTimeout)
        configuration.maximumBodyBytes = maxBodyBytes
        configuration.maximumBatchBytes = maxBatchBytes
        configuration.maximumBatchCalls = maxBatchCalls
        configuration.maximumSweepCalls = maxSweepCalls
        configuration.maximumSweepRuns = maxSweepRuns
        configuration.maximumSweepSeconds = maxSweepSeconds
        configuration.workerThreads = workers
        configuration.maximumJobs = maxJobs
        configuration.maximumQueuedBytes = maxQueuedMib << 20
        configuration.maximumKeptAnswers = maxKeptAnswers
        return configuration
    }
}
