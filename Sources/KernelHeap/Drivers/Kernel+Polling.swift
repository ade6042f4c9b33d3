/// `poll()`: `fs/select.c`, 6.1.
extension Kernel {
    /// Bytes of a `struct pollfd`: `int fd; short events; short revents`.
    private static let pollBytes: UInt64 = 8
    /// What a file without a method is ready for: POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM.
    private static let defaultMask: UInt64 = 0x145
    /// What is told though nobody asked: POLLERR, POLLHUP.
    private static let alwaysTold: UInt64 = 0x18
    /// POLLNVAL.
    private static let notOpen: UInt64 = 0x20

    /// One file that is asked about, and its answer.
    private struct Poll {
        var descriptor: Int32
        var events: UInt64
        var answer: UInt64 = 0

        init(_ word: UInt64) {
            descriptor = Int32(truncatingIfNeeded: word)
            events = word >> 32 & 0xffff
        }

        var fact: FactValue {
            .facts([
                Fact("fd", .number(Int64(descriptor))), Fact("events", .address(events)),
                Fact("revents", .address(answer)),
            ])
        }
    }

    /// Asks files whether they are ready.
    ///
    /// - Parameters:
    ///   - address: of `struct pollfd`s in user space.
    ///   - count: of them.
    ///   - timeout: below 0 to wait until one is ready. Nobody makes one ready meanwhile, so that
    ///     such a wait ends by a signal, and any other at its end.
    ///   - context: whose process.
    /// - Returns: how many have something to tell; `EINTR` after a wait without end.
    mutating func pollFiles(
        _ address: UInt64,
        _ count: UInt64,
        timeout: Int32,
        in context: CallContext
    ) -> DeviceOutcome {
        guard count <= UInt64(Process.maximumDescriptors) else { return .failure(.EINVAL) }
        let process = processIndex(context)
        guard isUserRange(address, count * Self.pollBytes) else { return .failure(.EFAULT) }
        if pages.faults.isArmed, injectsFault(at: .usercopy, in: context) {
            return .failure(.EFAULT)
        }
        var polls: [Poll] = []
        for number in 0..<count {
            let place = address + number * Self.pollBytes
            guard let word = loadUser(process, place, bytes: 8, in: context) else {
                return .failure(.EFAULT)
            }
            polls.append(Poll(word))
        }
        var steps: [FactValue] = []
        for place in polls.indices {
            guard let answer = poll(polls[place], in: context, &steps) else {
                return DeviceOutcome(value: nil, facts: [Fact("steps", .list(steps))])
            }
            polls[place].answer = answer
        }
        let facts = [
            Fact("files", .list(polls.map(\.fact))), Fact("steps", .list(steps)),
        ]
        for (number, poll) in polls.enumerated() {
            let place = address + UInt64(number) * Self.pollBytes + 6
            guard putUser(process, place, poll.answer, bytes: 2, in: context) else {
                return .failure(.EFAULT, facts)
            }
        }
        let ready = polls.count { $0.answer != 0 }
        if ready == 0, timeout < 0 { return .failure(.EINTR, facts) }
        return DeviceOutcome(value: Int64(ready), facts: facts)
    }

    /// `do_pollfd()`: nil where the kernel died in the driver.
    private mutating func poll(
        _ poll: Poll,
        in context: CallContext,
        _ steps: inout [FactValue]
    ) -> UInt64? {
        guard poll.descriptor >= 0 else { return 0 }
        let descriptor = Int(poll.descriptor)
        let told = poll.events | Self.alwaysTold
        guard let (address, file, place) = deviceFile(descriptor, in: context) else {
            let isOpen = processes[processIndex(context)].file(descriptor) != nil
            return isOpen ? Self.defaultMask & told : Self.notOpen
        }
        guard !devices.devices[place].script[.poll].isEmpty else { return Self.defaultMask & told }
        let run = run(.poll, ofDevice: file.major, [(.file, address)], in: context)
        steps += run.steps
        return run.value.map { $0 & told & 0xffff }
    }
}
