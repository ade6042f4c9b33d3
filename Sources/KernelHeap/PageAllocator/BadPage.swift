/// A page whose state no free page may have: what `bad_page()` prints.
struct BadPage: Hashable {
    enum Reason: String {
        case references = "nonzero _refcount"
        case mapping = "non-NULL mapping"
        case mapCount = "nonzero mapcount"
        case flags = "PAGE_FLAGS_CHECK_AT_FREE flag(s) set"
        case flagsAtAllocation = "PAGE_FLAGS_CHECK_AT_PREP flag(s) set"
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
    var fields = OddFields()
    /// Who had the page at that time; nil without `page_owner=on`.
    var owner: PageOwner?
    /// Where the machine's page descriptors are.
    var layout = AddressLayout.x8664

    /// The block of lines, as recorded in `texts/bad-page1-110` to `-118`.
    func lines(process: String, zone: ZoneType, node: Int) -> [String] {
        let pfn = String(frame, radix: 16)
        let short = String(repeating: "0", count: max(5 - pfn.count, 0)) + pfn
        var lines = [
            "BUG: Bad page state in process \(process)  pfn:\(short)",
            "page:(____ptrval____) refcount:\(references) mapcount:\(mapCount) "
                + "mapping:\(mappingText) index:0x0 pfn:0x\(pfn)",
        ]
        if isFileMapping { lines.append("invalid mapping:" + layout.text(fields.mapping)) }
        let number = Self.number(of: zone, layout)
        lines += layout.is32Bit ? narrowWords(zone: number) : wideWords(zone: number, node)
        lines.append("page dumped because: \(reason.rawValue)")
        return lines
    }

    /// Its place among the kernel's zones: those of 32 bits have no DMA32.
    static func number(of zone: ZoneType, _ layout: AddressLayout) -> UInt64 {
        guard layout.is32Bit else { return UInt64(zone.rawValue) }
        return switch zone {
        case .dma, .dma32: 0
        case .normal: 1
        case .highMem: 2
        case .movable, .device: 3
        }
    }

    /// The flags and the descriptor's words on 64 bits.
    private func wideWords(zone: UInt64, _ node: Int) -> [String] {
        let flags = Self.lastCPU << 30 | zone << 51 | UInt64(node) << 54 | lockedBit
        let counts =
            UInt64(UInt32(bitPattern: references)) << 32
            | UInt64(UInt32(bitPattern: mapCount &- 1))
        return [
            "\(kind)flags: 0x\(String(flags, radix: 16))(\(fields.isLocked ? "locked|" : "")"
                + "node=\(node)|zone=\(zone)|lastcpupid=0x\(String(Self.lastCPU, radix: 16)))",
            raw(flags, links.0, links.1, fields.mapping),
            raw(0, 0, counts, 0),
        ]
    }

    /// The same on 32 bits, where flags tell the zone alone, and a line has eight words.
    private func narrowWords(zone: UInt64) -> [String] {
        let flags = zone << 30 | lockedBit
        let count = UInt64(UInt32(bitPattern: mapCount &- 1))
        let references = UInt64(UInt32(bitPattern: references))
        var lines = [
            "\(kind)flags: 0x\(String(flags, radix: 16))(\(fields.isLocked ? "locked|" : "")"
                + "zone=\(zone))",
            raw(flags, links.0, links.1, fields.mapping, 0, 0, count, references),
        ]
        if layout.descriptorBytes > 32 { lines.append(raw(0, 0)) }
        return lines
    }

    /// The number of the CPU that used a page last, where none is noted.
    static let lastCPU: UInt64 = 0x1f_ffff

    private var lockedBit: UInt64 { fields.isLocked ? 1 : 0 }

    /// A page that a process maps is reported without fields of its own.
    private var mapCount: Int32 {
        reason == .mapCount && fields.mapCount == 0 ? 1 : fields.mapCount
    }

    /// Whether `mapping` looks like a file's: then the report follows it, and finds nothing there.
    private var isFileMapping: Bool {
        fields.mapping != 0 && fields.mapping & OddFields.mappingMarks == 0
    }

    /// Addresses are printed only once the kernel has a key to disguise them; NULL always is.
    private var mappingText: String {
        isFileMapping ? "(____ptrval____)" : layout.text(0)
    }

    /// What the marks in `mapping` say that the page is.
    private var kind: String {
        switch fields.mapping & OddFields.mappingMarks {
        case 1: "anon "
        case 3: "ksm "
        default: ""
        }
    }

    private var links: (UInt64, UInt64) {
        // `POISON_POINTER_DELTA` lifts what a list leaves behind out of 64-bit addresses.
        let poison: UInt64 = layout.is32Bit ? 0 : 0xdead_0000_0000_0000
        return switch place {
        case .list: (poison + 0x100, poison + 0x122)
        case .head: (0, poison + 0x122)
        case .tail: (0, layout.descriptor(UInt64(frame)) &+ layout.wordBytes)
        }
    }

    private func raw(_ words: UInt64...) -> String {
        words.reduce("raw:") { text, value in text + " " + layout.text(value) }
    }
}

/// Reference counts of frames that should have none; bounded, for a client may make many.
struct StrayReferences {
    /// Frames remembered; references to more are forgotten.
    static let limit = 4_096

    private var counts: [UInt32: Int32] = [:]

    var isEmpty: Bool { counts.isEmpty }

    subscript(frame: UInt32) -> Int32 { counts[frame] ?? 0 }

    mutating func change(_ frame: UInt32, by change: Int32) {
        guard counts.count < Self.limit || counts[frame] != nil else { return }
        let count = (counts[frame] ?? 0) &+ change
        counts[frame] = count == 0 ? nil : count
    }

    mutating func remove(_ frame: UInt32) -> Int32? { counts.removeValue(forKey: frame) }
}
