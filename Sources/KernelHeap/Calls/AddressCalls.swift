/// Asking what an address is.
let addressCalls: [any KernelCall.Type] = [WhatIs.self]

/// Tells what an address is; changes nothing.
struct WhatIs: KernelCall {
    static let signature = CallSignature(
        "what_is",
        returns: "bool",
        [
            Parameter("address", .address, "Any number."),
            Parameter(
                "pid",
                .unsigned(bits: 31),
                "Whose user space; left out, the calling process's.",
                optional: true
            ),
        ],
        "Whether an address is mapped; the detail tells its region, page, object, area and owner."
    )

    var address: LinearAddress
    var pid: Int?

    init(_ arguments: borrowing CallArguments) {
        address = arguments.address(0)
        pid = arguments.has(1) ? Int(truncatingIfNeeded: arguments.word(1)) : nil
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let view = kernel.whatIs(address, pid: pid ?? context.pid)
        return CallResult(.boolean(view.mapping != nil), detail: .facts(view.facts))
    }
}
