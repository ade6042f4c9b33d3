/// Failures on demand.
let faultInjectionCalls: [any KernelCall.Type] = [FailNth.self]

/// Writing a number to `/proc/self/fail-nth`.
struct FailNth: KernelCall {
    static let signature = CallSignature(
        "fail_nth",
        returns: "int",
        [Parameter("n", .uint, "1 for the next place; 0 takes an earlier call back.")],
        "Lets the n-th place where the calling process's code may fail do so: failslab, fail_page_alloc, fail_usercopy."
    )

    var number: UInt32

    init(_ arguments: borrowing CallArguments) { number = arguments.uint(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.failPlace(number, of: context.pid)
        return CallResult(.integer(0))
    }
}
