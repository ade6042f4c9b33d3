/// Memory cgroups: what programs do in `/sys/fs/cgroup`.
let cgroupCalls: [any KernelCall.Type] = [CgroupMkdir.self, CgroupRmdir.self, CgroupWrite.self]

private let groupParameter = Parameter(
    "path",
    .text,
    "The group, as a directory below /sys/fs/cgroup: \"/a/b\"."
)

extension Kernel {
    /// The result of a change to a group: what it has and may have, where it is there.
    fileprivate func cgroupResult(_ errno: Errno?, _ path: String) -> CallResult {
        var result = status(errno)
        guard let view = cgroupView(at: path) else { return result }
        var facts = [Fact("path", .text(view.path)), Fact("current", .count(view.current ?? 0))]
        facts += view.limits.map { limit in
            Fact(limit.name, limit.bytes.map { .count($0) } ?? .text("max"))
        }
        facts += view.events.map { Fact($0.name, .count($0.count)) }
        result.detail = .facts(facts)
        return result
    }
}

/// The system call `mkdir()` in `/sys/fs/cgroup`.
struct CgroupMkdir: KernelCall {
    static let signature = CallSignature(
        "cgroup_mkdir",
        returns: "int",
        [groupParameter],
        "Makes a memory cgroup below one that there is; its processes' memory is charged to it."
    )

    var path: String

    init(_ arguments: borrowing CallArguments) { path = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.cgroupResult(kernel.makeCgroup(path), path)
    }
}

/// The system call `rmdir()` in `/sys/fs/cgroup`.
struct CgroupRmdir: KernelCall {
    static let signature = CallSignature(
        "cgroup_rmdir",
        returns: "int",
        [groupParameter],
        "Removes a group without processes and groups in it; -EBUSY for others."
    )

    var path: String

    init(_ arguments: borrowing CallArguments) { path = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.removeCgroup(path))
    }
}

/// The system call `write()` to a file in `/sys/fs/cgroup`.
struct CgroupWrite: KernelCall {
    static let signature = CallSignature(
        "cgroup_write",
        returns: "int",
        [
            Parameter(
                "file",
                .text,
                "A group's cgroup.procs, memory.min, memory.low, memory.high, memory.max, "
                    + "memory.oom.group or memory.reclaim: \"/a/memory.max\"."
            ),
            Parameter(
                "value",
                .text,
                "As the file takes it: \"max\", \"64M\", a process's number."
            ),
        ],
        "Sets a limit of a group, or moves a process into it."
    )

    var file: String
    var value: String

    init(_ arguments: borrowing CallArguments) {
        file = arguments.text(0)
        value = arguments.text(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let errno = kernel.writeCgroupFile(file, value, in: context)
        let slash = file.lastIndex(of: "/") ?? file.startIndex
        let group = slash == file.startIndex ? "/" : String(file[..<slash])
        return kernel.cgroupResult(errno, group)
    }
}
