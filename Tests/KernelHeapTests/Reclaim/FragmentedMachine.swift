import Testing

@testable import KernelHeap

/// A machine whose free pages lie one by one between the pages of a process.
struct FragmentedMachine: ~Copyable {
    static let base: UInt64 = 0x1000_0000
    static let pages = 6_400
    /// Of so many neighbours the process keeps the first page.
    static let distance = 4

    var machine: ReclaimMachine

    init(profile: String? = nil) throws {
        var machine = try ReclaimMachine(profile: profile)
        // Zone DMA would serve what the others cannot.
        let low = GFPFlags.noWait.union([.dma, .noWarn])
        while machine.kernel.allocPages(order: 0, flags: low) != nil {}
        machine.map(0, Self.base, pages: UInt64(Self.pages))
        for number in 0..<Self.pages {
            let isStored = machine.kernel.storeUser(
                0,
                Self.address(number),
                Self.bytes(number),
                in: .standard
            )
            try #require(isStored)
        }
        for number in 0..<Self.pages where number % Self.distance != 0 {
            // MADV_DONTNEED.
            try machine.call("madvise", Self.address(number), 4096, 4)
        }
        machine.kernel.drainPages()
        // What was never touched, or came together again.
        while machine.kernel.allocPages(order: 4, flags: Self.impatient) != nil {}
        self.machine = machine
    }

    /// What does not hold of the machine.
    var violations: [String] { machine.violations }

    func event(_ counter: VMEventCounter) -> UInt64 { machine.event(counter) }

    /// Neither waits nor wakes anybody.
    static let impatient: GFPFlags = [.noWarn]

    static func address(_ number: Int) -> UInt64 { base + UInt64(number) * 4096 }

    static func bytes(_ number: Int) -> [UInt8] {
        Array(ReclaimMachine.pattern(number).prefix(8))
    }

    /// Pages that the process keeps.
    static var kept: [Int] { Array(stride(from: 0, to: pages, by: distance)) }

    /// Pages of the process that do not hold what was stored there.
    mutating func wrongPages() -> [Int] {
        Self.kept.filter { number in
            let word = machine.kernel.loadUser(0, Self.address(number), bytes: 8, in: .standard)
            return word != Self.bytes(number).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// The frame of a page of the process.
    func frame(_ number: Int) -> UInt64? {
        let address = Self.address(number)
        let leaves = machine.kernel.userLeaves(0, address..<address + 4096).found
        return leaves.first.map { machine.kernel.paging.format.storedFrame(of: $0.entry) }
    }

    var frames: [UInt64?] { Self.kept.map { frame($0) } }

    /// Free blocks of an order and above, in the largest zone.
    func blocks(order: Int) -> Int {
        var largest = 0
        for zone in machine.kernel.pages.zones.indices
        where machine.kernel.pages.zones[zone].managed > machine.kernel.pages.zones[largest].managed
        {
            largest = zone
        }
        let counts = machine.kernel.pages.zones[largest].blockCounts
        return (order...Zone.maxOrder).reduce(0) { $0 + counts[$1] }
    }
}
