/// What a process does by itself: loads, stores and fetches, with signals as outcomes.
let userModeCalls: [any KernelCall.Type] = [
    UserRead.self, UserWrite.self, UserFetch.self, UserRace.self,
]

/// Most bytes that a load or store in user mode moves per call.
private let transferLimit: UInt64 = 1 << 20
private let addressParameter = Parameter("addr", .address, "A user address.")

extension Kernel {
    /// The signal that a refused access gets: `arch/x86/mm/fault.c`, 6.1.
    ///
    /// For an address of the kernel's, the error code tells nothing but that: `sanitize_error_code()`.
    fileprivate func signal(_ fault: UserFault) -> Fact {
        if fault.reason == .outOfMemory, dyingProcess == nil,
            profile.platform != .classicI386
        {
            // Nobody runs any more on a kernel that has panicked for want of memory.
            return Fact("retried", .boolean(!isPanicked))
        }
        let hidden: UInt32 = fault.address.rawValue >= userEnd ? 1 : 0
        var name = "SIGSEGV"
        var address = fault.address.rawValue
        var code = fault.code | hidden
        let reason: String
        switch fault.reason {
        case .notMapped, .outsideUserSpace: reason = "SEGV_MAPERR"
        case .beyondFile: (name, reason) = ("SIGBUS", "BUS_ADRERR")
        case .nonCanonical: (reason, address, code) = ("SI_KERNEL", 0, 0)
        // The killer's victim; on 2.6 pagefault_out_of_memory() ends whoever faults.
        case .outOfMemory: (name, reason) = ("SIGKILL", "SI_KERNEL")
        default: reason = "SEGV_ACCERR"
        }
        return Fact(
            "signal",
            .facts([
                Fact("name", .text(name)),
                Fact("si_code", .text(reason)),
                Fact("si_addr", .address(address)),
                Fact("error_code", .number(Int64(code))),
            ])
        )
    }
}

/// Loads bytes in user mode: the result is how many were loaded.
struct UserRead: KernelCall {
    static let signature = CallSignature(
        "user_read",
        returns: "size_t",
        [addressParameter, Parameter("length", .size, "Bytes.", maximum: transferLimit)],
        "Loads bytes in user mode; a refused access is a signal.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = min(arguments.word(1), transferLimit)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var bytes: [UInt8] = []
        let process = kernel.processIndex(context)
        let (done, fault) = kernel.walkUser(
            process,
            address,
            length,
            for: .load,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: count, into: &bytes)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: count))
            }
        }
        kernel.checkResults(address, done, process: process, isWrite: false)
        var facts = [Fact("data", .bytes(bytes))]
        if let fault { facts.append(kernel.signal(fault)) }
        return CallResult(.unsigned(done), detail: .facts(facts))
    }
}

/// Stores bytes in user mode: the result is how many were stored.
struct UserWrite: KernelCall {
    static let signature = CallSignature(
        "user_write",
        returns: "size_t",
        [addressParameter, Parameter("data", .bytes, "The bytes.")],
        "Stores bytes in user mode; a refused access is a signal.",
        isSystemCall: true
    )

    var address: UInt64
    var data: [UInt8]

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        data = arguments.bytes(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var rest = data[...]
        let process = kernel.processIndex(context)
        let (done, fault) = kernel.walkUser(
            process,
            address,
            UInt64(data.count),
            for: .store,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn { kernel.writeFrame(pfn, offset: offset, rest.prefix(count)) }
            rest = rest.dropFirst(count)
        }
        kernel.checkResults(address, done, process: process, isWrite: true)
        let facts = fault.map { [kernel.signal($0)] } ?? []
        return CallResult(.unsigned(done), detail: .facts(facts))
    }
}

/// Fetches an instruction in user mode: the result is how many bytes were fetched.
struct UserFetch: KernelCall {
    static let signature = CallSignature(
        "user_fetch",
        returns: "size_t",
        [
            addressParameter,
            Parameter("length", .size, "Bytes; 1 where left out.", optional: true, maximum: 15),
        ],
        "Fetches an instruction in user mode; a page that may not be run is a signal.",
        isSystemCall: true
    )

    var address: UInt64
    var length: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        length = arguments.has(1) ? min(arguments.word(1), 15) : 1
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var bytes: [UInt8] = []
        let (done, fault) = kernel.walkUser(
            kernel.processIndex(context),
            address,
            length,
            for: .fetch,
            cpu: context.cpu
        ) { kernel, pfn, offset, count in
            if let pfn {
                kernel.readFrame(pfn, offset: offset, count: count, into: &bytes)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: count))
            }
        }
        var facts = [Fact("data", .bytes(bytes))]
        if let fault { facts.append(kernel.signal(fault)) }
        return CallResult(.unsigned(done), detail: .facts(facts))
    }
}

/// Registers a store that another thread makes between two fetches of the kernel's.
struct UserRace: KernelCall {
    static let signature = CallSignature(
        "user_race",
        returns: "int",
        [addressParameter, Parameter("data", .bytes, "At most 4096 bytes.")],
        "Another thread stores bytes right after the kernel's next fetch of any of them, once."
    )

    var address: UInt64
    var data: [UInt8]

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        data = arguments.bytes(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let isValid =
            !data.isEmpty && data.count <= UserRaces.maximumBytes
            && kernel.isUserRange(address, UInt64(data.count))
        guard isValid else { return kernel.status(.EINVAL) }
        let store = UserRaces.Store(process: process, address: address, bytes: data)
        return kernel.status(kernel.races.add(store) ? nil : .EAGAIN)
    }
}
