/// Loads and stores of kernel memory by address, as compiled code would make them.
let memoryCalls: [any KernelCall.Type] = [
    KernelRead.self, KernelWrite.self, Memset.self, Memcpy.self, Memcmp.self,
]

/// Most bytes that one call moves.
private let transferLimit: UInt64 = 1 << 20

extension Kernel {
    /// What an access to kernel memory answers with; one that left mapped memory is an oops.
    fileprivate mutating func accessResult(
        _ address: UInt64,
        done: UInt64,
        _ fault: PageFault?,
        isWrite: Bool,
        facts: [Fact]
    ) -> CallResult {
        var facts = facts
        checkAccess(address, done, isWrite: isWrite)
        if let fault {
            let place = address &+ done
            logAccessFault(at: place, code: fault.code)
            facts.append(Fact("fault", .address(place)))
            facts.append(Fact("error_code", .number(Int64(fault.code))))
        }
        return CallResult(.unsigned(done), detail: .facts(facts))
    }

    /// Loads and stores bytes as kernel code would, one page of either side after the other.
    ///
    /// - Returns: the bytes stored, with the load or the store that faulted then.
    fileprivate mutating func copyKernel(
        to target: UInt64,
        from source: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> (done: UInt64, load: PageFault?, store: PageFault?) {
        var done = moveReached(
            processIndex(context),
            from: source,
            to: target,
            count: count,
            for: (.kernelLoad, .kernelStore)
        )
        while done < count {
            let length = min(count - done, 4096 - (source &+ done) % 4096)
            let (bytes, load) = loadKernel(source &+ done, length, in: context)
            let (stored, store) = storeKernel(target &+ done, bytes, in: context)
            done += stored
            if load != nil || store != nil { return (done, store == nil ? load : nil, store) }
        }
        return (done, nil, nil)
    }
}

/// Loads bytes: the result is how many were loaded, the bytes stand in the detail.
struct KernelRead: KernelCall {
    static let signature = CallSignature(
        "kernel_read",
        returns: "size_t",
        [
            Parameter("address", .address, "Where to begin."),
            Parameter("length", .size, "Bytes.", maximum: transferLimit),
            Parameter(
                "use",
                .boolean,
                "Whether something is decided by the bytes, so that unwritten ones matter.",
                optional: true
            ),
        ],
        "Loads bytes of kernel memory, as compiled kernel code would."
    )

    var address: UInt64
    var length: UInt64
    var isUsed: Bool

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = min(arguments.word(1), transferLimit)
        isUsed = arguments.flag(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        kernel.checkShadow(address, length, isWrite: false, "kernel_read", in: context)
        let (bytes, fault) = kernel.loadKernel(address, length, in: context)
        if isUsed { kernel.checkUse(address, UInt64(bytes.count), .decided, in: context) }
        return kernel.accessResult(
            address,
            done: UInt64(bytes.count),
            fault,
            isWrite: false,
            facts: [Fact("data", .bytes(bytes))]
        )
    }
}

/// Stores bytes: the result is how many were stored.
struct KernelWrite: KernelCall {
    static let signature = CallSignature(
        "kernel_write",
        returns: "size_t",
        [
            Parameter("address", .address, "Where to begin."),
            Parameter("data", .bytes, "The bytes."),
        ],
        "Stores bytes into kernel memory, as compiled kernel code would."
    )

    var address: UInt64
    var data: [UInt8]

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        data = arguments.bytes(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let count = UInt64(data.count)
        kernel.checkShadow(address, count, isWrite: true, "kernel_write", in: context)
        let (done, fault) = kernel.storeKernel(address, data, in: context)
        return kernel.accessResult(address, done: done, fault, isWrite: true, facts: [])
    }
}

/// The call `void *memset(void *s, int c, size_t n)`.
struct Memset: KernelCall {
    static let signature = CallSignature(
        "memset",
        returns: "void *",
        [
            Parameter("s", .address, "Where to begin."),
            Parameter("c", .int, "The value; its low byte counts."),
            Parameter("n", .size, "Bytes.", maximum: 64 << 20, isWork: true),
        ],
        "Sets bytes of kernel memory to one value."
    )

    var address: UInt64
    var value: Int32
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        value = arguments.int(1)
        count = min(arguments.word(2), 64 << 20)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let byte = UInt8(truncatingIfNeeded: value)
        // The sanitizer's own memset() leaves memory alone that it may not touch.
        guard kernel.checkShadow(address, count, isWrite: true, "memset", in: context) else {
            return CallResult(.pointer(0))
        }
        let (done, fault) = kernel.setKernel(address, count, to: byte, in: context)
        var result = kernel.accessResult(address, done: done, fault, isWrite: true, facts: [])
        result.value = .pointer(address)
        return result
    }
}

/// The call `void *memcpy(void *dest, const void *src, size_t count)`.
struct Memcpy: KernelCall {
    static let signature = CallSignature(
        "memcpy",
        returns: "void *",
        [
            Parameter("dest", .address, "Where to."),
            Parameter("src", .address, "Where from."),
            Parameter("count", .size, "Bytes.", maximum: 64 << 20, isWork: true),
        ],
        "Copies bytes of kernel memory, upwards where the two overlap."
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = min(arguments.word(2), 64 << 20)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        // As memset(), and of two wrong places the source is told.
        guard kernel.checkShadow(source, count, isWrite: false, "memcpy", in: context),
            kernel.checkShadow(target, count, isWrite: true, "memcpy", in: context)
        else { return CallResult(.pointer(0)) }
        let copy = kernel.copyKernel(to: target, from: source, count, in: context)
        let loaded = kernel.accessResult(
            source,
            done: copy.done,
            copy.load,
            isWrite: false,
            facts: []
        )
        var result = kernel.accessResult(
            target,
            done: copy.done,
            copy.store,
            isWrite: true,
            facts: []
        )
        if copy.load != nil { result = loaded }
        result.value = .pointer(target)
        return result
    }
}

/// The call `int memcmp(const void *cs, const void *ct, size_t count)`.
struct Memcmp: KernelCall {
    static let signature = CallSignature(
        "memcmp",
        returns: "int",
        [
            Parameter("cs", .address, "One place."),
            Parameter("ct", .address, "The other."),
            Parameter("count", .size, "Bytes.", maximum: transferLimit),
        ],
        "Compares kernel memory; returns the difference of the first bytes that are not the same."
    )

    var left: UInt64
    var right: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        left = arguments.word(0)
        right = arguments.word(1)
        count = min(arguments.word(2), transferLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var done: UInt64 = 0
        while done < count {
            // No byte behind the first difference's page is loaded.
            let rest = min(4096 - (left &+ done) % 4096, 4096 - (right &+ done) % 4096)
            let length = min(count - done, rest)
            let (these, fault) = kernel.loadKernel(left &+ done, length, in: context)
            let (those, other) = kernel.loadKernel(right &+ done, length, in: context)
            if let place = zip(these, those).enumerated().first(where: { $1.0 != $1.1 }) {
                let reached = done + UInt64(place.offset) + 1
                kernel.checkShadow(left, reached, isWrite: false, "memcmp", in: context)
                kernel.checkShadow(right, reached, isWrite: false, "memcmp", in: context)
                _ = kernel.accessResult(left, done: reached, nil, isWrite: false, facts: [])
                _ = kernel.accessResult(right, done: reached, nil, isWrite: false, facts: [])
                return CallResult(.integer(Int64(place.element.0) - Int64(place.element.1)))
            }
            if fault != nil || other != nil {
                let (address, stop) = fault == nil ? (right, other) : (left, fault)
                kernel.checkShadow(address, done + 1, isWrite: false, "memcmp", in: context)
                var result = kernel.accessResult(
                    address,
                    done: done,
                    stop,
                    isWrite: false,
                    facts: []
                )
                result.value = .void
                return result
            }
            done += length
        }
        kernel.checkShadow(left, count, isWrite: false, "memcmp", in: context)
        kernel.checkShadow(right, count, isWrite: false, "memcmp", in: context)
        _ = kernel.accessResult(left, done: count, nil, isWrite: false, facts: [])
        _ = kernel.accessResult(right, done: count, nil, isWrite: false, facts: [])
        return CallResult(.integer(0))
    }
}
