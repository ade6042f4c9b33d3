/// Processes come and go: `kernel/fork.c`, `kernel/exit.c`, 6.1.
extension Kernel {
    /// Most processes of a machine: `RLIMIT_NPROC` of this size, for each has a PGD and tables.
    static let maximumProcesses = 1_024
    /// `PID_MAX_DEFAULT`; numbers begin again behind `RESERVED_PIDS`.
    private static let pidLimit = 32_768
    private static let firstReusedPID = 300
    /// The stack of a program without arguments: `setup_arg_pages()`.
    private static let firstStackBytes: UInt64 = 0x2_1000

    /// Makes a process with a PGD, a stack that nobody has touched, and nothing else.
    ///
    /// - Parameters:
    ///   - name: cut to 15 bytes, as `comm` is.
    ///   - parent: the number of the process that makes it.
    ///   - cpu: where memory is asked for.
    /// - Returns: its number; `EAGAIN` where there are too many, `ENOMEM`.
    mutating func createProcess(named name: String, parent: Int, cpu: Int) -> Result<Int, Errno> {
        guard let pid = freePID() else { return .failure(.EAGAIN) }
        var process = Process(pid: pid, name: name, parent: parent)
        process.space.end = layout.userEnd
        process.space.heap = layout.programEnd..<layout.programEnd
        let end = layout.userEnd
        process.space.stackStart = end - 4096
        process.space.insert(
            VMArea(
                start: end - Self.firstStackBytes,
                end: end,
                rights: [.read, .write],
                flags: [.growsDown, .accounted]
            )
        )
        let place = place(process)
        // A driver's `release` may make processes while another is being made.
        let outer = startingProcesses
        startingProcesses.insert(pid)
        defer { startingProcesses = outer }
        guard makeRoot(place, cpu: cpu) else {
            processes[place].exit()
            return .failure(.ENOMEM)
        }
        lastPID = pid
        return .success(pid)
    }

    /// `fork()`: a child that shares every page until one of the two writes to it.
    ///
    /// - Returns: the child's number; `EAGAIN` where there are too many, `ENOMEM`.
    mutating func forkProcess(_ parent: Int, cpu: Int) -> Result<Int, Errno> {
        guard let pid = freePID() else { return .failure(.EAGAIN) }
        let child = place(processes[parent].child(pid: pid))
        let outer = startingProcesses
        startingProcesses.insert(pid)
        defer { startingProcesses = outer }
        for file in processes[child].openFiles {
            switch file {
            case .memory(let place): files[place]?.descriptorCount += 1
            case .device(let address): devices.files[address]?.descriptorCount += 1
            }
        }
        guard makeRoot(child, cpu: cpu), copySpace(parent, to: child, cpu: cpu) else {
            endProcess(child, cpu: cpu)
            return .failure(.ENOMEM)
        }
        lastPID = pid
        return .success(pid)
    }

    /// `exit()`: all memory goes back, and the first process must not end.
    mutating func exitProcess(_ process: Int, code: UInt32, cpu: Int) {
        guard process > 0 else {
            let digits = String(code, radix: 16)
            let padded = String(repeating: "0", count: 8 - digits.count) + digits
            log.panic("Attempted to kill init! exitcode=0x\(padded)")
            return
        }
        endProcess(process, cpu: cpu)
    }

    mutating func endProcess(_ process: Int, cpu: Int) {
        // Files first: a driver's `release` may still look at user space, and may open files in
        // memory, but no device, so that this ends.
        while let descriptor = processes[process].lowestDescriptor {
            _ = closeFile(process, descriptor, cpu: cpu)
        }
        releaseUserSpace(process, cpu: cpu)
        let pid = processes[process].pid
        releaseKernelStack(of: pid, in: CallContext(cpu: cpu, pid: pid))
        processes[process].exit()
        races.forget(process)
        unchecked.forget(process)
        for child in processes.indices where processes[child].parent == pid {
            processes[child].parent = 1
        }
    }

    /// Puts a process where one has exited, or behind the others.
    private mutating func place(_ process: Process) -> Int {
        paging.flushUser()
        if let free = processes.firstIndex(where: { !$0.isAlive }) {
            processes[free] = process
            return free
        }
        processes.append(process)
        return processes.count - 1
    }

    private func freePID() -> Int? {
        guard processes.count(where: \.isAlive) < Self.maximumProcesses else { return nil }
        var pid = lastPID
        // At most as many numbers are taken as there may be processes.
        for _ in 0...Self.maximumProcesses {
            pid += 1
            if pid >= Self.pidLimit { pid = Self.firstReusedPID }
            if process(pid) == nil { return pid }
        }
        return nil
    }
}

extension AddressLayout {
    /// Where a program ends that is loaded at the address of position-independent ones, and where
    /// its heap begins; addresses are not randomised.
    var programEnd: UInt64 { is32Bit ? 0x5655_9000 : 0x5555_5555_9000 }
}
