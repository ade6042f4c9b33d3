import Foundation
import Testing

@testable import KernelHeap

/// The tables of `docs/contexts.md`, line by line.
@Suite("Contexts: what each call does where")
struct ContextTableTests {
    /// A line of a table.
    struct Row: CustomStringConvertible {
        var profile: String
        var call: Substring
        var cells: [Substring]

        var description: String { "\(profile): \(call)" }
    }

    static func rows() throws -> [Row] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appendingPathComponent("docs/contexts.md"),
            encoding: .utf8
        )
        var rows: [Row] = []
        var profile = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("### linux-") { profile = String(line.dropFirst(4)) }
            if line.hasPrefix("## ") { profile = "" }
            guard !profile.isEmpty, line.hasPrefix("| `") else { continue }
            let cells = line.split(separator: "|").map { cell in
                Substring(cell.trimmingCharacters(in: .whitespaces))
            }
            let call = try #require(cells.first).dropFirst().dropLast()
            rows.append(Row(profile: profile, call: call, cells: Array(cells.dropFirst())))
        }
        return rows
    }

    @Test func `every line of the tables says what the machine does`() throws {
        let rows = try Self.rows()
        #expect(rows.count == 45)
        for row in rows {
            var found: [String] = []
            for column in ContextMachine.columns {
                let lab = try ContextMachine(profile: row.profile)
                if let call = column.enters {
                    let lock: [CallMachine.Argument] = call == "spin_lock" ? ["held"] : []
                    try lab.machine.call(call, lock)
                }
                found.append(lab.word(for: try lab.run(row.call)))
                #expect(lab.machine.violations == [], "\(row), \(column.name)")
            }
            #expect(found == row.cells.map(String.init), "\(row)")
        }
    }

    @Test(
        "a context of one call is the context that a sequence enters",
        arguments: [
            (CallContext.Kind.softirq, "softirq_handle_begin"), (.tasklet, "softirq_handle_begin"),
            (.hardirq, "irq_enter"), (.nmi, "nmi_enter"),
        ]
    )
    func oneCall(kind: CallContext.Kind, entering: String) throws {
        for line in ["kmalloc size=64 flags=GFP_KERNEL", "vmalloc size=8192", "vfree addr=$area"] {
            let sequence = try ContextMachine(profile: "linux-6.1-x86_64")
            try sequence.machine.call(entering)
            let single = try ContextMachine(profile: "linux-6.1-x86_64")

            let inSequence = try sequence.run(line[...])
            let alone = try single.run(line[...], in: kind)

            #expect(Array(inSequence.log) == Array(alone.log), "\(line)")
            #expect(sequence.word(for: inSequence) != "ok", "\(line)")
        }
    }
}
