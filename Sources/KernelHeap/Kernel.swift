/// A simulated machine: owns every subsystem; `apply` is the only way to change it.
public struct Kernel: ~Copyable, Sendable {
    /// The resolved description: every default filled in.
    public private(set) var machine: MachineDescription
    public let profile: MachineProfile
    /// The ordinal of the last kernel call; 0 after boot.
    public private(set) var sequence: UInt64 = 0
    public internal(set) var log = KernelLog()
    /// A panicked machine answers no further calls; its state stays readable.
    public internal(set) var isPanicked = false

    /// Boots a machine.
    public init(_ description: MachineDescription) throws(MachineError) {
        guard let profile = MachineProfile.named(description.profile) else {
            throw MachineError("/profile", "no profile \"\(description.profile)\"")
        }
        machine = description
        self.profile = profile
    }

    /// Runs one kernel call.
    ///
    /// - Parameters:
    ///   - call: the function.
    ///   - arguments: in the order of the call's signature, as the codec checked them.
    ///   - context: CPU, kind of context, process.
    ///   - explaining: whether the path to the decision is recorded.
    /// - Returns: the C function's result with everything that happened.
    public mutating func apply(
        _ call: borrowing CallDescriptor,
        _ arguments: borrowing CallArguments,
        in context: CallContext,
        explaining: Bool = false
    ) -> CallOutcome {
        sequence += 1
        let firstLine = log.lines.count
        let result = call.run(arguments, &self, context)
        return CallOutcome(
            sequence: sequence,
            result: result,
            log: log.lines[firstLine...],
            explanation: []
        )
    }

    /// The name of a slab cache: `kmalloc-192`.
    public func cacheName(_ cache: CacheID) -> String { "" }

    /// Host memory that this machine holds, in bytes.
    public var heldBytes: Int { 0 }
}
