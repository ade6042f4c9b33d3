import KernelHeap
import TestSupport

/// Any call with any arguments: numbers that mean something, shifted by a little, or nothing at all.
struct HostileCalls {
    var random: SeededRandom
    /// Numbers that calls returned, the latest ones.
    private var pool: [UInt64] = [0, 16]

    private static let pageOffset: UInt64 = 0xffff_8880_0000_0000
    private static let vmemmap: UInt64 = 0xffff_ea00_0000_0000
    private static let edges: [UInt64] = [
        0, 1, 7, 8, 9, 10, 11, 12, 16, 31, 63, 64, 96, 192, 511, 512, 4_095, 4_096, 4_097, 8_191,
        8_192, 8_193, 65_536, 1 << 20, 1 << 22, 1 << 22 + 1, 1 << 31 - 1, 1 << 31, 1 << 32,
        0x7fff_ffff_efff, 0x7fff_ffff_f000, 1 << 47, 1 << 63, 0xffff_8880_0000_0000,
        0xffff_c87f_ffff_ffff, 0xffff_ea00_0000_0000, 0xffff_ffff_8000_0000, .max - 4_095, .max - 1,
        .max,
    ]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// Remembers what a call returned.
    mutating func note(_ outcome: CallOutcome) {
        var words = [outcome.word]
        switch outcome.result.detail {
        case .pages(let pages):
            words += [pages.virtual, Self.vmemmap &+ pages.pfn.rawValue &* 64]
        case .object(let object):
            words.append(Self.vmemmap &+ object.slab.rawValue &* 64)
        default: break
        }
        if case .list(let list)? = outcome.fact("page_array") {
            words += list.prefix(8).compactMap {
                if case .address(let word) = $0 { word } else { nil }
            }
        }
        for word in words where word > 16 {
            if pool.count < 256 { pool.append(word) } else { pool[random.below(256)] = word }
        }
    }

    mutating func next(cpus: Int) -> RecordedCall {
        // Frees and allocations meet each other; the rest is there, but rarer.
        let names = ["alloc_pages", "kmalloc", "kfree", "__free_pages", "free_pages", "user_write"]
        let likely = random.oneIn(2) ? CallRegistry.byName[random.pick(names)] : nil
        let descriptor = likely ?? otherCall()
        var arguments = CallArguments()
        for (index, parameter) in descriptor.signature.parameters.enumerated() {
            if parameter.isOptional && random.oneIn(3) { continue }
            set(parameter, of: descriptor, at: index, &arguments)
        }
        let context = CallContext(
            cpu: random.oneIn(8) ? Int(truncatingIfNeeded: random.next()) : random.below(cpus),
            kind: random.pick(CallContext.Kind.allCases),
            isAtomic: random.oneIn(4),
            pid: random.oneIn(8) ? Int(truncatingIfNeeded: random.next()) : 1
        )
        return RecordedCall(descriptor: descriptor, arguments: arguments, context: context)
    }

    /// Any call; those that hang a machine or keep its CPU are rarer, or little else would be run.
    private mutating func otherCall() -> CallDescriptor {
        let ends = ["schedule", "rcu_read_unlock", "preempt_enable", "irq_exit", "nmi_exit"]
        if random.oneIn(16), let end = CallRegistry.byName[random.pick(ends)] { return end }
        for _ in 0..<8 {
            let call = random.pick(CallRegistry.all)
            let keeps = call.signature.parameters.contains { $0.type == .lock }
            if !keeps && !Self.keeping.contains(call.signature.name) { return call }
        }
        return random.pick(CallRegistry.all)
    }

    private static let keeping = [
        "synchronize_rcu", "rcu_barrier", "irq_enter", "nmi_enter", "local_bh_disable",
        "softirq_handle_begin", "preempt_disable", "rcu_read_lock",
    ]

    private mutating func set(
        _ parameter: Parameter,
        of descriptor: CallDescriptor,
        at index: Int,
        _ arguments: inout CallArguments
    ) {
        switch parameter.type {
        case .unsigned(let bits):
            let small = random.oneIn(2) ? UInt64(random.below(5)) : number()
            let word = bits >= 64 ? small : small & (1 << UInt64(bits) - 1)
            let bounded = bounded(word, of: descriptor.signature.name)
            arguments.set(index, word: min(bounded, parameter.maximum ?? .max))
        case .signed: arguments.set(index, word: number())
        case .gfp: arguments.set(index, word: flags())
        case .address, .page, .cache: arguments.set(index, word: pointer())
        case .lock:
            if random.oneIn(2) {
                arguments.set(index, payload: .text(random.pick(["a", "b"])))
            } else {
                arguments.set(index, word: pointer())
            }
        case .device:
            if random.oneIn(4) {
                arguments.set(index, word: pointer())
            } else {
                arguments.set(index, payload: .text("text"))
            }
        case .names:
            let isUsual = !random.oneIn(3)
            arguments.set(index, word: isUsual ? random.pick([1, 3, 0x22, 0x32]) : random.next())
        case .boolean: arguments.set(index, word: random.next() & 1)
        case .bytes:
            let count = random.pick([0, 1, 8, 100, 4_096, 9_000])
            arguments.set(index, payload: .bytes([UInt8](repeating: 0x5a, count: count)))
        case .text:
            arguments.set(index, payload: .text(random.oneIn(2) ? "text" : "/dev/text"))
        case .cString:
            if random.oneIn(2) {
                arguments.set(index, word: pointer())
            } else {
                arguments.set(index, payload: .text("text"))
            }
        case .driver, .steps: arguments.set(index, payload: .driver(driver()))
        case .addresses: arguments.set(index, payload: .words([pointer(), number()]))
        }
    }

    /// Steps of any calls, with arguments of which some are variables that may not exist.
    private mutating func driver() -> DriverScript {
        var script = DriverScript()
        script.variables.append("result")
        for method in DeviceMethod.allCases where !random.oneIn(3) {
            for _ in 0..<random.below(4) { script[method].append(step()) }
        }
        return script
    }

    private mutating func step() -> MethodStep {
        let value = MethodValue(
            .variable(random.below(9)),
            .constant(random.next() >> UInt64(random.below(64))),
            isDifference: random.oneIn(2)
        )
        let condition = MethodCondition(
            value,
            random.pick(MethodCondition.Relation.allCases),
            value
        )
        let when = random.oneIn(3) ? condition : nil
        if random.oneIn(4) { return MethodStep(.leave(value), when: when) }
        let descriptor = random.pick(CallRegistry.all)
        var arguments = CallArguments()
        for (index, parameter) in descriptor.signature.parameters.enumerated()
        where parameter.type != .driver && parameter.type != .steps {
            set(parameter, of: descriptor, at: index, &arguments)
        }
        let known = descriptor.signature.parameters.indices.filter {
            switch descriptor.signature.parameters[$0].type {
            case .address, .unsigned: true
            default: false
            }
        }
        let bindings =
            random.oneIn(2)
            ? []
            : known.filter { _ in random.oneIn(2) }.map {
                MethodBinding(argument: $0, value: MethodValue(.variable(random.below(7))))
            }
        return MethodStep(.call(descriptor.index, arguments, bindings, result: 6), when: when)
    }

    /// Calls that move bytes cost what they move: between 64 KiB and what is refused at once, a
    /// simulation has nothing to learn.
    private mutating func bounded(_ word: UInt64, of name: String) -> UInt64 {
        let moves = [
            "memset", "memcpy", "memmove", "memcmp", "memchr", "memscan", "memchr_inv", "strncpy",
            "strscpy_pad", "copy_to_user", "copy_from_user", "free_pages_exact",
        ]
        if name == "alloc_pages_bulk_array" { return random.oneIn(16) ? word : word & 0x3ff }
        return moves.contains(name) && word >> 31 == 0 ? word & 0xffff : word
    }

    private mutating func number() -> UInt64 {
        switch random.below(4) {
        case 0: random.next()
        case 1: UInt64(random.below(20_000))
        default: random.pick(Self.edges) &+ UInt64(random.below(3)) &- 1
        }
    }

    private mutating func flags() -> UInt64 {
        switch random.below(4) {
        case 0: random.next() & 0xffff_ffff
        case 1: 0xcc0
        case 2: random.pick([0xa20, 0x800, 0xcc1, 0xcc4, 0x10_0cca, 0xdc0, 0x40_0cc0, 0x2_0000])
        default: 0xcc0 | 1 << UInt64(random.below(27))
        }
    }

    private mutating func pointer() -> UInt64 {
        switch random.below(8) {
        case 0: number()
        case 1: Self.pageOffset &+ UInt64(random.below(30_000)) << 12
        case 2: Self.vmemmap &+ UInt64(random.below(30_000)) &* 64
        case 3: 0x1000_0000 &+ UInt64(random.below(40)) << 12
        case 4:
            random.pick(pool)
                &+ random.pick([1, 8, 64, 4_096, 8_192, .max - 7, .max - 63, .max - 4_095])
        default: random.pick(pool)
        }
    }
}
