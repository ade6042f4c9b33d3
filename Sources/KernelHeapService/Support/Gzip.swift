/// Compresses answers: gzip (RFC 1952) around one DEFLATE block (RFC 1951) of fixed codes.
///
/// JSON and scripts repeat themselves so much that matches do the work; codes made for the text
/// would save little more. Costs about 10 ns a byte, and 256 KiB for as long as it runs.
struct Gzip {
    private static let hashBits: UInt32 = 15
    private static let window = 32_768
    private static let longestMatch = 258
    private static let shortestMatch = 4

    private let input: [UInt8]
    private var output: [UInt8] = []
    private var bits: UInt64 = 0
    private var bitCount: UInt64 = 0

    /// The input as a gzip file.
    static func compress(_ input: [UInt8]) -> [UInt8] {
        var gzip = Gzip(input: input)
        gzip.run()
        return gzip.output
    }

    private init(input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count / 3 + 64)
    }

    private mutating func run() {
        // Magic, method 8, no flags, no time, no extra flags, unknown system.
        output += [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        put(0b011, 3)
        writeMatches()
        // The end of the block, then zeros up to a byte.
        put(0, 7)
        if bitCount > 0 { put(0, 8 - bitCount % 8) }
        word(CRC32.of(input))
        word(UInt32(truncatingIfNeeded: input.count))
    }

    /// Literals, and references to what stood at most a window before.
    private mutating func writeMatches() {
        var heads = [Int](repeating: -1, count: 1 << Int(Gzip.hashBits))
        var place = 0
        while place < input.count {
            guard place + Gzip.shortestMatch <= input.count else {
                literal(input[place])
                place += 1
                continue
            }
            let slot = hash(at: place)
            let candidate = heads[slot]
            heads[slot] = place
            let length = matchLength(candidate, place)
            guard length >= Gzip.shortestMatch else {
                literal(input[place])
                place += 1
                continue
            }
            reference(length: length, distance: place - candidate)
            let end = place + length
            place += 1
            while place < end {
                if place + Gzip.shortestMatch <= input.count { heads[hash(at: place)] = place }
                place += 1
            }
        }
    }

    private func hash(at place: Int) -> Int {
        let word =
            UInt32(input[place]) | UInt32(input[place + 1]) << 8 | UInt32(input[place + 2]) << 16
            | UInt32(input[place + 3]) << 24
        return Int((word &* 2_654_435_761) >> (32 - Gzip.hashBits))
    }

    /// How far the bytes at two places are the same; 0 where the first is none or too far back.
    private func matchLength(_ before: Int, _ place: Int) -> Int {
        guard before >= 0, place - before <= Gzip.window else { return 0 }
        let most = min(Gzip.longestMatch, input.count - place)
        var length = 0
        while length < most, input[before + length] == input[place + length] { length += 1 }
        return length
    }

    // MARK: Codes

    private mutating func literal(_ byte: UInt8) { symbol(UInt64(byte)) }

    private mutating func reference(length: Int, distance: Int) {
        let (lengthCode, lengthBase, lengthBits) = Gzip.place(of: length, in: Gzip.lengths)
        symbol(257 + UInt64(lengthCode))
        put(UInt64(length - lengthBase), UInt64(lengthBits))
        let (code, base, count) = Gzip.place(of: distance, in: Gzip.distances)
        put(Gzip.reversed(UInt64(code), 5), 5)
        put(UInt64(distance - base), UInt64(count))
    }

    /// A symbol of the fixed code of literals and lengths.
    private mutating func symbol(_ value: UInt64) {
        switch value {
        case 0..<144: put(Gzip.reversed(0x30 + value, 8), 8)
        case 144..<256: put(Gzip.reversed(0x190 + value - 144, 9), 9)
        case 256..<280: put(Gzip.reversed(value - 256, 7), 7)
        default: put(Gzip.reversed(0xc0 + value - 280, 8), 8)
        }
    }

    /// The first value of each code, and how many bits tell the values that share it apart.
    private static let lengths: [(base: Int, bits: Int)] =
        ranges(
            from: 3,
            bits: [0, 0, 0, 0, 0, 0, 0, 0] + [1, 2, 3, 4, 5].flatMap { [$0, $0, $0, $0] }
        ).dropLast() + [(227, 5), (258, 0)]
    private static let distances: [(base: Int, bits: Int)] = ranges(
        from: 1,
        bits: [0, 0] + (0...13).flatMap { [$0, $0] }
    )

    private static func ranges(from start: Int, bits: [Int]) -> [(base: Int, bits: Int)] {
        var base = start
        return bits.map { count in
            defer { base += 1 << count }
            return (base, count)
        }
    }

    private static func place(
        of value: Int,
        in table: [(base: Int, bits: Int)]
    ) -> (code: Int, base: Int, bits: Int) {
        var low = 0
        var high = table.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if table[middle].base <= value { low = middle } else { high = middle }
        }
        return (low, table[low].base, table[low].bits)
    }

    /// Codes are written from their highest bit on, all else from its lowest.
    private static func reversed(_ code: UInt64, _ count: UInt64) -> UInt64 {
        var code = code
        var result: UInt64 = 0
        for _ in 0..<count {
            result = result << 1 | code & 1
            code >>= 1
        }
        return result
    }

    private mutating func put(_ value: UInt64, _ count: UInt64) {
        bits |= value << bitCount
        bitCount += count
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }

    private mutating func word(_ value: UInt32) {
        for shift: UInt32 in [0, 8, 16, 24] {
            output.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// The checksum of gzip and zip.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1
        }
    }

    static func of(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xff)] ^ value >> 8 }
        return value ^ 0xffff_ffff
    }
}
