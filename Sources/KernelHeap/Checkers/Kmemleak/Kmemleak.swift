/// What the leak detector keeps between its scans: `mm/kmemleak.c`, 6.1.
///
/// An object is a leak where no pointer to it, or into it, is found on the way from the roots: the
/// kernel's data, the stacks of tasks, the variables of drivers, and what the kernel itself holds.
/// The machine's slabs, blocks and areas already say what is allocated, so nothing is recorded
/// when memory is allocated; only suspects and what clients said of objects are kept.
struct Kmemleak: Sendable {
    /// What a client said of an object.
    struct Mark: Sendable {
        /// The allocation that it was said of.
        var call: UInt64
        /// `kmemleak_not_leak()`: never reported, and scanned.
        var isNoLeak = false
        /// `kmemleak_ignore()`: neither reported nor scanned.
        var isIgnored = false
        /// `kmemleak_no_scan()`.
        var isUnscanned = false
        /// `kmemleak_scan_area()`: only these parts are scanned.
        var areas: [Range<UInt64>] = []

        /// Parts of one object.
        static let areaLimit = 64
    }

    /// An object that no pointer leads to.
    struct Suspect: Sendable {
        var address: UInt64
        var size: UInt64
        /// The call that allocated it.
        var call: UInt64
        /// Of its bytes when they were last looked at.
        var checksum: UInt32
        /// Shown to the client.
        var isReported: Bool
    }

    /// Objects that clients may have spoken of.
    static let markLimit = 1 << 16
    /// Suspects that are kept.
    static let suspectLimit = 1 << 21
    /// `MSECS_MIN_AGE`.
    static let minimumAge: UInt64 = 5_000

    /// By the object's address.
    var marks: [UInt64: Mark] = [:]
    /// By address.
    var suspects: [Suspect] = []

    /// What was suspected before and is reachable now, by address.
    var reachable: [Suspect] = []
    /// Both, by address.
    var remembered: [Suspect] {
        reachable.isEmpty ? suspects : (suspects + reachable).sorted { $0.address < $1.address }
    }
    /// Parts of objects in all marks.
    var areaCount = 0

    var heldBytes: Int {
        marks.capacity * (MemoryLayout<Mark>.stride + 16) + areaCount * 32
            + (suspects.capacity + reachable.capacity) * MemoryLayout<Suspect>.stride
    }
}

/// When calls ran, by the machine's clock.
///
/// Only jumps are kept: between them each call takes its microsecond.
struct CallTimes: Sendable {
    private struct Jump {
        var call: UInt64
        var nanoseconds: UInt64
    }

    /// Jumps that are kept; then every second one is forgotten.
    private static let limit = 1 << 14
    /// Less is no jump.
    private static let smallest: UInt64 = 1_000_000

    private var jumps: [Jump] = []
    private var expected: UInt64 = 0

    var heldBytes: Int { jumps.capacity * 16 }

    /// Notes when a call begins; calls are noted in their order.
    @inline(__always)
    mutating func note(_ call: UInt64, at nanoseconds: UInt64) {
        expected &+= MachineClock.callCost
        if nanoseconds &- expected >= Self.smallest { jump(call, nanoseconds) }
    }

    @inline(never)
    private mutating func jump(_ call: UInt64, _ nanoseconds: UInt64) {
        expected = nanoseconds
        if jumps.count >= Self.limit {
            jumps = jumps.indices.filter { $0 % 2 == 1 }.map { jumps[$0] }
        }
        jumps.append(Jump(call: call, nanoseconds: nanoseconds))
    }

    /// When a call began, to a millisecond or so.
    func time(of call: UInt64) -> UInt64 {
        var low = 0
        var high = jumps.count
        while low < high {
            let middle = (low + high) / 2
            if jumps[middle].call <= call { low = middle + 1 } else { high = middle }
        }
        let last = low > 0 ? jumps[low - 1] : Jump(call: 0, nanoseconds: 0)
        return last.nanoseconds &+ (call &- last.call) &* MachineClock.callCost
    }
}
