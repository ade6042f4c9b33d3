/// Failures on demand.
let faultInjectionCalls: [any KernelCall.Type] = [
    FailNth.self, Failslab.self, FailPageAlloc.self, FailUsercopy.self, WriteFaultKnob.self,
    MakeItFail.self, MarkCacheFailing.self,
]

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

extension FaultKnob {
    /// The knob as a parameter of the attribute's call.
    fileprivate var asParameter: Parameter {
        switch self {
        case .probability: knob(.size, "Percent of the requests that come so far; 0 for none.")
        case .interval: knob(.size, "Of every so many requests one may fail.")
        case .times: knob(.int, "Failures until there are no more; -1 for no end.")
        case .space: knob(.int, "Bytes, pages or copies that are served before the first failure.")
        case .verbose: knob(.size, "What the log tells: 0 nothing, 1 the failure, 2 who, too.")
        case .taskFilter: knob(.boolean, "Whether only processes with make_it_fail fail.")
        case .ignoreGFPWait: knob(.boolean, "Whether requests that may reclaim are left alone.")
        case .ignoreGFPHighmem:
            knob(.boolean, "Whether requests that may have high memory are left alone.")
        case .minOrder: knob(.uint, "Smaller blocks than 2^order pages are left alone.")
        case .cacheFilter:
            knob(.boolean, "Whether only caches that failslab_cache has marked fail.")
        }
    }

    private func knob(_ type: ParameterType, _ summary: String) -> Parameter {
        Parameter(parameter, type, summary, optional: true, isFixedWidth: true)
    }
}

/// Writes to the files of one attribute; what is left out stays.
protocol FaultAttributeCall: KernelCall {
    static var site: FaultSite { get }
    /// In the order of the parameters.
    static var knobs: [FaultKnob] { get }
    var words: [(knob: FaultKnob, word: UInt64)] { get }
    init(words: [(knob: FaultKnob, word: UInt64)])
}

extension FaultAttributeCall {
    init(_ arguments: borrowing CallArguments) {
        var words: [(knob: FaultKnob, word: UInt64)] = []
        for (index, knob) in Self.knobs.enumerated() where arguments.has(index) {
            words.append((knob, arguments.word(index)))
        }
        self.init(words: words)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.setFaultKnobs(Self.site) { attribute in
            for (knob, word) in words { knob.set(word, of: &attribute) }
        }
        return kernel.faultKnobs(of: Self.site)
    }
}

extension Kernel {
    /// The answer to a change of knobs: where all of them stand now.
    fileprivate func faultKnobs(of site: FaultSite) -> CallResult {
        let attribute = faultAttribute(site)
        return CallResult(
            .integer(0),
            detail: .facts(
                FaultKnob.knobs(of: site).map { Fact($0.parameter, $0.value(of: attribute)) }
            )
        )
    }
}

/// Writing to the files of `/sys/kernel/debug/failslab`.
struct Failslab: FaultAttributeCall {
    static let site = FaultSite.slab
    static let knobs = FaultKnob.knobs(of: .slab)
    static let signature = CallSignature(
        "failslab",
        returns: "int",
        knobs.map(\.asParameter),
        "Makes allocations of slab objects fail; knobs that are left out stay as they are."
    )

    var words: [(knob: FaultKnob, word: UInt64)]
}

/// Writing to the files of `/sys/kernel/debug/fail_page_alloc`.
///
/// A call has eight parameters at most: `verbose` is `write_fault_knob`'s.
struct FailPageAlloc: FaultAttributeCall {
    static let site = FaultSite.pages
    static let knobs = FaultKnob.knobs(of: .pages).filter { $0 != .verbose }
    static let signature = CallSignature(
        "fail_page_alloc",
        returns: "int",
        knobs.map(\.asParameter),
        "Makes allocations of pages fail; knobs that are left out stay as they are."
    )

    var words: [(knob: FaultKnob, word: UInt64)]
}

/// Writing to the files of `/sys/kernel/debug/fail_usercopy`.
struct FailUsercopy: FaultAttributeCall {
    static let site = FaultSite.usercopy
    static let knobs = FaultKnob.knobs(of: .usercopy)
    static let signature = CallSignature(
        "fail_usercopy",
        returns: "int",
        knobs.map(\.asParameter),
        "Makes copies from and to user space fail; knobs that are left out stay as they are."
    )

    var words: [(knob: FaultKnob, word: UInt64)]
}

/// The command `echo value > path`, for the files that make calls fail.
struct WriteFaultKnob: KernelCall {
    static let signature = CallSignature(
        "write_fault_knob",
        returns: "int",
        [
            Parameter(
                "path",
                .text,
                "Whole or below /sys/kernel/debug: failslab/probability, /proc/1/fail-nth, /proc/1/make-it-fail."
            ),
            Parameter("value", .text, "What is written: a number, or Y or N."),
        ],
        "Writes one knob of fault injection by its file; -ENOENT and -EINVAL as from the file."
    )

    var path: String
    var value: String

    init(_ arguments: borrowing CallArguments) {
        path = arguments.text(0)
        value = arguments.text(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let file = FaultFile(path, self: context.pid) else {
            return missing(
                "no such file",
                near: FaultFile.names(near: path, self: context.pid)
            )
        }
        switch file {
        case .knob(let site, let knob):
            guard let word = knob.word(value) else { return kernel.status(.EINVAL) }
            kernel.setFaultKnobs(site) { knob.set(word, of: &$0) }
            return kernel.faultKnobs(of: site)
        case .failNth(let pid):
            guard kernel.hasProcess(pid) else { return noProcess(pid, of: kernel) }
            guard let word = FaultKnob.interval.word(value), let number = UInt32(exactly: word)
            else { return kernel.status(.EINVAL) }
            kernel.failPlace(number, of: pid)
            return kernel.status(nil)
        case .makeItFail(let pid):
            guard kernel.hasProcess(pid) else { return noProcess(pid, of: kernel) }
            guard let word = FaultKnob.times.word(value), word <= 1 else {
                return kernel.status(.EINVAL)
            }
            return kernel.markFailing(pid, word == 1)
        }
    }

    private func noProcess(_ pid: Int, of kernel: borrowing Kernel) -> CallResult {
        let file = path.split(separator: "/").last ?? ""
        return missing(
            "no process \(pid)",
            near: kernel.pids.prefix(16).map { "/proc/\($0)/\(file)" }
        )
    }

    private func missing(_ reason: String, near names: [String]) -> CallResult {
        CallResult(
            .integer(-Int64(Errno.ENOENT.rawValue)),
            errno: .ENOENT,
            detail: .facts([
                Fact("refused", .text(reason)), Fact("near", .list(names.map { .text($0) })),
            ])
        )
    }
}

extension Kernel {
    /// Writes `make-it-fail` of a process.
    fileprivate mutating func markFailing(_ pid: Int, _ isMarked: Bool) -> CallResult {
        let living = pids
        pages.faults.keepTasks { living.contains($0) }
        return status(pages.faults.mark(pid, isMarked) ? nil : .ENOMEM)
    }
}

/// Writing to `/proc/<pid>/make-it-fail`.
struct MakeItFail: KernelCall {
    static let signature = CallSignature(
        "make_it_fail",
        returns: "int",
        [
            Parameter("pid", .int, "Which process."),
            Parameter("value", .boolean, "Whether task_filter lets it fail."),
        ],
        "Marks a process for the knobs with task_filter."
    )

    var pid: Int32
    var value: Bool

    init(_ arguments: borrowing CallArguments) {
        pid = arguments.int(0)
        value = arguments.flag(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard pid > 0, kernel.hasProcess(Int(pid)) else { return kernel.status(.ESRCH) }
        return kernel.markFailing(Int(pid), value)
    }
}

/// Writing to `/sys/kernel/slab/<cache>/failslab`.
struct MarkCacheFailing: KernelCall {
    static let signature = CallSignature(
        "failslab_cache",
        returns: "int",
        [cacheParameter, Parameter("value", .boolean, "Whether cache_filter lets it fail.")],
        "Marks a cache for failslab's cache_filter; -EINVAL where several creators share it."
    )

    var cache: CacheArgument
    var value: Bool

    init(_ arguments: borrowing CallArguments) {
        cache = arguments.cache(0)
        value = arguments.flag(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let cache = kernel.cache(cache) else { return kernel.status(.ENOENT) }
        let place = Int(cache.rawValue)
        guard kernel.slab.catalog.records[place].references <= 1 else {
            return kernel.status(.EINVAL)
        }
        kernel.slab.catalog.markFailing(place, value)
        return kernel.status(nil)
    }
}
