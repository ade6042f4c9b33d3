/// Loads and stores of kernel memory by address, as compiled code would make them.
let memoryCalls: [any KernelCall.Type] = [
    KernelRead.self, KernelWrite.self, Memset.self, Memcpy.self, Memmove.self,
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
    mutating func copyKernel(
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

    /// The same from the last byte down.
    fileprivate mutating func copyKernelDownwards(
        to target: UInt64,
        from source: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> (done: UInt64, load: PageFault?, store: PageFault?) {
        var rest = count
        while rest > 0 {
            let (from, to) = (source &+ (rest - 1), target &+ (rest - 1))
            let length = min(rest, min(from % 4096, to % 4096) + 1)
            let start = rest - length
            let (bytes, load) = loadKernel(source &+ start, length, in: context)
            if let load { return (count - rest, load, nil) }
            let (_, store) = storeKernel(target &+ start, bytes, in: context)
            if let store { return (count - rest, nil, store) }
            rest = start
        }
        return (count, nil, nil)
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
        if isUsed {
            kernel.checkUse(
                address,
                UInt64(bytes.count),
                .decided(by: "kernel_read"),
                in: context
            )
        }
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
        // What stores that reach the source left there depends on the order of the copy.
        let isApart = target <= source || target - source >= count
        let unwritten = isApart ? kernel.unwrittenParts(source, count) : []
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
        kernel.noteUnwritten(unwritten, at: target, stored: 0..<copy.done)
        if copy.load != nil { result = loaded }
        result.value = .pointer(target)
        return result
    }
}

/// The call `void *memmove(void *dest, const void *src, size_t count)`.
struct Memmove: KernelCall {
    static let signature = CallSignature(
        "memmove",
        returns: "void *",
        [
            Parameter("dest", .address, "Where to."),
            Parameter("src", .address, "Where from."),
            Parameter("count", .size, "Bytes.", maximum: 64 << 20, isWork: true),
        ],
        "Copies bytes of kernel memory; the two may overlap."
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
        guard kernel.checkShadow(source, count, isWrite: false, "memmove", in: context),
            kernel.checkShadow(target, count, isWrite: true, "memmove", in: context)
        else { return CallResult(.pointer(0)) }
        let isUpwards = target <= source || target - source >= count
        let unwritten = kernel.unwrittenParts(source, count)
        let copy =
            isUpwards
            ? kernel.copyKernel(to: target, from: source, count, in: context)
            : kernel.copyKernelDownwards(to: target, from: source, count, in: context)
        // What was moved of a copy downwards lies at the end, and what faulted in front of it.
        let start = isUpwards ? 0 : count - copy.done
        let stop = isUpwards ? copy.done : start &- 1
        kernel.checkAccess(source &+ start, copy.done, isWrite: false)
        kernel.checkAccess(target &+ start, copy.done, isWrite: true)
        kernel.noteUnwritten(unwritten, at: target, stored: start..<start + copy.done)
        if let fault = copy.store { return kernel.faultResult(fault, at: target &+ stop) }
        if let fault = copy.load { return kernel.faultResult(fault, at: source &+ stop) }
        return CallResult(.pointer(target))
    }
}
