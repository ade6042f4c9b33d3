/// How the head of a BUG or an oops names the kernel's options and the place: recorded on each machine.
struct OopsStyle: Hashable, Sendable {
    /// What follows the count: built with preemption, for many processors, page tables isolated or not.
    let options: String
    private let is32Bit: Bool
    /// The kernel is 2.6: it names the address and one entry, and the options stand elsewhere.
    let isClassic: Bool

    static let x8664 = OopsStyle("PREEMPT SMP NOPTI", is32Bit: false)
    static let i386 = OopsStyle("PREEMPT SMP", is32Bit: true)
    static let pae = OopsStyle("PREEMPT SMP PTI", is32Bit: true)
    static let classic = OopsStyle("", is32Bit: true, isClassic: true)

    private init(_ options: String, is32Bit: Bool, isClassic: Bool = false) {
        self.options = options
        self.is32Bit = is32Bit
        self.isClassic = isClassic
    }

    /// The end of a line that counts deaths.
    func death(_ count: Int) -> String { "[#\(count)]" + (options.isEmpty ? "" : " " + options) }

    /// Recorded offsets of 32-bit kernels; others are not known.
    private static let recorded = ["usercopy_abort": "usercopy_abort+0x65/0x67"]

    /// The line of the instruction pointer.
    ///
    /// - Parameter function: with its offset on x86_64.
    /// - Returns: on 32-bit machines without an offset, unless it was recorded.
    func place(_ function: String) -> String {
        guard is32Bit else { return "RIP: 0010:\(function)" }
        let name = String(function.prefix { $0 != "+" })
        return "EIP: \(Self.recorded[name] ?? name)"
    }
}
