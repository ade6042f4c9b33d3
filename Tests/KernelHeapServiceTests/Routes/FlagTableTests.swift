import Foundation
import Testing

/// A line of a document in `docs` whose tables are calls and what they answer.
struct FlagLine: Sendable, CustomStringConvertible {
    let flag: String
    let machine: String
    /// The calls that come before those of any line of its table.
    let first: String
    let calls: String
    let answers: [String]

    var description: String { flag }

    /// The lines of `docs/gfp-flags.md`.
    static let all = lines(of: "gfp-flags.md")

    /// The lines of a document, which stands beside the package's manifest.
    static func lines(of document: String) -> [FlagLine] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/" + document).standardized
        guard let text = try? String(contentsOf: root, encoding: .utf8) else { return [] }
        var lines: [FlagLine] = []
        var machine = ""
        var first = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Machine: ") {
                machine = code(line)
                first = ""
            } else if line.hasPrefix("First: ") {
                first = code(line)
            } else if line.hasPrefix("| `") {
                let cells = line.split(separator: " | ").map(String.init)
                guard cells.count == 4 else { continue }
                lines.append(
                    FlagLine(
                        flag: cells[0],
                        machine: machine,
                        first: first,
                        calls: code(cells[2]),
                        answers: cells[3].split(separator: "; ").map { code($0) }
                    )
                )
            }
        }
        return lines
    }

    /// What stands between the first backquote and the last.
    private static func code(_ text: some StringProtocol) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.count >= 3 ? String(parts[1]) : ""
    }
}

@Suite("HTTP: the table of GFP flags")
struct FlagTableTests {
    @Test("every line answers as it says", arguments: FlagLine.all)
    func answers(line: FlagLine) throws {
        try Self.run(line)
    }

    /// Makes a line's calls on a fresh machine, and holds the answers to what it says.
    static func run(_ line: FlagLine) throws {
        let service = try ServiceFixture()
        let session = try service.boot("{\"machine\":\(line.machine)}")
        if !line.first.isEmpty {
            let setUp = try service.send("POST", session + "/calls", line.first)
            for answer in setUp.json.elements {
                #expect(answer["type"] == .null, "\(answer)")
                #expect(answer["errno"] == .null, "\(answer)")
            }
        }

        let answer = try service.send("POST", session + "/calls", line.calls)

        let answers = answer.json.elements
        try #require(!line.answers.isEmpty)
        for text in line.answers {
            let problem = problem(text, answers)
            #expect(problem == nil, "\(line.flag): \(text): \(problem ?? "")")
        }
    }

    @Test func `the table has every flag of both kernels`() {
        let names = FlagLine.all.map(\.flag).joined()
        let flags = [
            "__GFP_DMA`", "__GFP_HIGHMEM", "__GFP_DMA32", "__GFP_MOVABLE", "__GFP_RECLAIMABLE",
            "__GFP_HIGH`", "__GFP_IO", "__GFP_FS", "__GFP_ZERO`", "__GFP_ATOMIC",
            "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_WRITE", "__GFP_NOWARN",
            "__GFP_RETRY_MAYFAIL", "__GFP_NOFAIL", "__GFP_NORETRY", "__GFP_MEMALLOC", "__GFP_COMP",
            "__GFP_NOMEMALLOC", "__GFP_HARDWALL", "__GFP_THISNODE", "__GFP_ACCOUNT",
            "__GFP_ZEROTAGS", "__GFP_COLD", "__GFP_REPEAT", "__GFP_WAIT",
        ]

        for flag in flags { #expect(names.contains(flag), "\(flag)") }
    }

    /// Why an answer is not what a line says; nil where it is.
    private static func problem(_ text: String, _ answers: [JSON]) -> String? {
        if let parts = split(text, " has not ") {
            let log = lines(parts.0, answers)
            return log.contains(parts.1) ? log : nil
        }
        if let parts = split(text, " has ") {
            let log = lines(parts.0, answers)
            return log.contains(parts.1) ? nil : log
        }
        if let parts = split(text, " != ") {
            let found = value(parts.0, answers)
            return found == value(parts.1, answers) ? found : nil
        }
        guard let parts = split(text, " = ") else { return "no comparison" }
        let found = value(parts.0, answers)
        return found == value(parts.1, answers) ? nil : found
    }

    private static func split(_ text: String, _ operation: String) -> (String, String)? {
        guard let range = text.range(of: operation) else { return nil }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    /// A path such as `2.detail.zone` in the answers; any other text is itself.
    private static func value(_ text: String, _ answers: [JSON]) -> String {
        let parts = text.split(separator: ".")
        guard parts.count > 1, let number = Int(parts[0]) else { return text }
        guard (1...max(answers.count, 1)).contains(number), number <= answers.count else {
            return "no answer"
        }
        let found = parts.dropFirst().reduce(answers[number - 1]) { value, part in
            guard case .list(let list) = value, let place = Int(part) else {
                return value[String(part)]
            }
            return list.indices.contains(place) ? list[place] : .null
        }
        switch found {
        case .null: return "null"
        case .string(let string): return string
        case .number(let number): return "\(Int(number))"
        case .boolean(let truth): return "\(truth)"
        case .list(let list) where list.isEmpty: return "nothing"
        case .list, .object: return "\(found)"
        }
    }

    private static func lines(_ path: String, _ answers: [JSON]) -> String {
        guard let number = path.split(separator: ".").first.flatMap({ Int($0) }),
            answers.indices.contains(number - 1)
        else { return "no answer" }
        return answers[number - 1]["log"].elements.map(\.text).joined(separator: "\n")
    }
}
