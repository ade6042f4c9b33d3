/// What makes a kernel's later reports less trustworthy: `Documentation/admin-guide/tainted-kernels.rst`.
struct Taint: OptionSet, Sendable {
    let rawValue: UInt32

    /// A bad page, or a report of the slab allocator.
    static let badPage = Taint(rawValue: 1 << 5)
    /// An oops or a BUG happened.
    static let died = Taint(rawValue: 1 << 7)
    /// A warning was printed.
    static let warned = Taint(rawValue: 1 << 9)

    /// The letters of all flags in order; a space where one is not set.
    private static let letters: [Character] = Array("PFSRMBUDAWCIOELKXTN")

    /// `print_tainted()`.
    var text: String {
        guard !isEmpty else { return "Not tainted" }
        let flags = Self.letters.indices.map { index -> Character in
            if rawValue & 1 << UInt32(index) != 0 { return Self.letters[index] }
            return index == 0 ? "G" : " "
        }
        return "Tainted: " + String(flags)
    }
}
