import TestSupport
import Testing

@testable import KernelHeap

/// Random maps and unmaps beside a model that only counts.
@Suite("High memory: random sessions")
struct HighMemoryModelTests {
    @Test("a mapped page is seen where it is said to be", arguments: UInt64(1)...6)
    func sessions(seed: UInt64) throws {
        var run = try HighMemoryRun(seed: seed)
        for step in 0..<1_500 {
            try run.step()
            if step % 250 == 249 { #expect(run.machine.violations == [], "seed \(seed)") }
        }
        #expect(run.differences == [], "seed \(seed)")
        #expect(run.sleeps > 0 && run.wakes > 0)
    }
}

/// One session: 512 slots, and more pages than that.
private struct HighMemoryRun {
    let machine: CallMachine
    private var random: SeededRandom
    private let first: UInt64
    /// How often each page is mapped, sleepers apart.
    private var counts: [UInt64: Int] = [:]
    private var sleepers: [UInt64] = []
    /// Short maps by CPU and process, oldest first, with their pages.
    private var locals: [String: [(address: UInt64, page: UInt64)]] = [:]
    private(set) var differences: [String] = []
    private(set) var sleeps = 0
    private(set) var wakes = 0

    init(seed: UInt64) throws {
        var description = I386Machine("pae-1G").description
        description.cpus = 2
        machine = try CallMachine(description)
        machine.addProcess(2)
        random = SeededRandom(seed: seed)
        first = machine.kernel.layout.directMapEndPFN
        // Every page says which one it is; most slots are taken from the start.
        for page in 0..<UInt64(600) {
            let address = try machine.call("kmap_local_page", descriptor(page)).word
            try machine.call("kernel_write", .word(address), .bytes(mark(page)))
            try machine.call("kunmap_local", .word(address))
        }
        for page in 0..<UInt64(512) { try map(page) }
    }

    private func mark(_ page: UInt64) -> [UInt8] {
        [UInt8(truncatingIfNeeded: page), UInt8(truncatingIfNeeded: page >> 8)]
    }

    private func descriptor(_ page: UInt64) -> CallMachine.Argument {
        .word(machine.kernel.layout.descriptor(first + page))
    }

    mutating func step() throws {
        switch random.below(8) {
        case 0, 1, 2, 3: try map(UInt64(random.below(600)))
        case 4: try unmap()
        case 5: try look()
        case 6: try mapLocally()
        default: try unmapLocally()
        }
    }

    private mutating func expect(_ what: String, _ holds: Bool) {
        if !holds { differences.append(what) }
    }

    private mutating func map(_ page: UInt64) throws {
        // A page that waits is left alone: the model does not tell its callers apart.
        guard !sleepers.contains(page) else { return }
        let outcome = try machine.call("kmap", descriptor(page))
        let isFull = counts.count == 512 && counts[page] == nil
        expect("kmap of \(page) when \(counts.count) are mapped", (outcome.word == 0) == isFull)
        if isFull {
            sleepers.append(page)
            sleeps += 1
        } else {
            counts[page, default: 0] += 1
            try check(page, at: outcome.word)
        }
    }

    private mutating func unmap() throws {
        let mapped = counts.keys.sorted()
        guard !mapped.isEmpty else { return }
        let page = mapped[random.below(mapped.count)]
        try machine.call("kunmap", descriptor(page))
        counts[page, default: 1] -= 1
        guard counts[page] == 0 else { return }
        counts[page] = nil
        // The longest waiting has the slot now.
        if !sleepers.isEmpty {
            counts[sleepers.removeFirst()] = 1
            wakes += 1
        }
    }

    private mutating func look() throws {
        let mapped = counts.keys.sorted()
        guard !mapped.isEmpty else { return }
        let page = mapped[random.below(mapped.count)]
        let address = try machine.call("page_address", descriptor(page)).word
        try check(page, at: address)
    }

    private mutating func check(_ page: UInt64, at address: UInt64) throws {
        let found = try machine.read(address, 2)
        expect("page \(page) at \(address)", found == mark(page))
    }

    private mutating func mapLocally() throws {
        let (cpu, pid) = (random.below(2), 1 + random.below(2))
        let thread = "\(cpu) \(pid)"
        guard locals[thread, default: []].count < 15 else { return }
        let page = UInt64(random.below(600))
        let outcome = try machine.call("kmap_local_page", [descriptor(page)], cpu: cpu, pid: pid)
        locals[thread, default: []].append((outcome.word, page))
        for held in locals[thread] ?? [] {
            let read = try machine.call(
                "kernel_read",
                [.word(held.address), 2],
                cpu: cpu,
                pid: pid
            )
            expect("\(thread): page \(held.page)", read.fact("data") == .bytes(mark(held.page)))
        }
    }

    private mutating func unmapLocally() throws {
        let (cpu, pid) = (random.below(2), 1 + random.below(2))
        guard let newest = locals["\(cpu) \(pid)"]?.popLast() else { return }
        let outcome = try machine.call(
            "kunmap_local",
            [.word(newest.address)],
            cpu: cpu,
            pid: pid
        )
        expect("an unmap in order is silent", outcome.log.isEmpty)
    }
}
