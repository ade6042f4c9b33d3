internal import Glibc
internal import Synchronization

/// A thread that runs a loop and can be asked to end.
///
/// The loop waits in `sleep(milliseconds:)`, which returns early when it is poked or must end.
package final class WorkerThread: Sendable {
    /// A pipe: a byte in it ends a wait.
    private let readEnd: Int32
    private let writeEnd: Int32
    private let ending = Atomic(false)
    private let thread: Mutex<pthread_t?>
    private let body: @Sendable (WorkerThread) -> Void

    /// Starts the thread; nil when the system has no thread or descriptor left.
    package init?(_ body: @escaping @Sendable (WorkerThread) -> Void) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
        thread = Mutex(nil)
        self.body = body
        var handle = pthread_t()
        let retained = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &handle,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                let worker = unsafe Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue()
                worker.body(worker)
                return nil
            },
            unsafe retained.toOpaque()
        )
        guard status == 0 else {
            unsafe retained.release()
            return nil
        }
        thread.withLock { $0 = handle }
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    package var isEnding: Bool { ending.load(ordering: .acquiring) }

    /// Waits; returns false when the thread should end.
    ///
    /// A negative time waits for a poke.
    package func sleep(milliseconds: Int32) -> Bool {
        guard !isEnding else { return false }
        var entry = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        if unsafe poll(&entry, 1, milliseconds) > 0 {
            var drained: UInt64 = 0
            while unsafe read(readEnd, &drained, MemoryLayout<UInt64>.size) > 0 {}
        }
        return !isEnding
    }

    /// Ends the thread's present or next wait.
    package func poke() {
        var byte: UInt8 = 1
        _ = unsafe write(writeEnd, &byte, 1)
    }

    /// Asks the thread to end and waits until it has.
    ///
    /// Safe to repeat.
    package func join() {
        ending.store(true, ordering: .releasing)
        poke()
        let handle = thread.withLock { $0.take() }
        if let handle { pthread_join(handle, nil) }
    }
}
