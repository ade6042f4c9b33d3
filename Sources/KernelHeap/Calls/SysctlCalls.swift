/// The kernel's knobs under `/proc/sys/vm`.
let sysctlCalls: [any KernelCall.Type] = [SysctlCall.self]

/// The command `sysctl name` or `sysctl name=value`, as a call.
struct SysctlCall: KernelCall {
    static let signature = CallSignature(
        "sysctl",
        returns: "long",
        [
            Parameter(
                "name",
                .text,
                "One of " + Sysctl.allCases.map(\.rawValue).joined(separator: ", ") + "."
            ),
            Parameter(
                "value",
                .text,
                "What is written: a number, or for a list numbers with spaces between.",
                optional: true
            ),
        ],
        "Reads a knob of memory management, or writes it; -ENOENT and -EINVAL as from its file."
    )

    var name: String
    /// `nil` reads.
    var value: String?

    init(_ arguments: borrowing CallArguments) {
        name = arguments.text(0)
        value = arguments.has(1) ? arguments.text(1) : nil
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let file = Sysctl(name: name) else { return failed(.ENOENT) }
        if let value, let errno = kernel.writeSysctl(file, value) { return failed(errno) }
        let values = kernel.readSysctl(file)
        let isRead = value == nil && values.count == 1
        return CallResult(
            .integer(isRead ? Int64(values[0]) : 0),
            detail: .facts([
                Fact("name", .text(file.rawValue)),
                // The kernel puts tabs between the numbers of a list.
                Fact("value", .text(values.map { String($0) }.joined(separator: "\t"))),
            ])
        )
    }

    private func failed(_ errno: Errno) -> CallResult {
        CallResult(.integer(-Int64(errno.rawValue)), errno: errno)
    }
}
