/// The way from a program into the kernel and back: CPL 3, 0, 3.
extension Kernel {
    /// A system call that is under way.
    struct SystemCallEntry {
        /// Where the registers were saved, on the process's kernel stack; nil where it has none.
        var registersAddress: UInt64?
        var registers: SavedRegisters
        var stackTop: UInt64
    }

    /// Bytes of a kernel stack: `THREAD_SIZE`.
    private var stackBytes: UInt64 { layout.is32Bit ? 8_192 : 16_384 }
    /// Kept free above the saved registers: `TOP_OF_KERNEL_STACK_PADDING`.
    private var stackPadding: UInt64 { layout.is32Bit ? 16 : 0 }

    /// Enters the kernel: saves the program's registers on the process's kernel stack.
    ///
    /// - Parameters:
    ///   - number: of the system call, in the machine's table.
    ///   - arguments: as the program's registers hold them.
    ///   - context: whose CPU and process.
    /// - Returns: where everything is.
    mutating func enterKernel(
        _ number: UInt64,
        _ arguments: [UInt64],
        in context: CallContext
    ) -> SystemCallEntry {
        let registers = SavedRegisters(
            number: number,
            arguments,
            is32Bit: layout.is32Bit,
            stack: layout.userEnd - 0x1000
        )
        guard let stack = kernelStack(in: context) else {
            return SystemCallEntry(registersAddress: nil, registers: registers, stackTop: 0)
        }
        let top = stack + stackBytes - stackPadding
        let address = top - UInt64(registers.bytes.count)
        _ = storeKernel(address, registers.bytes, in: context)
        return SystemCallEntry(registersAddress: address, registers: registers, stackTop: top)
    }

    /// Leaves the kernel: the result goes into the saved `ax`, which the program gets back.
    mutating func leaveKernel(
        _ entry: SystemCallEntry,
        with result: Int64,
        in context: CallContext
    ) {
        guard let address = entry.registersAddress else { return }
        let bytes = UInt64(bitPattern: result).littleEndianBytes(count: Int(layout.wordBytes))
        _ = storeKernel(address + entry.registers.resultOffset, bytes, in: context)
    }

    /// The kernel stack of a process, made when it first comes in.
    ///
    /// - Returns: its lowest address; nil where there is no memory for it.
    private mutating func kernelStack(in context: CallContext) -> UInt64? {
        if let stack = devices.stacks[context.pid] { return stack }
        // fork() has made it: its allocations are none of the process's that may be made to fail.
        let faults = pages.faults
        pages.faults = FaultInjection()
        defer { pages.faults = faults }
        let flags = GFPFlags.kernel.union([.account, .zero])
        var stack: UInt64 = 0
        if layout.is32Bit {
            let frame = allocPages(order: 1, flags: flags, in: context)
            stack = frame.map { layout.virtual(UInt32(truncatingIfNeeded: $0.rawValue)) } ?? 0
        } else {
            var request = VmallocRequest(size: stackBytes, flags: flags)
            request.alignment = stackBytes
            stack = vmalloc(request, in: context)
        }
        guard stack != 0 else { return nil }
        devices.stacks[context.pid] = stack
        return stack
    }

    /// The kernel stack of a process that has been in the kernel.
    func kernelStackRange(of pid: Int) -> Range<UInt64>? {
        devices.stacks[pid].map { $0..<$0 + stackBytes }
    }

    /// Where the stack pointer is while a method or another kernel function runs for a process: a
    /// few frames below the saved registers.
    func kernelStackPointer(of pid: Int) -> UInt64 {
        let top = (devices.stacks[pid] ?? 0) &+ stackBytes &- stackPadding
        return top &- (layout.is32Bit ? 68 : 168) &- 0x100
    }

    /// Gives back the kernel stack of a process that ends.
    mutating func releaseKernelStack(of pid: Int, in context: CallContext) {
        guard let stack = devices.stacks.removeValue(forKey: pid) else { return }
        if layout.is32Bit {
            let frame = layout.physical(of: stack) >> 12
            freePages(PFN(rawValue: frame), order: 1, in: context)
        } else {
            vfree(stack, in: context)
        }
    }

    /// Where a system call keeps a copy of the file's position while a method runs.
    func positionAddress(_ entry: SystemCallEntry) -> UInt64 {
        (entry.registersAddress ?? 0) &- 0x60
    }
}
