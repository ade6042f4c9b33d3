import Foundation

/// The recordings of 32-bit kernels that stand in rows of JSON (`i386/*/*.jsonl`).
public enum I386Recording {
    /// A value of a row.
    public enum Value: Decodable, Hashable, Sendable {
        case number(UInt64)
        case negative(Int64)
        case text(String)
        case other

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(UInt64.self) {
                self = .number(number)
            } else if let number = try? container.decode(Int64.self) {
                self = .negative(number)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .other
            }
        }

        public var number: UInt64? {
            switch self {
            case .number(let number): number
            case .text(let text):
                UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text[...], radix: 16)
            case .negative, .other: nil
            }
        }

        /// A number of 32 bits with its sign.
        public var signed: Int64? {
            switch self {
            case .number(let number): Int64(Int32(truncatingIfNeeded: number))
            case .negative(let number): number
            case .text, .other: nil
            }
        }

        public var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    /// A zone as it was when init began.
    public struct Zone: Decodable, Sendable {
        public let min: Int
        public let low: Int
        public let high: Int
        public let spanned: UInt64
        public let present: UInt64
        public let managed: UInt64
        public let protection: [Int]
        public let pcpHigh: Int?
        public let pcpBatch: Int?
        public let startPfn: UInt64
    }

    /// A recorded boot.
    public struct Boot: Decodable, Sendable {
        public let zonesAtInit: [String: Zone]?
        public let minFreeKbytes: Int?
    }

    /// All boots by folder.
    public static func boots() throws -> [String: Boot] {
        try Recording.decode([String: Boot].self, from: "i386-boots.json")
    }

    /// The rows of a file: `rows("686-1G/conv")`.
    public static func rows(_ path: String) throws -> [[String: Value]] {
        try Recording.bytes("i386/\(path).jsonl").split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode([String: Value].self, from: Data($0))
        }
    }
}

extension I386Recording {
    private struct ZoneRow: Decodable {
        let zone: String
        let lowmem_reserve: [UInt64]
    }

    /// The reserves of each zone once init had run.
    public static func reserves(_ folder: String) throws -> [String: [UInt64]] {
        let rows = try Recording.bytes("i386/\(folder)/zones.jsonl")
            .split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(ZoneRow.self, from: Data($0)) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.zone, $0.lowmem_reserve) })
    }
}

extension I386Recording {
    /// A zone when a series of requests had come to its end.
    public struct Exhausted: Decodable, Sendable {
        public let free: Int
        public let min: Int
        public let lowmemReserveForRequest: Int
        public let boost: Int
        public let eligible: Int
    }

    private struct ExhaustRow: Decodable {
        let exhaust: String
        let gaveUp: Int?
    }

    private struct ExhaustZones: Decodable {
        let DMA: Exhausted
        let Normal: Exhausted
        let HighMem: Exhausted
    }

    /// The states in which the stages of a series gave up, by zone.
    public static func givingUp(_ path: String, test: String) throws -> [[String: Exhausted]] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = try Recording.bytes("i386/\(path).jsonl").split(separator: UInt8(ascii: "\n"))
        return try lines.compactMap { line in
            let row = try decoder.decode(ExhaustRow.self, from: Data(line))
            guard row.exhaust == test, row.gaveUp == 1 else { return nil }
            // Zones keep their names: the strategy leaves a leading capital alone.
            let zones = try decoder.decode(ExhaustZones.self, from: Data(line))
            return ["DMA": zones.DMA, "Normal": zones.Normal, "HighMem": zones.HighMem]
        }
    }
}
