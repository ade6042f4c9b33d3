/// Every limit of the service, with its default.
public struct ServiceConfiguration: Sendable {
    /// Sessions at once.
    public var maximumSessions = 10_000
    /// Host memory of all sessions, in bytes, at which no further session is booted.
    public var maximumHeldBytes = 8 << 30
    /// Host memory of one session, in bytes, at which it takes no further calls.
    public var maximumSessionBytes = 1 << 30
    /// Memory of one simulated machine, in bytes.
    public var maximumMachineBytes: UInt64 = 1 << 40
    /// Seconds without a request after which a session is dropped, where it names none itself.
    public var idleTimeout: UInt64 = 3_600
    /// The longest idle timeout a client may ask for, in seconds.
    public var maximumIdleTimeout: UInt64 = 7 * 86_400
    /// Bytes of a request body other than a batch.
    public var maximumBodyBytes = 1 << 20
    /// Bytes of a batch's body, and of a machine with a zone table.
    public var maximumBatchBytes = 32 << 20
    /// Calls in one batch.
    public var maximumBatchCalls = 1_000_000
    /// Calls in the list of a sweep.
    public var maximumSweepCalls = 1_000
    /// Runs of one sweep.
    public var maximumSweepRuns = 1_000
    /// Seconds that one sweep may take.
    public var maximumSweepSeconds = 30
    /// Threads that run batches.
    public var workerThreads = 1
    /// Batches accepted and not finished.
    public var maximumJobs = 64
    /// Bytes of the bodies of all batches accepted and not finished.
    public var maximumQueuedBytes = 256 << 20
    /// Answers kept for `Idempotency-Key`.
    public var maximumKeptAnswers = 10_000
    /// Bytes of one answer kept for `Idempotency-Key`; a longer one is not repeated.
    public var maximumKeptAnswerBytes = 256 << 10
    /// Bytes of all answers kept for `Idempotency-Key`.
    public var maximumKeptBytes = 64 << 20

    public init() {}
}
