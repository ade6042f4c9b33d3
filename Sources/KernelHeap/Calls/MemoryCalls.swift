/// Loads and stores of kernel memory by address, as compiled code would make them.
let memoryCalls: [any KernelCall.Type] = [KernelRead.self, KernelWrite.self, Memset.self]

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
}

/// Loads bytes: the result is how many were loaded, the bytes stand in the detail.
struct KernelRead: KernelCall {
    static let signature = CallSignature(
        "kernel_read",
        returns: "size_t",
        [
            Parameter("address", .address, "Where to begin."),
            Parameter("length", .size, "Bytes.", maximum: transferLimit),
        ],
        "Loads bytes of kernel memory, as compiled kernel code would."
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = min(arguments.word(1), transferLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let (bytes, fault) = kernel.loadKernel(address, length, in: context)
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
        let (done, fault) = kernel.setKernel(address, count, to: byte, in: context)
        var result = kernel.accessResult(address, done: done, fault, isWrite: true, facts: [])
        result.value = .pointer(address)
        return result
    }
}
