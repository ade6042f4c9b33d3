/// A page whose state no free page may have: what `bad_page()` prints.
struct BadPage: Hashable {
    enum Reason: String {
        case references = "nonzero _refcount"
        case mapCount = "nonzero mapcount"
        case flags = "PAGE_FLAGS_CHECK_AT_FREE flag(s) set"
    }

    /// Where the page was found, which shows in its list pointers.
    enum Place {
        /// On a list that it just left.
        case list
        /// First page of a block being freed.
        case head
        /// A further page of such a block.
        case tail
    }

    var frame: UInt32
    var reason: Reason
    var references: Int32
    var place: Place

    /// The block of lines, as recorded in `texts/bad-page1-114` and `-118`.
    func lines(process: String, zone: ZoneType, node: Int) -> [String] {
        let pfn = String(frame, radix: 16)
        let short = String(repeating: "0", count: max(5 - pfn.count, 0)) + pfn
        let mapCount = reason == .mapCount ? 1 : 0
        let last: UInt64 = 0x1f_ffff
        let flags = last << 30 | UInt64(zone.rawValue) << 51 | UInt64(node) << 54
        let counts =
            UInt64(UInt32(bitPattern: references)) << 32
            | UInt64(UInt32(truncatingIfNeeded: mapCount - 1))
        let own = Kernel.descriptor(UInt64(frame)) &+ 8
        let links: (UInt64, UInt64) =
            switch place {
            case .list: (0xdead_0000_0000_0100, 0xdead_0000_0000_0122)
            case .head: (0, 0xdead_0000_0000_0122)
            case .tail: (0, own)
            }
        return [
            "BUG: Bad page state in process \(process)  pfn:\(short)",
            "page:(____ptrval____) refcount:\(references) mapcount:\(mapCount) "
                + "mapping:0000000000000000 index:0x0 pfn:0x\(pfn)",
            "flags: 0x\(String(flags, radix: 16))(node=\(node)|zone=\(zone.rawValue)"
                + "|lastcpupid=0x\(String(last, radix: 16)))",
            Self.raw(flags, links.0, links.1, 0),
            Self.raw(0, 0, counts, 0),
            "page dumped because: \(reason.rawValue)",
        ]
    }

    private static func raw(_ words: UInt64...) -> String {
        words.reduce("raw:") { text, word in
            let digits = String(word, radix: 16)
            return text + " " + String(repeating: "0", count: 16 - digits.count) + digits
        }
    }
}

/// Reference counts of frames that should have none; bounded, for a client may make many.
struct StrayReferences {
    /// Frames remembered; references to more are forgotten.
    static let limit = 4_096

    private var counts: [UInt32: Int32] = [:]

    var isEmpty: Bool { counts.isEmpty }

    mutating func change(_ frame: UInt32, by change: Int32) {
        guard counts.count < Self.limit || counts[frame] != nil else { return }
        let count = (counts[frame] ?? 0) &+ change
        counts[frame] = count == 0 ? nil : count
    }

    mutating func remove(_ frame: UInt32) -> Int32? { counts.removeValue(forKey: frame) }
}
