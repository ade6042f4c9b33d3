/// One line of a recording, cut at its blanks.
struct RecordingLine {
    /// A line that does not follow the recording's grammar.
    struct Unreadable: Error, CustomStringConvertible {
        let number: Int
        let text: String
        var description: String { "line \(number): \(text)" }
    }

    let number: Int
    let words: [ArraySlice<UInt8>]

    var isEmpty: Bool { words.isEmpty }
    var keyword: String { words.isEmpty ? "" : word(0) }
    var text: String { words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
    var unreadable: Unreadable { Unreadable(number: number, text: text) }

    func word(_ index: Int) -> String {
        index < words.count ? String(decoding: words[index], as: UTF8.self) : ""
    }

    /// The decimal number at a place.
    func number(_ index: Int) throws(Unreadable) -> UInt64 {
        guard index < words.count, let value = Self.decimal(words[index]) else { throw unreadable }
        return value
    }

    /// The frame at a place, `nil` where the kernel returned `NULL`.
    func frame(_ index: Int) throws(Unreadable) -> UInt64? {
        guard index < words.count else { throw unreadable }
        if words[index].first == UInt8(ascii: "N") { return nil }
        return try number(index)
    }

    /// All numbers from a place to the end of the line.
    func numbers(from index: Int) throws(Unreadable) -> [UInt64] {
        var result: [UInt64] = []
        var place = index
        while place < words.count {
            result.append(try number(place))
            place += 1
        }
        return result
    }

    /// What stands behind `key=` in one of the words.
    func value(of key: String) throws(Unreadable) -> String {
        let prefix = Array((key + "=").utf8)
        guard let word = words.first(where: { $0.starts(with: prefix) }) else { throw unreadable }
        return String(decoding: word.dropFirst(prefix.count), as: UTF8.self)
    }

    func integer(of key: String) throws(Unreadable) -> Int {
        guard let value = try Int(value(of: key)) else { throw unreadable }
        return value
    }

    func count(of key: String) throws(Unreadable) -> UInt64 {
        guard let value = try UInt64(value(of: key)) else { throw unreadable }
        return value
    }

    /// The numbers behind `key=`, separated by commas or slashes.
    func counts(of key: String, separator: Character = ",") throws(Unreadable) -> [UInt64] {
        let parts = try value(of: key).split(separator: separator)
        let numbers = parts.compactMap { UInt64($0) }
        guard numbers.count == parts.count else { throw unreadable }
        return numbers
    }

    /// Cuts a file into its lines; the first has number 1.
    static func lines(of bytes: [UInt8]) -> [RecordingLine] {
        var lines: [RecordingLine] = []
        var words: [ArraySlice<UInt8>] = []
        var start = 0
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : 10
            guard byte == 32 || byte == 10 else { continue }
            if index > start { words.append(bytes[start..<index]) }
            start = index + 1
            if byte == 10 {
                lines.append(RecordingLine(number: lines.count + 1, words: words))
                words = []
            }
        }
        return lines
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= 48, digit < 58, value < 1 << 59 else { return nil }
            value = value * 10 + UInt64(digit - 48)
        }
        return digits.isEmpty ? nil : value
    }
}
