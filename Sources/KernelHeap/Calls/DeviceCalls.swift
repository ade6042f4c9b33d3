/// Character devices and the buffers behind them.
let deviceCalls: [any KernelCall.Type] = [
    ChrdevRegister.self, ChrdevUnregister.self, SimpleReadFromBuffer.self,
    SimpleWriteToBuffer.self, FixedSizeLlseek.self,
]

private let nameParameter = Parameter("name", .text, "Under /dev, without a slash.")

extension CallResult {
    /// The result of what goes on in the kernel for a device or a file.
    init(_ outcome: Kernel.DeviceOutcome, _ more: [Fact] = []) {
        let facts = CallDetail.facts(more + outcome.facts)
        guard let value = outcome.value else {
            self.init(
                .void,
                detail: .facts(more + outcome.facts + [Fact("killed", .boolean(true))])
            )
            return
        }
        let errno = value < 0 ? Errno(rawValue: Int32(clamping: 0 &- value)) : nil
        self.init(.integer(value), errno: errno, detail: facts)
    }
}

/// A driver's registration: `int register_chrdev(unsigned int major, const char *name, …)`.
struct ChrdevRegister: KernelCall {
    static let signature = CallSignature(
        "chrdev_register",
        returns: "int",
        [
            nameParameter,
            Parameter(
                "methods",
                .driver,
                "What probe, open, read, write, ioctl, llseek, poll, mmap, release and remove do, as steps."
            ),
            Parameter("dev", .device, "The device whose $dev its methods get.", optional: true),
        ],
        "Makes a character device with a node under /dev; returns its major number.",
        runsMethods: true,
        takesNull: true
    )

    var name: String
    var script: DriverScript
    var device: DeviceArgument?

    init(_ arguments: borrowing CallArguments) {
        name = arguments.text(0)
        script = arguments.driver(1)
        device = arguments.has(2) ? arguments.device(2) : nil
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let device, device != .address(0) else {
            return CallResult(kernel.registerDevice(name, script, in: context))
        }
        guard let parent = kernel.findDevice(device, in: context) else {
            return .noDevice(returning: Self.signature.returns)
        }
        return CallResult(kernel.registerDevice(name, script, parent: parent, in: context))
    }
}

/// The driver goes: `void unregister_chrdev(unsigned int major, const char *name)`.
struct ChrdevUnregister: KernelCall {
    static let signature = CallSignature(
        "chrdev_unregister",
        returns: "int",
        [nameParameter],
        "Takes a device away while its remove method runs; open files go on using it.",
        runsMethods: true
    )

    var name: String

    init(_ arguments: borrowing CallArguments) { name = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(kernel.unregisterDevice(name, in: context))
    }
}

extension CallResult {
    /// The result of a copy with a position; one that cannot be loaded is an oops without a result.
    fileprivate init(_ outcome: (value: Int64, copy: UserCopyDetail?)?) {
        guard let outcome else {
            self = .void
            return
        }
        let errno = outcome.value < 0 ? Errno(rawValue: Int32(clamping: 0 &- outcome.value)) : nil
        let detail = outcome.copy.map { CallDetail.userCopy($0) } ?? .none
        self.init(.integer(outcome.value), errno: errno, detail: detail)
    }
}

/// The call `ssize_t simple_read_from_buffer(void __user *to, size_t count, loff_t *ppos, …)`.
struct SimpleReadFromBuffer: KernelCall {
    static let signature = CallSignature(
        "simple_read_from_buffer",
        returns: "ssize_t",
        [
            Parameter("to", .address, "A user address."),
            Parameter("count", .size, "Bytes that the user has room for.", isWork: true),
            Parameter("ppos", .address, "Address of the position, a loff_t, which moves on."),
            Parameter("from", .address, "The kernel's buffer."),
            Parameter("available", .size, "Bytes that are in it.", isWork: true),
        ],
        "Copies from a position of a kernel buffer to the calling process; returns the bytes."
    )

    private var copy: BufferCopy

    init(_ arguments: borrowing CallArguments) {
        copy = BufferCopy(
            position: arguments.word(2),
            buffer: arguments.word(3),
            available: arguments.word(4),
            user: arguments.word(0),
            count: arguments.word(1)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(kernel.copyAtPosition(copy, .toUser, in: context))
    }
}

/// The call `ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *ppos, …)`.
struct SimpleWriteToBuffer: KernelCall {
    static let signature = CallSignature(
        "simple_write_to_buffer",
        returns: "ssize_t",
        [
            Parameter("to", .address, "The kernel's buffer."),
            Parameter("available", .size, "Bytes that it has room for.", isWork: true),
            Parameter("ppos", .address, "Address of the position, a loff_t, which moves on."),
            Parameter("from", .address, "A user address."),
            Parameter("count", .size, "Bytes that the user has.", isWork: true),
        ],
        "Copies from the calling process to a position of a kernel buffer; returns the bytes."
    )

    private var copy: BufferCopy

    init(_ arguments: borrowing CallArguments) {
        copy = BufferCopy(
            position: arguments.word(2),
            buffer: arguments.word(0),
            available: arguments.word(1),
            user: arguments.word(3),
            count: arguments.word(4)
        )
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(kernel.copyAtPosition(copy, .fromUser, in: context))
    }
}

/// The call `loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size)`.
struct FixedSizeLlseek: KernelCall {
    static let signature = CallSignature(
        "fixed_size_llseek",
        returns: "loff_t",
        [
            Parameter("file", .address, "A struct file, as a driver's method gets it."),
            Parameter("offset", .signed(bits: 64), "Bytes.", isFixedWidth: true),
            Parameter("whence", .uint, "0 from the start, 1 from the position, 2 from the end."),
            Parameter("size", .signed(bits: 64), "Bytes of the device.", isFixedWidth: true),
        ],
        "Moves a file's position within a device of fixed size; returns it."
    )

    var file: UInt64
    var seek: FileSeek
    var size: Int64

    init(_ arguments: borrowing CallArguments) {
        file = arguments.word(0)
        let origin = FileSeek.Origin(rawValue: UInt64(arguments.uint(2)))
        seek = FileSeek(offset: Int64(bitPattern: arguments.word(1)), origin: origin)
        size = Int64(bitPattern: arguments.word(3))
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        CallResult(kernel.seekDevice(file, seek, size: size, in: context).map { ($0, nil) })
    }
}
