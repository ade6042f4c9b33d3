import KernelHeap
import TestSupport
import Testing

/// A client that makes no mistakes, beside naive models of what it owns and wrote.
final class SoundRun {
    let calls: CallRun
    private var random: SeededRandom
    private let cpus: Int
    /// Address and bytes of everything allocated, in any order.
    private(set) var live: [Owned] = []
    /// What was written to allocated memory since it was allocated, by address.
    private var bytes: [UInt64: UInt8] = [:]

    struct Owned {
        let address: UInt64
        let length: UInt64
        /// Order of a block of pages; nil for what `kfree` takes.
        let order: UInt64?
    }

    /// An answer that the models do not allow.
    struct Wrong: Error { let text: String }

    private static let pageOffset: UInt64 = 0xffff_8880_0000_0000
    private static let vmemmap: UInt64 = 0xffff_ea00_0000_0000

    init(_ shape: MachineShape, seed: UInt64) throws {
        calls = try CallRun(shape.description)
        random = SeededRandom(seed: seed)
        cpus = shape.description.cpus
    }

    /// One operation of the usual family, or, once in eight, one at an edge.
    func step() throws {
        // The number of live things swings between few and many, so that memory runs out at times.
        let isFreeing = random.below(400) < live.count
        if isFreeing { return try freeOne() }
        switch random.below(8) {
        case 0: try edge()
        case 1: try write()
        case 2, 3, 4: try allocateObject(size: UInt64(1 + random.below(9_000)))
        default: try allocatePages(order: UInt64(random.pick([0, 0, 0, 0, 1, 1, 2, 3, 5])))
        }
    }

    /// Gives everything back.
    func finish() throws { while !live.isEmpty { try freeOne() } }

    private func edge() throws {
        switch random.below(5) {
        case 0: try allocatePages(order: UInt64(random.pick([4, 9, 10, 11, 12])))
        case 1: try allocateObject(size: random.pick([0, 1, 8_192, 8_193, 1 << 22, 1 << 22 + 1]))
        case 2: try allocateExact(bytes: UInt64(1 + random.below(300_000)))
        case 3: try allocateMany(UInt64(random.below(40)))
        default:
            let outcome = try calls.call("kcalloc", 1 << 40, 1 << 40, 0xcc0, cpu: cpu)
            guard outcome.word == 0 else { throw Wrong(text: "kcalloc of 2^80 bytes") }
        }
    }

    private var cpu: Int { random.below(cpus) }

    private func flags() -> UInt64 {
        random.pick([0xcc0, 0xcc0, 0xcc0, 0xa20, 0xcc1, 0xcc4, 0xcd0, 0x10_0cca, 0x800])
    }

    private func allocatePages(order: UInt64) throws {
        let outcome = try calls.call("__get_free_pages", flags(), order, cpu: cpu)
        guard outcome.word != 0 else { return }
        guard order <= 10 else { throw Wrong(text: "a block of order \(order)") }
        try own(Owned(address: outcome.word, length: 4_096 << order, order: order))
    }

    private func allocateObject(size: UInt64) throws {
        let isCleared = random.oneIn(2)
        let name = isCleared ? "kzalloc" : "kmalloc"
        let mask = flags() & ~0x10_000a
        let address = try calls.call(name, size, mask, cpu: cpu).word
        guard address != 0 else { return }
        guard size > 0 else {
            if address != 16 { throw Wrong(text: "kmalloc(0) is \(address)") }
            return
        }
        let room = try calls.call("ksize", address).word
        guard room >= size else { throw Wrong(text: "\(room) bytes for \(size)") }
        try own(Owned(address: address, length: room, order: nil))
        if isCleared {
            for place in 0..<min(size, 64) { bytes[address + place] = 0 }
            try compare(address, min(size, 64))
        }
    }

    private func allocateExact(bytes: UInt64) throws {
        let address = try calls.call("alloc_pages_exact", bytes, 0xcc0, cpu: cpu).word
        guard address != 0 else { return }
        for page in 0..<(bytes + 4_095) / 4_096 {
            try own(Owned(address: address + page * 4_096, length: 4_096, order: 0))
        }
    }

    private func allocateMany(_ count: UInt64) throws {
        let outcome = try calls.call("alloc_pages_bulk_array", 0xcc0, count, cpu: cpu)
        guard case .list(let frames)? = outcome.fact("pfns"), frames.count <= count else {
            throw Wrong(text: outcome.everything)
        }
        for case .number(let frame) in frames {
            let address = Self.pageOffset + UInt64(bitPattern: frame) << 12
            try own(Owned(address: address, length: 4_096, order: 0))
        }
    }

    /// Notes what was allocated; nothing of it may belong to something else.
    private func own(_ new: Owned) throws {
        for old in live
        where new.address < old.address + old.length && old.address < new.address + new.length {
            throw Wrong(text: "\(new) overlaps \(old)")
        }
        live.append(new)
    }

    private func freeOne() throws {
        guard !live.isEmpty else { return }
        let index = random.below(live.count)
        let old = live[index]
        live[index] = live[live.count - 1]
        live.removeLast()
        try compare(old.address, min(old.length, 256))
        for place in bytes.keys.filter({ $0 >= old.address && $0 < old.address + old.length }) {
            bytes[place] = nil
        }
        guard let order = old.order else {
            try calls.call("kfree", old.address, cpu: cpu)
            return
        }
        let descriptor = Self.vmemmap + (old.address - Self.pageOffset) / 4_096 * 64
        if random.oneIn(2) {
            try calls.call("__free_pages", descriptor, order, cpu: cpu)
        } else {
            try calls.call("free_pages", old.address, order, cpu: cpu)
        }
    }

    private func write() throws {
        guard !live.isEmpty else { return }
        let owned = random.pick(live)
        let length = min(owned.length, UInt64(1 + random.below(40)))
        let start = owned.address + UInt64(random.below(Int(owned.length - length) + 1))
        let data = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let done = try calls.call("kernel_write", start, bytes: data).word
        guard done == length else { throw Wrong(text: "\(done) of \(length) bytes written") }
        for (place, byte) in data.enumerated() { bytes[start + UInt64(place)] = byte }
        try compare(start, length)
    }

    /// Reads memory and compares the bytes that the model knows.
    private func compare(_ address: UInt64, _ length: UInt64) throws {
        let outcome = try calls.call("kernel_read", address, length)
        guard case .bytes(let read)? = outcome.fact("data"), read.count == length else {
            throw Wrong(text: "\(length) bytes at \(address): \(outcome.word)")
        }
        for (place, byte) in read.enumerated() {
            if let known = bytes[address + UInt64(place)], known != byte {
                throw Wrong(text: "byte \(place) of \(address): \(byte), written \(known)")
            }
        }
    }
}
