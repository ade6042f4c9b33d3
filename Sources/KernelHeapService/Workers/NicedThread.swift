internal import Glibc

/// Threads that yield to the server's: long work must not slow down single calls.
enum NicedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread of low priority.
    ///
    /// - Parameters:
    ///   - niceness: as of `nice(1)`; 0 leaves the priority as it is.
    ///   - body: what the thread does; it ends with it.
    /// - Returns: whether the system gave a thread.
    @discardableResult
    static func start(niceness: Int32 = 10, _ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Body {
            // The kernel's threads have a priority each: `who` 0 is the calling thread.
            if niceness != 0 {
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
            }
            body()
        }
        let passed = unsafe Unmanaged.passRetained(box)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            },
            passed.toOpaque()
        )
        guard status == 0 else {
            unsafe passed.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
