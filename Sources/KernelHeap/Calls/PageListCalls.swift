/// The CPUs' lists of free pages as a whole.
let pageListCalls: [any KernelCall.Type] = [DrainAllPages.self]

/// The call `void drain_all_pages(struct zone *zone)`, for all zones.
struct DrainAllPages: KernelCall {
    static let signature = CallSignature(
        "drain_all_pages",
        returns: "void",
        [],
        "Returns the pages on all CPUs' lists to the buddy lists: where bad pages are found."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        for zone in kernel.pages.zones.indices { kernel.pages.drainPerCPU(zone: zone) }
        return .void
    }
}
