/// The names and numbers of GFP flags on one kernel version.
///
/// 6.1's numbers are the engine's own, so words pass through; other profiles translate bit by bit.
/// The order of `compounds` decides what `%pGg` prints: see `constants/gfp_constants.json` of the
/// recordings.
public struct GFPTable: Sendable {
    /// A name a client may write, with the machine's number.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let value: UInt32

        init(_ name: String, _ value: UInt32) {
            self.name = name
            self.value = value
        }
    }

    /// Every name that can be parsed; several may share a number.
    public let entries: [Entry]
    /// What printing tries, in order, compounds first.
    let printed: [Entry]
    /// Number of bits a client may set: `__GFP_BITS_SHIFT`.
    public let bitCount: Int

    /// The machine's number of `name`, or nil where the machine has no such flag.
    public func value(of name: some StringProtocol) -> UInt32? {
        entries.first { $0.name == name }?.value
    }

    /// The machine's bits with the engine's flags; empty where the numbers are the engine's own.
    var translation: [Bit] = []
    /// What every request of this machine may do.
    var implied: GFPFlags = []

    /// One bit of the machine's word.
    struct Bit: Sendable {
        let value: UInt32
        let flags: GFPFlags
    }

    /// The engine's flags for the machine's number.
    public func flags(number: UInt32) -> GFPFlags {
        guard !translation.isEmpty else { return GFPFlags(rawValue: number) }
        return translation.reduce(implied) {
            number & $1.value == 0 ? $0 : $0.union($1.flags)
        }
    }

    /// The machine's number of the flags.
    public func number(of flags: GFPFlags) -> UInt32 {
        guard !translation.isEmpty else { return flags.rawValue }
        return translation.reduce(0) { flags.contains($1.flags) ? $0 | $1.value : $0 }
    }

    /// The text of the kernel's `%pGg`: known names joined by `|`, what remains in hexadecimal.
    public func text(of flags: GFPFlags) -> String {
        var rest = number(of: flags)
        var text = ""
        for entry in printed where rest != 0 && rest & entry.value == entry.value {
            rest &= ~entry.value
            if !text.isEmpty { text += "|" }
            text += entry.name
        }
        if rest != 0 {
            if !text.isEmpty { text += "|" }
            text += "0x" + String(rest, radix: 16)
        }
        return text
    }

    /// Linux 6.1.
    public static let linux61: GFPTable = {
        let compounds = [
            Entry("GFP_TRANSHUGE", 0x1c_24ca), Entry("GFP_TRANSHUGE_LIGHT", 0x1c_20ca),
            Entry("GFP_HIGHUSER_MOVABLE", 0x10_0cca), Entry("GFP_HIGHUSER", 0x10_0cc2),
            Entry("GFP_USER", 0x10_0cc0), Entry("GFP_KERNEL_ACCOUNT", 0x40_0cc0),
            Entry("GFP_KERNEL", 0xcc0), Entry("GFP_NOFS", 0xc40), Entry("GFP_ATOMIC", 0xa20),
            Entry("GFP_NOIO", 0xc00), Entry("GFP_NOWAIT", 0x800), Entry("GFP_DMA", 0x1),
        ]
        let bits = [
            Entry("__GFP_HIGHMEM", 0x2), Entry("GFP_DMA32", 0x4), Entry("__GFP_HIGH", 0x20),
            Entry("__GFP_ATOMIC", 0x200), Entry("__GFP_IO", 0x40), Entry("__GFP_FS", 0x80),
            Entry("__GFP_NOWARN", 0x2000), Entry("__GFP_RETRY_MAYFAIL", 0x4000),
            Entry("__GFP_NOFAIL", 0x8000), Entry("__GFP_NORETRY", 0x10000),
            Entry("__GFP_COMP", 0x40000), Entry("__GFP_ZERO", 0x100),
            Entry("__GFP_NOMEMALLOC", 0x80000), Entry("__GFP_MEMALLOC", 0x20000),
            Entry("__GFP_HARDWALL", 0x100000), Entry("__GFP_THISNODE", 0x200000),
            Entry("__GFP_RECLAIMABLE", 0x10), Entry("__GFP_MOVABLE", 0x8),
            Entry("__GFP_ACCOUNT", 0x400000), Entry("__GFP_WRITE", 0x1000),
            Entry("__GFP_DIRECT_RECLAIM", 0x400), Entry("__GFP_KSWAPD_RECLAIM", 0x800),
            Entry("__GFP_ZEROTAGS", 0x800000),
        ]
        let parsedOnly = [
            Entry("__GFP_DMA", 0x1), Entry("__GFP_DMA32", 0x4), Entry("__GFP_RECLAIM", 0xc00),
            Entry("__GFP_SKIP_ZERO", 0), Entry("__GFP_SKIP_KASAN_UNPOISON", 0),
            Entry("__GFP_SKIP_KASAN_POISON", 0), Entry("__GFP_NOLOCKDEP", 0),
        ]
        return GFPTable(
            entries: compounds + bits + parsedOnly,
            printed: compounds + bits,
            bitCount: 27
        )
    }()
}
