/// Processes: how they begin and end.
let processCalls: [any KernelCall.Type] = [ProcessCreate.self, Fork.self, ProcessExit.self]

extension Kernel {
    /// A process's number and what a picture of it needs, or the negative error number.
    fileprivate func newProcess(_ result: Result<Int, Errno>) -> CallResult {
        switch result {
        case .failure(let errno): return status(errno)
        case .success(let pid):
            let index = process(pid) ?? 0
            let space = processes[index].space
            let root = root(of: index, bootTables())
            return CallResult(
                .integer(Int64(pid)),
                detail: .facts([
                    Fact("pid", .number(Int64(pid))),
                    Fact("page_directory", .address(root << 12)),
                    Fact("page_tables", .number(Int64(space.tableCount))),
                    Fact("resident_pages", .count(space.residentPages)),
                ])
            )
        }
    }
}

/// Makes a process: the result is its number.
struct ProcessCreate: KernelCall {
    static let signature = CallSignature(
        "process_create",
        returns: "pid_t",
        [Parameter("name", .text, "Cut to 15 bytes, as in /proc/pid/comm.", optional: true)],
        "Makes a process with an address space of its own: a PGD, and a stack nobody has touched.",
        isSystemCall: true
    )

    var name: String

    init(_ arguments: borrowing CallArguments) {
        name = arguments.has(0) ? arguments.text(0) : "process"
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let parent = kernel.processes[kernel.processIndex(context)].pid
        return kernel.newProcess(
            kernel.createProcess(named: name, parent: parent, cpu: context.cpu)
        )
    }
}

/// The call `pid_t fork(void)`, as the parent sees it.
struct Fork: KernelCall {
    static let signature = CallSignature(
        "fork",
        returns: "pid_t",
        [],
        "Makes a child of the calling process that shares its pages until one of them writes.",
        takesLong: true,
        isSystemCall: true
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        return kernel.newProcess(kernel.forkProcess(process, cpu: context.cpu))
    }
}

/// Ends the calling process.
struct ProcessExit: KernelCall {
    static let signature = CallSignature(
        "process_exit",
        returns: "void",
        [Parameter("code", .int, "What exit() is given.", optional: true)],
        "Ends the calling process: its pages and tables go back. The end of process 1 is a panic.",
        runsMethods: true,
        isSystemCall: true
    )

    var code: UInt32

    init(_ arguments: borrowing CallArguments) { code = (arguments.uint(0) & 0xff) << 8 }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.exitProcess(kernel.processIndex(context), code: code, cpu: context.cpu)
        return .void
    }
}
