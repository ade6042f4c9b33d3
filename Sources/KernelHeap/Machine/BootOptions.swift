/// The kernel's command line: words of the form `name` or `name=value`.
public struct BootOptions: Sendable {
    private let words: [Substring]

    public init(_ text: String) { words = text.split(separator: " ") }

    /// The value of the last `name=…`, or nil.
    public func value(_ name: String) -> Substring? {
        for word in words.reversed() where word.hasPrefix(name) {
            let rest = word.dropFirst(name.count)
            if rest.first == "=" { return rest.dropFirst() }
        }
        return nil
    }

    public func contains(_ name: String) -> Bool { words.contains { $0 == name } }

    /// Reads one of the kernel's words for yes and no; nil for any other.
    static func truth(_ value: Substring?) -> Bool? {
        switch value {
        case "1", "y", "Y", "on", "yes", "true": true
        case "0", "n", "N", "off", "no", "false": false
        default: nil
        }
    }

    /// A size with the kernel's suffixes: `64M`; 0 where the option is absent.
    func bytes(_ name: String) throws(MachineError) -> UInt64 {
        guard let text = value(name) else { return 0 }
        guard let bytes = Self.bytes(text) else {
            throw MachineError("/boot_options", "\(name)=\(text) is not a size such as 64M")
        }
        return bytes
    }

    /// Reads a size as `memparse()` does: a number and K, M, G, T or nothing.
    public static func bytes(_ text: some StringProtocol) -> UInt64? {
        let shifts: [Character: UInt64] = ["K": 10, "M": 20, "G": 30, "T": 40]
        var digits = text[...]
        var shift: UInt64 = 0
        if let last = text.last?.uppercased().first, let found = shifts[last] {
            shift = found
            digits = text.dropLast()
        }
        let number =
            digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
        guard let number, !digits.hasPrefix("+"), (number << shift) >> shift == number else {
            return nil
        }
        return number << shift
    }
}
