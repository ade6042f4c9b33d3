/// A process that the OOM killer ended.
public struct ProcessKill: Hashable, Sendable {
    /// The call that was short of memory.
    public let call: UInt64
    public let pid: Int
    public let name: String
    /// The process that asked for memory.
    public let callerPID: Int
    public let residentPages: UInt64
    public let swappedPages: UInt64
    public let adjustment: Int

    /// How many are remembered.
    static let limit = 16

    init(_ victim: Process, for caller: Int, at call: UInt64) {
        self.call = call
        pid = victim.pid
        name = victim.name
        callerPID = caller
        residentPages = victim.space.residentPages
        swappedPages = victim.space.swapEntries
        adjustment = victim.oomScoreAdjustment
    }
}
