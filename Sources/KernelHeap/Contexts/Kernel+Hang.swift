/// The end of a machine that still runs: it waits for what will never happen.
extension Kernel {
    /// Hangs the machine: it answers no further calls, and can be read, forked and rewound.
    ///
    /// Time goes by until the kernel's watchdogs notice, and their report is the log's last.
    mutating func hang(_ reason: HangReason) {
        guard contexts.hang == nil else { return }
        contexts.hang = reason
        contexts.isHeld = true
        switch reason {
        case .spinlock(_, let cpu, _): reportLockup(ofCPU: cpu)
        case .mutex(_, let pid, _), .gracePeriod(let pid): reportSleeper(pid)
        case .allocation: break
        }
    }

    /// The soft lockup detector needs the timer's interrupt; where that is off, the NMI watchdog sees
    /// that it does not come.
    private mutating func reportLockup(ofCPU cpu: Int) {
        let state = contexts.cpus[cpu]
        let context = CallContext(cpu: cpu, pid: state.pid)
        guard !state.areInterruptsOff else {
            clock.advance(by: 10 * MachineClock.second)
            return log.append("NMI watchdog: Watchdog detected hard LOCKUP on cpu \(cpu)")
        }
        clock.advance(by: 22 * MachineClock.second)
        log.append(
            "watchdog: BUG: soft lockup - CPU#\(cpu) stuck for 22s! "
                + "[\(taskName(context)):\(context.pid)]"
        )
    }

    /// `check_hung_task()`, which looks every two minutes.
    private mutating func reportSleeper(_ pid: Int) {
        guard let place = process(pid) else { return }
        clock.advance(by: 120 * MachineClock.second)
        let name = processes[place].name
        log.append("INFO: task \(name):\(pid) blocked for more than 120 seconds.")
        log.append("      \(log.taint.text) \(profile.kernelRelease) \(profile.kernelBuild)")
        log.append(
            "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message."
        )
    }
}
