import TestSupport
import Testing

@testable import KernelHeap

/// Any call of the family with any number in any context: the machine goes on, and stays sound.
@Suite("High memory: hostile calls")
struct HighMemoryHostileTests {
    struct Machine: Sendable, CustomTestStringConvertible {
        let profile: String
        let hasPAE: Bool
        let memory: UInt64

        var testDescription: String { "\(profile) \(memory >> 20)M\(hasPAE ? " PAE" : "")" }

        func boot() throws -> CallMachine {
            var description = MachineDescription()
            description.profile = profile
            description.pae = hasPAE
            description.memoryBytes = memory
            description.cpus = 3
            return try CallMachine(description)
        }
    }

    static let machines = [
        Machine(profile: "linux-6.1-i386", hasPAE: false, memory: 1 << 30),
        Machine(profile: "linux-6.1-i386", hasPAE: true, memory: 5 << 30),
        Machine(profile: "linux-6.1-i386", hasPAE: false, memory: 256 << 20),
        Machine(profile: "linux-2.6-i386", hasPAE: false, memory: 2 << 30),
        Machine(profile: "linux-6.1-x86_64", hasPAE: false, memory: 256 << 20),
    ]

    @Test("nothing stops it", arguments: machines, UInt64(1)...2)
    func sessions(machine: Machine, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let calls = try machine.boot()
        let names =
            highMemoryCalls.map { $0.signature.name } + [
                "page_address", "kernel_read", "vmalloc", "vfree", "ioremap", "virt_to_phys",
            ]
        var pool: [UInt64] = [0, 0xfec0_1000, 0xfffb_b000, 0xffff_f000]
        for step in 0..<400 {
            let name = random.pick(names)
            var arguments = (0..<2).map { _ in word(&random, calls, pool) }
            if name == "vmalloc" || name == "kernel_read" {
                arguments[name == "vmalloc" ? 0 : 1] &= 0xffff
            }
            if name == "ioremap" { arguments[1] &= 0xffff }
            let outcome = try calls.call(
                name,
                arguments.map { .word($0) },
                cpu: random.below(4) - 1,
                in: random.oneIn(3) ? random.pick(CallContext.Kind.allCases) : .process,
                pid: random.below(3)
            )
            if outcome.word > 16 { pool.append(outcome.word) }
            if pool.count > 64 { pool.removeFirst(16) }
            if step % 200 == 199 {
                let violations = calls.kernel.checkInvariants(misuse: true)
                #expect(violations == [], "step \(step)")
            }
        }
    }

    private func word(
        _ random: inout SeededRandom,
        _ calls: CallMachine,
        _ pool: [UInt64]
    ) -> UInt64 {
        let layout = calls.kernel.layout
        return switch random.below(6) {
        case 0: random.next()
        case 1: random.next() >> 32
        case 2: random.pick(pool) &+ UInt64(random.below(3)) &* 4_096
        case 3: UInt64(random.below(20))
        default:
            layout.descriptor(
                (layout.is32Bit ? layout.directMapEndPFN : 4_096) &+ UInt64(random.below(700))
            )
        }
    }
}
