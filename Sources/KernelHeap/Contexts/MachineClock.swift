/// The machine's own time, which calls and waits move, and nothing else.
///
/// The costs are round numbers on purpose: they order what happens, and claim nothing about any
/// processor. `docs/contexts.md` lists them.
public struct MachineClock: Hashable, Sendable {
    /// Time since boot.
    public private(set) var nanoseconds: UInt64 = 0

    /// `HZ` of the recorded kernels.
    public static let ticksPerSecond: UInt64 = 250
    static let second: UInt64 = 1_000_000_000
    static let tick: UInt64 = second / ticksPerSecond
    /// Every kernel call.
    static let callCost: UInt64 = 1_000
    /// Each page that is cleared.
    static let clearedPageCost: UInt64 = 250
    /// From one `synchronize_rcu()` to its end: three ticks.
    static let gracePeriod: UInt64 = 3 * tick
    /// The clock stops there, some 146 years after boot.
    static let end: UInt64 = 1 << 62

    /// A call begins.
    @inline(__always)
    mutating func startCall() { nanoseconds &+= Self.callCost }

    /// Time goes by, to the end of all time at most.
    mutating func advance(by duration: UInt64) {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration)
        nanoseconds = max(nanoseconds, overflow ? Self.end : min(sum, Self.end))
    }

    /// Ticks since boot; the kernel's `jiffies` begins five minutes before its low half wraps.
    public var ticks: UInt64 { nanoseconds / Self.tick }
    public var microseconds: UInt64 { nanoseconds / 1_000 }

    /// `jiffies`, in the machine's word.
    func jiffies(is32Bit: Bool) -> UInt64 {
        let first = UInt64(UInt32.max) + 1 - 300 * Self.ticksPerSecond
        let jiffies = first &+ ticks
        return is32Bit ? jiffies & 0xffff_ffff : jiffies
    }
}
