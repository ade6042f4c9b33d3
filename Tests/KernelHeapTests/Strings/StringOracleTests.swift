import TestSupport
import Testing

@testable import KernelHeap

@Suite("Strings: every function against one that is written byte by byte")
struct StringOracleTests {
    /// A machine, and memory over two borders of pages that no others lie beside.
    struct Arena {
        let machine: CallMachine
        let start: UInt64
        let word: Int
        var oracle: StringOracle

        init(_ profile: String) throws {
            var description = MachineDescription()
            description.profile = profile
            machine = try CallMachine(description)
            word = profile.hasSuffix("x86_64") ? 8 : 4
            start = try machine.call("vmalloc", 12_288).word
            oracle = StringOracle([UInt8](repeating: 0, count: 12_288), word: word)
        }

        /// Bytes of few kinds, so that strings are alike, around the first border; zeros elsewhere.
        mutating func fill(_ random: inout SeededRandom) throws {
            let letters: [UInt8] = random.oneIn(2) ? [0x61, 0x62] : [0x61, 0x61, 0xff]
            let rarity = random.pick([3, 20, 200])
            var bytes = [UInt8](repeating: 0, count: 12_288)
            for index in 3_500..<4_700 {
                bytes[index] = random.oneIn(rarity) ? 0 : random.pick(letters)
            }
            oracle.bytes = bytes
            try machine.call("kernel_write", .word(start), .bytes(bytes))
        }
    }

    /// One call and what the oracle says of it.
    struct Step {
        let name: String
        let words: [UInt64]
        let run: (inout StringOracle) throws -> StringOracle.Value?
    }

    @Test(
        "results and memory are the same, to the byte",
        arguments: ["linux-6.1-x86_64", "linux-6.1-i386", "linux-2.6-i386"],
        UInt64(1)...4
    )
    func sameAsOracle(profile: String, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var arena = try Arena(profile)
        var stepCount = 0
        for round in 0..<40 {
            try arena.fill(&random)
            for _ in 0..<12 {
                let step = Self.step(arena, &random, isClassic: profile.contains("2.6"))
                var oracle = arena.oracle
                // A loop that leaves the memory is another test's.
                guard let value = try? step.run(&oracle) else { continue }
                let outcome = try arena.machine.call(step.name, step.words.map { .word($0) })
                let memory = try arena.machine.read(arena.start, 12_288)
                stepCount += 1
                guard memory == oracle.bytes, outcome.word == arena.word(of: value) else {
                    let place = zip(memory, oracle.bytes).enumerated().first { $1.0 != $1.1 }
                    Issue.record(
                        """
                        \(step.name) \(step.words.map { $0 &- arena.start }), round \(round): \
                        \(outcome.result) for \(value), memory at \(place?.offset ?? -1)
                        """
                    )
                    return
                }
                arena.oracle = oracle
            }
        }
        #expect(stepCount > 200)
    }

    // MARK: Steps

    private static func step(
        _ arena: Arena,
        _ random: inout SeededRandom,
        isClassic: Bool
    ) -> Step {
        let middle = random.pick([3_600, 4_090, 4_096, 4_300])
        let to = middle - 40 + random.below(80)
        let from = random.oneIn(3) ? to - 12 + random.below(24) : middle - 40 + random.below(80)
        let count = random.pick([0, 1, 5, 7, 8, 9, 16, 17, 30, 64, 200, 700])
        let byte = random.pick([0x61, 0x62, 0xff, 0, 0x63] as [UInt8])
        return random.oneIn(2)
            ? copy(arena, to, from, count, &random, isClassic: isClassic)
            : search(arena, to, from, count, byte, &random, isClassic: isClassic)
    }

    private static func copy(
        _ arena: Arena,
        _ to: Int,
        _ from: Int,
        _ count: Int,
        _ random: inout SeededRandom,
        isClassic: Bool
    ) -> Step {
        let (target, source) = (arena.start + UInt64(to), arena.start + UInt64(from))
        let page = Int(arena.start % 4_096)
        let number = UInt64(count)
        func step(
            _ name: String,
            _ words: [UInt64],
            _ run: @escaping (inout StringOracle) throws -> StringOracle.Value?
        ) -> Step { Step(name: name, words: words, run: run) }
        // The copies through memcpy() are told nothing of what overlaps.
        let isApart = abs(to - from) > 1_400
        switch random.below(isClassic ? 6 : 8) {
        case 0: return step("strcpy", [target, source]) { try $0.strcpy(to, from) }
        case 1: return step("strcat", [target, source]) { try $0.strcat(to, from) }
        case 2:
            return step("strncpy", [target, source, number]) { try $0.strncpy(to, from, count) }
        case 3:
            return step("strncat", [target, source, number]) { try $0.strncat(to, from, count) }
        case 4:
            let far = isApart ? to : to + 5_000
            let words = [arena.start + UInt64(far), source, number]
            return random.oneIn(2)
                ? step("strlcpy", words) { try $0.strlcpy(far, from, count) }
                : step("strlcat", words) { try $0.strlcat(far, from, count) }
        case 5:
            return step("memmove", [target, source, number]) { oracle in
                try oracle.move(to, from, count)
                return .place(to)
            }
        case 6:
            return step("strscpy", [target, source, number]) {
                try $0.strscpy(to, from, count, base: page)
            }
        default:
            return step("strscpy_pad", [target, source, number]) {
                try $0.strscpyPad(to, from, count, base: page)
            }
        }
    }

    private static func search(
        _ arena: Arena,
        _ one: Int,
        _ other: Int,
        _ count: Int,
        _ byte: UInt8,
        _ random: inout SeededRandom,
        isClassic: Bool
    ) -> Step {
        let (left, right) = (arena.start + UInt64(one), arena.start + UInt64(other))
        let (number, character) = (UInt64(count), UInt64(byte))
        func step(
            _ name: String,
            _ words: [UInt64],
            _ run: @escaping (inout StringOracle) throws -> StringOracle.Value?
        ) -> Step { Step(name: name, words: words, run: run) }
        switch random.below(isClassic ? 11 : 13) {
        case 0: return step("strlen", [left]) { .number(try $0.length(one)) }
        case 1: return step("strnlen", [left, number]) { .number(try $0.length(one, count)) }
        case 2: return step("strchr", [left, character]) { try $0.strchr(one, byte) }
        case 3: return step("strrchr", [left, character]) { try $0.strrchr(one, byte) }
        case 4:
            return step("strnchr", [left, number, character]) {
                isClassic && byte == 0 ? .place(nil) : try $0.strchr(one, byte, count)
            }
        case 5:
            return step("strcmp", [left, right]) {
                try $0.compare(one, other, 1 << 20, isString: true)
            }
        case 6:
            return step("strncmp", [left, right, number]) {
                try $0.compare(one, other, count, isString: true)
            }
        case 7:
            return step("memcmp", [left, right, number]) {
                try $0.compare(one, other, count, isString: false)
            }
        case 8: return step("strstr", [left, right]) { try $0.strstr(one, other) }
        case 9:
            return step("memchr", [left, character, number]) {
                try $0.first(one, count, otherwise: nil) { $0 == byte }
            }
        case 10:
            return step("memscan", [left, character, number]) {
                try $0.first(one, count, otherwise: one + count) { $0 == byte }
            }
        case 11:
            return step("memchr_inv", [left, character, number]) {
                try $0.first(one, count, otherwise: nil) { $0 != byte }
            }
        default:
            return step("strnstr", [left, right, number]) {
                try $0.strstr(one, other, in: count)
            }
        }
    }
}

extension StringOracleTests.Arena {
    /// A value of the oracle as the call's result has it.
    func word(of value: StringOracle.Value) -> UInt64 {
        switch value {
        case .place(let place): place.map { start + UInt64($0) } ?? 0
        case .number(let number): UInt64(bitPattern: Int64(number))
        }
    }
}
