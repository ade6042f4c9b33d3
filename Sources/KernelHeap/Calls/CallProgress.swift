/// How far a call has come that looks at everything a machine holds.
public struct CallProgress: Hashable, Sendable {
    /// The call's number.
    public var call: UInt64
    /// The C function.
    public var function: String
    /// Objects that were looked at, and how many there are; an object may be looked at twice.
    public var done: UInt64
    public var total: UInt64

    public init(call: UInt64, function: String, done: UInt64, total: UInt64) {
        self.call = call
        self.function = function
        self.done = done
        self.total = total
    }
}

extension Kernel {
    /// Tells whoever follows the machine how far the running call is.
    func tell(_ function: String, done: UInt64, of total: UInt64) {
        onProgress?(
            CallProgress(call: sequence, function: function, done: min(done, total), total: total)
        )
    }
}
