/// What a client can ask of compaction.
let compactionCalls: [any KernelCall.Type] = [CompactMemory.self]

/// A write to `/proc/sys/vm/compact_memory`.
struct CompactMemory: KernelCall {
    static let signature = CallSignature(
        "compact_memory",
        returns: "int",
        [],
        "Moves pages in all zones so that free ones lie side by side; -ENOENT before 2.6.35.",
        runsMethods: true
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard kernel.hasCompaction else { return kernel.status(.ENOENT) }
        let result = kernel.compactMemory(in: context)
        return CallResult(
            .integer(0),
            detail: .facts([.count("moved", result.moved), .count("stayed", result.stayed)])
        )
    }
}
