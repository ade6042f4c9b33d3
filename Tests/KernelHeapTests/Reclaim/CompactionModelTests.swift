import TestSupport
import Testing

@testable import KernelHeap

@Suite("Compaction: random memory against a model of its bytes")
struct CompactionModelTests {
    @Test("no byte is lost and no page", arguments: UInt64(1)...6)
    func keepsEveryByte(seed: UInt64) throws {
        var run = try CompactionRun(seed: seed)
        for step in 0..<600 {
            try run.step()
            if step % 60 == 59 {
                let wrong = run.wrongPages()
                try #require(wrong == [], "seed \(seed), step \(step)")
                let violations = run.violations
                try #require(violations == [], "seed \(seed), step \(step)")
            }
        }

        #expect(run.event(.pgmigrateSuccess) > 0, "seed \(seed)")
    }
}

/// Processes, files and kernel memory that come and go, and what their bytes must be.
private struct CompactionRun: ~Copyable {
    private static let base: UInt64 = 0x1000_0000
    private static let shared: UInt64 = 0x3000_0000
    private static let pages = 3_000

    var machine: ReclaimMachine
    private var random: SeededRandom
    /// By process number and page.
    private var memory: [Int: [Int: UInt64]] = [1: [:]]
    private var file: [Int: UInt64] = [:]
    private var blocks: [(pfn: PFN, order: Int)] = []
    private var pins: [UInt32] = []
    private var next: UInt64 = 1

    init(seed: UInt64) throws {
        var machine = try ReclaimMachine(megabytes: 96, swap: 64)
        machine.map(0, Self.base, pages: UInt64(Self.pages))
        try machine.call("open_file", text: "/data")
        try machine.call("ftruncate", 3, 1_000 * 4096)
        try machine.call("mmap", Self.shared, 1_000 * 4096, 3, 0x11, 3, 0)
        random = SeededRandom(seed: seed)
        self.machine = machine
    }

    var violations: [String] { machine.violations }

    func event(_ counter: VMEventCounter) -> UInt64 { machine.event(counter) }

    mutating func step() throws {
        switch random.below(16) {
        case 0...4: storeRun()
        case 5: try forget()
        case 6, 7: storeToFile()
        case 8: try forkOrExit()
        case 9, 10: takeBlock()
        case 11: freeBlock()
        case 12: pinOrUnpin()
        case 13: try machine.call(random.oneIn(2) ? "sync" : "balance")
        case 14: try lockOrDrop()
        default: try compact()
        }
    }

    private mutating func storeRun() {
        guard let pid = memory.keys.sorted().randomElement(using: &random),
            let place = machine.kernel.process(pid)
        else { return }
        let first = random.below(Self.pages - 100)
        for number in first..<first + 1 + random.below(99) {
            let address = Self.base + UInt64(number) * 4096 + UInt64(number % 500) * 8
            next &+= 0x9e37_79b9_7f4a_7c15
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: next >> UInt64($0 * 8)) }
            if machine.kernel.storeUser(place, address, bytes, in: .standard) {
                memory[pid]?[number] = next
            }
        }
    }

    private mutating func forget() throws {
        let first = random.below(Self.pages - 64)
        for number in first..<first + 64 where random.oneIn(2) {
            try machine.call("madvise", Self.base + UInt64(number) * 4096, 4096, 4)
            memory[1]?[number] = nil
        }
    }

    private mutating func storeToFile() {
        let first = random.below(900)
        for number in first..<first + 1 + random.below(60) {
            next &+= 0x9e37_79b9_7f4a_7c15
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: next >> UInt64($0 * 8)) }
            let address = Self.shared + UInt64(number) * 4096
            if machine.kernel.storeUser(0, address, bytes, in: .standard) { file[number] = next }
        }
    }

    private mutating func forkOrExit() throws {
        let children = memory.keys.filter { $0 != 1 }.sorted()
        if children.count < 2 {
            guard case .success(let pid) = machine.kernel.forkProcess(0, cpu: 0) else { return }
            memory[pid] = memory[1]
        } else if let pid = children.randomElement(using: &random) {
            machine.kernel.exitProcess(try machine.place(pid), code: 0, cpu: 0)
            memory[pid] = nil
        }
    }

    private mutating func takeBlock() {
        let order = random.below(7)
        let flags = GFPFlags.kernel.union([.noWarn, .noRetry])
        guard blocks.count < 60 else { return freeBlock() }
        guard let pfn = machine.kernel.allocPages(order: order, flags: flags) else { return }
        blocks.append((pfn, order))
    }

    private mutating func freeBlock() {
        guard !blocks.isEmpty else { return }
        let block = blocks.remove(at: random.below(blocks.count))
        machine.kernel.freePages(block.pfn, order: block.order)
    }

    private mutating func pinOrUnpin() {
        if pins.count > 8 || (!pins.isEmpty && random.oneIn(3)) {
            let pfn = pins.remove(at: random.below(pins.count))
            return machine.kernel.freePages(PFN(rawValue: UInt64(pfn)), order: 0)
        }
        let address = Self.base + UInt64(random.below(Self.pages)) * 4096
        let leaf = machine.kernel.userLeaves(0, address..<address + 4096).found.first
        guard let leaf, !machine.kernel.paging.format.isSwapEntry(leaf.entry),
            !leaf.entry.flags.contains(.special)
        else { return }
        let pfn = UInt32(machine.kernel.paging.format.storedFrame(of: leaf.entry))
        machine.kernel.getPage(pfn)
        pins.append(pfn)
    }

    private mutating func lockOrDrop() throws {
        if random.oneIn(2) {
            let address = Self.base + UInt64(random.below(Self.pages)) * 4096
            try machine.call(random.oneIn(2) ? "mlock" : "munlock", address, 4096)
        } else {
            try machine.call("drop_caches", 1)
        }
    }

    /// Moves what can be; pages of each kind, and free ones, are as many as before.
    private mutating func compact() throws {
        // What is woken runs first, and may free pages.
        try machine.call("sync")
        let before = LRUList.allCases.map { machine.count($0) }
        let free = machine.freePages
        try machine.call("compact_memory")
        let after = LRUList.allCases.map { machine.count($0) }
        let freeAfter = machine.freePages
        #expect(after == before)
        #expect(freeAfter == free)
    }

    /// Pages whose bytes are not the model's: process and page, 0 for the file.
    mutating func wrongPages() -> [[Int]] {
        var wrong: [[Int]] = []
        for (pid, stored) in memory.sorted(by: { $0.key < $1.key }) {
            guard let place = machine.kernel.process(pid) else {
                // The OOM killer took it.
                memory[pid] = nil
                continue
            }
            for (number, word) in stored.sorted(by: { $0.key < $1.key }) {
                let address = Self.base + UInt64(number) * 4096 + UInt64(number % 500) * 8
                let found = machine.kernel.loadUser(place, address, bytes: 8, in: .standard)
                if found != word { wrong.append([pid, number]) }
            }
        }
        for (number, word) in file.sorted(by: { $0.key < $1.key }) {
            let address = Self.shared + UInt64(number) * 4096
            let found = machine.kernel.loadUser(0, address, bytes: 8, in: .standard)
            if found != word { wrong.append([0, number]) }
        }
        return wrong
    }
}
