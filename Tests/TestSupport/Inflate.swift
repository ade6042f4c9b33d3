/// Reads gzip files, in which the larger recordings are kept.
///
/// A decoder of DEFLATE (RFC 1951) inside the gzip frame (RFC 1952), bit by bit through canonical
/// code tables. The frame's checksum is not compared: a damaged recording fails its test anyway.
struct Inflate {
    /// A file that is not gzip, or breaks off.
    struct Damaged: Error {}

    private let input: [UInt8]
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private var output: [UInt8] = []

    /// The contents of a gzip file.
    ///
    /// - Parameter file: one gzip member without optional header fields.
    /// - Returns: the decompressed bytes.
    /// - Throws: `Damaged`.
    static func contents(of file: [UInt8]) throws(Damaged) -> [UInt8] {
        guard file.count > 18, file[0] == 0x1f, file[1] == 0x8b, file[2] == 8, file[3] == 0 else {
            throw Damaged()
        }
        var inflate = Inflate(input: file, position: 10)
        try inflate.run()
        return inflate.output
    }

    private init(input: [UInt8], position: Int) {
        self.input = input
        self.position = position
    }

    private mutating func run() throws(Damaged) {
        var isLast = false
        while !isLast {
            isLast = try take(1) == 1
            switch try take(2) {
            case 0: try copyStored()
            case 1: try decodeBlock(literals: .fixedLiterals, distances: .fixedDistances)
            case 2:
                let tables = try readTables()
                try decodeBlock(literals: tables.literals, distances: tables.distances)
            default: throw Damaged()
            }
        }
    }

    private mutating func take(_ count: UInt32) throws(Damaged) -> Int {
        while bitCount < count {
            guard position < input.count else { throw Damaged() }
            bits |= UInt32(input[position]) << bitCount
            position += 1
            bitCount += 8
        }
        let value = bits & ((1 << count) - 1)
        bits >>= count
        bitCount -= count
        return Int(value)
    }

    private mutating func copyStored() throws(Damaged) {
        bits = 0
        bitCount = 0
        guard position + 4 <= input.count else { throw Damaged() }
        let length = Int(input[position]) | Int(input[position + 1]) << 8
        position += 4
        guard position + length <= input.count else { throw Damaged() }
        output += input[position..<position + length]
        position += length
    }

    private mutating func symbol(_ table: CodeTable) throws(Damaged) -> Int {
        var code = 0
        var first = 0
        var index = 0
        for length in 1..<16 {
            code |= try take(1)
            let count = table.counts[length]
            if code - count < first { return table.symbols[index + code - first] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw Damaged()
    }

    private mutating func decodeBlock(
        literals: CodeTable,
        distances: CodeTable
    ) throws(Damaged) {
        while true {
            let literal = try symbol(literals)
            if literal < 256 {
                output.append(UInt8(literal))
                continue
            }
            if literal == 256 { return }
            guard literal <= 285 else { throw Damaged() }
            let length = try length(literal - 257)
            let slot = try symbol(distances)
            guard slot < 30 else { throw Damaged() }
            let extra = slot < 4 ? 0 : slot / 2 - 1
            let base = slot < 4 ? slot + 1 : ((2 + slot & 1) << extra) + 1
            let distance = try base + take(UInt32(extra))
            guard distance <= output.count else { throw Damaged() }
            let start = output.count - distance
            for offset in 0..<length { output.append(output[start + offset]) }
        }
    }

    private mutating func length(_ slot: Int) throws(Damaged) -> Int {
        if slot < 8 { return slot + 3 }
        if slot == 28 { return 258 }
        let extra = slot / 4 - 1
        return try ((4 + slot & 3) << extra) + 3 + take(UInt32(extra))
    }

    private mutating func readTables() throws(Damaged) -> (
        literals: CodeTable, distances: CodeTable
    ) {
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let lengthCount = try take(4) + 4
        let places = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var lengthLengths = [Int](repeating: 0, count: 19)
        for place in places.prefix(lengthCount) { lengthLengths[place] = try take(3) }
        let lengthTable = CodeTable(lengths: lengthLengths)
        var lengths: [Int] = []
        while lengths.count < literalCount + distanceCount {
            switch try symbol(lengthTable) {
            case let length where length < 16: lengths.append(length)
            case 16:
                guard let last = lengths.last else { throw Damaged() }
                lengths += try [Int](repeating: last, count: take(2) + 3)
            case 17: lengths += try [Int](repeating: 0, count: take(3) + 3)
            default: lengths += try [Int](repeating: 0, count: take(7) + 11)
            }
        }
        return (
            CodeTable(lengths: Array(lengths[..<literalCount])),
            CodeTable(lengths: Array(lengths[literalCount...]))
        )
    }
}

/// A canonical Huffman code: how many codes each length has, and the symbols in code order.
private struct CodeTable {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int]

    init(lengths: [Int]) {
        for length in lengths where length > 0 { counts[length] += 1 }
        var next = [Int](repeating: 0, count: 17)
        for length in 1..<16 { next[length + 1] = next[length] + counts[length] }
        symbols = [Int](repeating: 0, count: lengths.count)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            symbols[next[length]] = symbol
            next[length] += 1
        }
    }

    static let fixedLiterals = CodeTable(
        lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
    )
    static let fixedDistances = CodeTable(lengths: [Int](repeating: 5, count: 30))
}
