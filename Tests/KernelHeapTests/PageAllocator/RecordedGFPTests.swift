import TestSupport
import Testing

@testable import KernelHeap

@Suite("GFP: recorded flags")
struct RecordedGFPTests {
    private let table = GFPTable.linux61

    /// The number of a C expression of names: `A|B`, `A & ~B`, `(gfp_t)0`.
    private func number(of expression: String) throws -> UInt32 {
        if expression == "(gfp_t)0" { return 0 }
        if let cut = expression.firstRange(of: " & ~") {
            let rest = try number(of: String(expression[cut.upperBound...]))
            return try number(of: String(expression[..<cut.lowerBound])) & ~rest
        }
        return try expression.split(separator: "|").reduce(0) {
            $0 | (try #require(table.value(of: $1)))
        }
    }

    @Test func `each name has its number, and each number its text`() throws {
        let flags = try GFPRecording.linux61().gfp

        #expect(flags.count == 75)
        for flag in flags {
            #expect(try number(of: flag.name) == flag.value, "\(flag.name)")
            let parsed = table.flags(number: flag.value)
            #expect(table.number(of: parsed) == flag.value, "\(flag.name)")
            #expect(table.text(of: parsed) == flag.text, "\(flag.name)")
        }
    }

    @Test func `a printed text reads back as the same flags`() throws {
        for flag in try GFPRecording.linux61().gfp where !flag.text.isEmpty {
            #expect(try number(of: flag.text) == flag.value, "\(flag.name)")
        }
    }

    @Test func `zone, mobility class and sleep follow from the flags`() throws {
        for flag in try GFPRecording.linux61().gfp {
            let parsed = table.flags(number: flag.value)
            #expect(GFPZones.x8664[parsed].name == flag.zone, "\(flag.name)")
            #expect(
                parsed.migrateType.name.lowercased() == flag.migratetypeName,
                "\(flag.name)"
            )
            #expect(parsed.contains(.directReclaim) == flag.mayBlock, "\(flag.name)")
            #expect(parsed.contains(.thisNode) == (flag.zonelistNode == 1), "\(flag.name)")
        }
    }

    @Test func `the sixteen combinations of zone bits choose the recorded zones`() throws {
        let combinations = try GFPRecording.linux61().zoneModifierCombos

        #expect(combinations.map(\.bits) == Array(0..<16))
        for combination in combinations {
            let flags = table.flags(number: combination.bits)
            #expect(GFPZones.x8664[flags].name == combination.zone, "\(combination.bits)")
            #expect(table.text(of: flags) == combination.text, "\(combination.bits)")
        }
    }

    @Test func `bits without a name are printed in hexadecimal`() throws {
        for bit in try GFPRecording.linux61().unknownBitsText {
            let number = try #require(UInt32(bit.hex.dropFirst(2), radix: 16))
            #expect(table.text(of: table.flags(number: number)) == bit.text)
        }
    }

    @Test func `the profile's constants are the recorded ones`() throws {
        let recorded = try GFPRecording.linux61().constants
        var found = 0
        for constant in MachineProfile.linux61X8664.constants {
            guard let text = recorded[constant.name] else { continue }
            found += 1
            #expect(UInt64(text.dropFirst(2), radix: 16) == constant.value, "\(constant.name)")
        }
        #expect(found >= 20)
    }
}
