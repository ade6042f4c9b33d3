internal import Foundation

/// Page-table entries and faults of a real i386 kernel, in the order in which they were seen.
public enum PageWalkRecording {
    /// A line of `kwalk.jsonl` or `uwalk.jsonl`: a walk, a fault, or something else.
    public struct Line: Decodable, Sendable {
        public let walk: String?
        public let va: String?
        public let pgdFlags: String?
        public let pmdFlags: String?
        public let pteFlags: String?
        /// The lowest entry: `0xfffffc0310160`.
        public let pte: String?
        public let pfn: UInt64?
        public let fault: String?
        public let signal: Int?
        public let siCode: Int?
        public let errorCode: UInt32?

        /// The address walked.
        public var address: UInt64 { va.flatMap { UInt64($0.dropFirst(2), radix: 16) } ?? 0 }

        /// The bits of each level, upper first; a large page ends them.
        public var levels: [String] { [pgdFlags, pmdFlags, pteFlags].compactMap(\.self) }
    }

    /// The lines of a file of a recorded machine.
    public static func lines(_ machine: String, _ file: String) throws -> [Line] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try Recording.text("i386/\(machine)/\(file).jsonl")
            .split(separator: "\n")
            .map { try decoder.decode(Line.self, from: Data($0.utf8)) }
    }

    /// The walks of a file by what they say they are; the first of each name.
    public static func walks(_ machine: String, _ file: String) throws -> [String: Line] {
        let walks = try lines(machine, file).compactMap { line in line.walk.map { ($0, line) } }
        return Dictionary(walks, uniquingKeysWith: { first, _ in first })
    }

    /// The faults of a file by what was tried.
    public static func faults(_ machine: String) throws -> [String: Line] {
        let faults = try lines(machine, "uwalk").compactMap { line in
            line.fault.map { ($0, line) }
        }
        return Dictionary(faults, uniquingKeysWith: { first, _ in first })
    }
}
