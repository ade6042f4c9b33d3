/// Swap areas, kswapd and shrinkers: what reclaim works with.
let reclaimCalls: [any KernelCall.Type] = [
    Swapon.self, Swapoff.self, Balance.self, RegisterShrinker.self, UnregisterShrinker.self,
    SetOOMScoreAdjustment.self,
]

private let areaParameter = Parameter("path", .text, "What the area is called in /proc/swaps.")

/// The call `int swapon(const char *path, int swapflags)`, with a new area of a given size.
struct Swapon: KernelCall {
    static let signature = CallSignature(
        "swapon",
        returns: "int",
        [
            areaParameter,
            Parameter(
                "size",
                .size,
                "Bytes of the area, its header's page among them.",
                maximum: SwapAreas.pageLimit << 12,
                isFixedWidth: true
            ),
        ],
        "Adds a swap area: anonymous pages may go there when memory is short."
    )

    var path: String
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        path = arguments.text(0)
        size = min(arguments.word(1), SwapAreas.pageLimit << 12)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.swapOn(path, bytes: size))
    }
}

/// The call `int swapoff(const char *path)`.
struct Swapoff: KernelCall {
    static let signature = CallSignature(
        "swapoff",
        returns: "int",
        [areaParameter],
        "Takes a swap area away; what is in it comes back into memory.",
        takesLong: true
    )

    var path: String

    init(_ arguments: borrowing CallArguments) { path = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.swapOff(path, in: context))
    }
}

/// kswapd's work, at once: `balance_pgdat()`.
struct Balance: KernelCall {
    static let signature = CallSignature(
        "balance",
        returns: "unsigned long",
        [
            Parameter("node", .uint, "Which node's kswapd runs.", optional: true),
            Parameter(
                "order",
                .uint,
                "The block that is to be free, 2^order pages.",
                optional: true
            ),
        ],
        "Runs kswapd until a zone of the node is above its high mark; returns the pages freed.",
        takesLong: true
    )

    var node: UInt32
    var order: UInt32

    init(_ arguments: borrowing CallArguments) {
        node = arguments.uint(0)
        order = arguments.uint(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard node < UInt32(kernel.slab.nodeCount), order <= UInt32(Zone.maxOrder) else {
            return kernel.status(.EINVAL)
        }
        let freed = kernel.balance(node: Int(node), order: Int(order), upTo: .device)
        return CallResult(.unsigned(UInt64(freed)))
    }
}

/// The call `int register_shrinker(struct shrinker *shrinker, const char *fmt, ...)`.
struct RegisterShrinker: KernelCall {
    static let signature = CallSignature(
        "register_shrinker",
        returns: "int",
        [
            Parameter("name", .text, "What it is called."),
            Parameter("cache", .cache, "Whose objects it frees, those of the oldest slabs first."),
            Parameter("seeks", .uint, "What an object costs to make anew; 2.", optional: true),
            Parameter("batch", .uint, "Objects freed at once; 128.", optional: true),
            Parameter(
                "needs_fs",
                .boolean,
                "It calls the filesystem, and so does nothing for requests without __GFP_FS.",
                optional: true
            ),
        ],
        "Registers a function that gives objects of a cache back when memory is short."
    )

    var name: String
    var cache: CacheArgument
    var seeks: UInt32
    var batch: UInt32
    var needsFS: Bool

    init(_ arguments: borrowing CallArguments) {
        name = arguments.text(0)
        cache = arguments.cache(1)
        seeks = arguments.has(2) ? arguments.uint(2) : 2
        batch = arguments.has(3) ? arguments.uint(3) : 128
        needsFS = arguments.flag(4)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let cache = kernel.cache(cache) else { return kernel.status(.EINVAL) }
        let shrinker = Shrinker(
            name: String(name.prefix(64)),
            cache: Int(cache.rawValue),
            seeks: Int(min(seeks, 1_000)),
            batch: Int(max(1, min(batch, 65_536))),
            needsFS: needsFS
        )
        return kernel.status(kernel.register(shrinker))
    }
}

/// The call `void unregister_shrinker(struct shrinker *shrinker)`.
struct UnregisterShrinker: KernelCall {
    static let signature = CallSignature(
        "unregister_shrinker",
        returns: "int",
        [Parameter("name", .text, "As it was registered.")],
        "Reclaim asks the shrinker no more."
    )

    var name: String

    init(_ arguments: borrowing CallArguments) { name = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.status(kernel.unregisterShrinker(name))
    }
}

/// A write to `/proc/<pid>/oom_score_adj`.
struct SetOOMScoreAdjustment: KernelCall {
    static let signature = CallSignature(
        "oom_score_adj",
        returns: "int",
        [
            Parameter("pid", .int, "Which process."),
            Parameter("value", .int, "From -1000, never killed, to 1000."),
        ],
        "Says how readily the OOM killer chooses a process."
    )

    var pid: Int32
    var value: Int32

    init(_ arguments: borrowing CallArguments) {
        pid = arguments.int(0)
        value = arguments.int(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let place = kernel.process(Int(pid)), pid > 0 else { return kernel.status(.ESRCH) }
        guard (-1000...1000).contains(value) else { return kernel.status(.EINVAL) }
        kernel.processes[place].oomScoreAdjustment = Int(value)
        return kernel.status(nil)
    }
}
