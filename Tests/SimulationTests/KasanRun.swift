import KernelHeap
import TestSupport
import Testing

/// A client of a machine with the address sanitizer, beside a model that knows of every byte near the
/// client's memory whether it may be touched.
///
/// The model is a list of ranges that somebody owns. Around slab objects, whatever is in none of them
/// may not be touched; around pages and areas only what lies inside them is known.
final class KasanRun {
    let calls: CallRun
    private var random: SeededRandom
    private var live: [Owned] = []
    /// Objects freed lately, which the quarantine certainly still holds.
    private var gone: [Owned] = []
    private(set) var reportCount = 0
    private(set) var accessCount = 0

    enum Kind { case object, large, pages(order: UInt64), area }

    struct Owned {
        let kind: Kind
        let address: UInt64
        /// Bytes asked for.
        let length: UInt64
        /// Bytes from the address on of which the model knows.
        let known: UInt64
    }

    struct Wrong: Error { let text: String }

    init(cpus: Int, seed: UInt64) throws {
        var description = MachineDescription()
        description.memoryBytes = 256 << 20
        description.cpus = cpus
        description.kasan = true
        calls = try CallRun(description)
        random = SeededRandom(seed: seed)
    }

    /// An allocation, a free, a wrong free or some accesses.
    func step() throws {
        switch random.below(live.count > 80 ? 12 : 9) {
        case 0, 1, 2: try allocate()
        case 3, 9, 10, 11: try free()
        case 4: try freeWrongly()
        default: for _ in 0..<4 { try access() }
        }
    }

    private func allocate() throws {
        let most = random.pick([64, 600, 9_000, 30_000])
        let size = UInt64(1 + random.below(most))
        switch random.below(8) {
        case 0:
            let order = UInt64(random.below(4))
            let address = try calls.call("__get_free_pages", 0xcc0, order).word
            let bytes: UInt64 = 4_096 << order
            own(.pages(order: order), address, length: bytes, known: bytes)
        case 1:
            let address = try calls.call("vmalloc", size).word
            own(.area, address, length: size, known: (size + 4_095) / 4_096 * 4_096 + 4_096)
        default:
            let name = random.oneIn(2) ? "kmalloc" : "kzalloc"
            let address = try calls.call(name, size, 0xcc0, cpu: 0).word
            var room: UInt64 = 4_096
            while room < size { room *= 2 }
            let isLarge = size > 8_192
            own(isLarge ? .large : .object, address, length: size, known: isLarge ? room : size)
        }
    }

    private func own(_ kind: Kind, _ address: UInt64, length: UInt64, known: UInt64) {
        guard address != 0 else { return }
        live.append(Owned(kind: kind, address: address, length: length, known: known))
    }

    private func free() throws {
        guard !live.isEmpty else { return }
        let index = random.below(live.count)
        let old = live[index]
        live[index] = live[live.count - 1]
        live.removeLast()
        let outcome =
            switch old.kind {
            case .object, .large: try calls.call("kfree", old.address)
            case .pages(let order): try calls.call("free_pages", old.address, order)
            case .area: try calls.call("vfree", old.address)
            }
        guard outcome.warnings.isEmpty else {
            throw Wrong(text: "a sound free: \(outcome.warnings.map(\.sentence))")
        }
        if case .object = old.kind {
            gone.append(old)
            if gone.count > 40 { gone.removeFirst() }
        } else {
            try check("kernel_read", old.address, 8, firstBad: old.address)
        }
    }

    /// An object is freed twice, or by an address inside its slot.
    private func freeWrongly() throws {
        let isDouble = random.oneIn(2)
        guard let old = isDouble ? gone.last : live.last(where: \.isObject) else { return }
        let offset = isDouble ? 0 : UInt64(1 + random.below(16))
        let reports = Self.reports(of: try calls.call("kfree", old.address + offset))
        guard reports.map(\.kind) == [isDouble ? .doubleFree : .invalidFree] else {
            throw Wrong(text: "a free of \(old) at \(offset): \(reports.map(\.kind))")
        }
        reportCount += 1
    }

    /// A load or store in or around something, most of them sound.
    private func access() throws {
        let isFreed = random.oneIn(4)
        let places = isFreed ? gone : live
        guard !places.isEmpty else { return }
        let owned = random.pick(places)
        // No slot ends sooner behind its object, nor does a page in front of it.
        let margin = owned.isObject ? 16 : 0
        let last = Int(owned.known) + margin
        // Near an end, where it matters, or anywhere.
        let near = random.oneIn(2) ? Int(owned.length) - 20 + random.below(40) : random.below(last)
        let start = min(max(near, -min(margin, Int(owned.address & 4_095))), last - 1)
        let room = last - start
        let length = UInt64(1 + random.below(min(room, 40)))
        let address = owned.address &+ UInt64(bitPattern: Int64(start))
        let bad = (address..<address + length).first { !isTouchable($0) }
        // A store where nothing may be stored would break the freelists, as it does in a kernel.
        let name = bad == nil && random.oneIn(2) ? "kernel_write" : "kernel_read"
        try check(name, address, length, firstBad: bad)
    }

    private func isTouchable(_ address: UInt64) -> Bool {
        live.contains { address >= $0.address && address - $0.address < $0.length }
    }

    private func check(
        _ name: String,
        _ address: UInt64,
        _ length: UInt64,
        firstBad: UInt64?
    ) throws {
        let outcome =
            name == "kernel_write"
            ? try calls.call(name, address, bytes: Array(repeating: 0x5a, count: Int(length)))
            : try calls.call(name, address, length)
        accessCount += 1
        let reports = Self.reports(of: outcome)
        guard reports.map(\.firstBad.rawValue) == (firstBad.map { [$0] } ?? []) else {
            let found = reports.map { "\($0.kind) \(String($0.firstBad.rawValue, radix: 16))" }
            let wanted = firstBad.map { String($0, radix: 16) } ?? "nothing"
            throw Wrong(
                text:
                    "\(name) of \(length) at \(String(address, radix: 16)): \(found), not \(wanted)"
            )
        }
        reportCount += reports.count
    }

    private static func reports(of outcome: CallOutcome) -> [KasanReport] {
        outcome.warnings.compactMap { warning in
            if case .kasan(let report) = warning { return report }
            return nil
        }
    }
}

extension KasanRun.Owned {
    fileprivate var isObject: Bool { if case .object = kind { true } else { false } }
}
