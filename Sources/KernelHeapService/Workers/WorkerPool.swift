internal import Dispatch
internal import Synchronization

/// Work that outlives the handler, done in slices so that no job holds up the others.
protocol Job: AnyObject, Sendable {
    /// Works for about 200 µs. Called by one thread at a time.
    func runSlice() -> JobProgress
}

enum JobProgress {
    /// There is more to do: the job goes to the end of the queue.
    case again
    /// The job waits for its client; whoever sees the wait end submits it again.
    case parked
    case finished
}

/// A few threads of low priority and two queues: single calls first, batches in turn.
final class WorkerPool: Sendable {
    private struct Queues {
        var urgent = RingQueue<any Job>()
        var batches = RingQueue<any Job>()
        var isStopping = false
    }

    private let queues = Mutex(Queues())
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let jobCount = Atomic<Int>(0)
    private let maximumJobs: Int
    private let threadCount: Int

    /// - Parameters:
    ///   - threads: worker threads.
    ///   - maximumJobs: jobs accepted and not finished.
    init(threads: Int, maximumJobs: Int) {
        self.maximumJobs = maximumJobs
        var started = 0
        threadCount = max(threads, 1)
        for _ in 0..<threadCount where NicedThread.start({ [self] in serve() }) {
            started += 1
        }
        for _ in started..<threadCount { ended.signal() }
    }

    /// Jobs accepted and not finished.
    var pendingCount: Int { jobCount.load(ordering: .relaxed) }

    /// Accepts a new job.
    ///
    /// - Throws: `busy` when too many jobs wait, `shutting-down` at the end.
    func accept(_ job: any Job, isUrgent: Bool) throws(Problem) {
        let taken = jobCount.add(1, ordering: .relaxed).oldValue
        // Single calls have a reserve of their own, as they end a slice later.
        guard taken < (isUrgent ? maximumJobs * 4 : maximumJobs) else {
            jobCount.subtract(1, ordering: .relaxed)
            throw Problem(.busy, "\(taken) jobs are waiting")
        }
        guard enqueue(job, isUrgent: isUrgent) else {
            jobCount.subtract(1, ordering: .relaxed)
            throw Problem(.shuttingDown)
        }
    }

    /// Takes up a parked job again.
    func resume(_ job: any Job) {
        if !enqueue(job, isUrgent: false) { jobCount.subtract(1, ordering: .relaxed) }
    }

    /// Ends the threads after the slices that run now; jobs that wait are dropped.
    func stop() {
        queues.withLock { $0.isStopping = true }
        for _ in 0..<threadCount { work.signal() }
        for _ in 0..<threadCount { ended.wait() }
    }

    private func enqueue(_ job: any Job, isUrgent: Bool) -> Bool {
        let isAccepted = queues.withLock { queues in
            guard !queues.isStopping else { return false }
            if isUrgent { queues.urgent.append(job) } else { queues.batches.append(job) }
            return true
        }
        if isAccepted { work.signal() }
        return isAccepted
    }

    private func serve() {
        while true {
            work.wait()
            let (job, isStopping) = queues.withLock { queues in
                (queues.urgent.popFirst() ?? queues.batches.popFirst(), queues.isStopping)
            }
            if isStopping { break }
            guard let job else { continue }
            switch job.runSlice() {
            case .again: _ = enqueue(job, isUrgent: false)
            case .parked: break
            case .finished: jobCount.subtract(1, ordering: .relaxed)
            }
        }
        ended.signal()
    }
}

/// A first-in, first-out queue over an array whose front is cut off now and then.
struct RingQueue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head >= 64 && head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
