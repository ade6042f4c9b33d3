internal import Foundation

/// The descriptor tables and segment registers of a booted i386 kernel: `gdt.jsonl`.
public struct SegmentRecording: Sendable {
    /// A line: an entry of the GDT or IDT, or a set of registers.
    public struct Line: Decodable, Sendable {
        public let gdt: Int?
        public let selector: String?
        public let raw: String?
        public let base: String?
        public let limit: String?
        public let byteLimit: String?
        public let g: Int?
        public let p: Int?
        public let dpl: Int?
        public let s: Int?
        public let type: Int?
        public let db: Int?
        public let l: Int?
        public let avl: Int?
        public let meaning: String?
        public let gdtrBase: String?
        public let gdtrLimit: String?
        public let tr: String?
        public let ldtr: String?
        public let cs: String?
        public let ds: String?
        public let es: String?
        public let fs: String?
        public let gs: String?
        public let ss: String?
        public let cpl: Int?
    }

    public let lines: [Line]

    public static let machines = [
        "686-512M", "686-1G", "686-1G-amd", "686-3G", "686-4G", "pae-1G", "pae-4G",
    ]

    public init(_ machine: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        lines = try Recording.text("i386/\(machine)/gdt.jsonl")
            .split(separator: "\n")
            .map { try decoder.decode(Line.self, from: Data($0.utf8)) }
    }

    /// The entries of the GDT, in order.
    public var descriptors: [Line] { lines.filter { $0.gdt != nil } }
    public var tables: Line? { lines.first { $0.gdtrBase != nil } }
    /// Registers of the kernel, and of a program.
    public func registers(cpl: Int) -> Line? { lines.first { $0.cpl == cpl } }

    /// The number behind `0x`.
    public static func number(_ text: String?) -> UInt64? {
        text.flatMap { UInt64($0.dropFirst(2), radix: 16) }
    }
}
