import Foundation

/// What real kernels did with copies to and from user space (`usercopy/*.jsonl`).
///
/// The recorder maps a window of pages of different kinds and one page at the very top of user
/// space, runs one function on one address and length, and compares both sides with what they held.
public struct UserCopyTable: Sendable {
    /// What a page of the window is.
    public enum PageKind: Character, Sendable {
        /// Readable and writable, and written before.
        case written = "w"
        /// Written, then made read-only.
        case readOnly = "r"
        /// Without any access: `PROT_NONE`.
        case none = "n"
        /// Readable and writable, never touched.
        case untouched = "u"
        /// Holds the recorder's strings.
        case strings = "s"
    }

    /// One recorded call.
    public struct Case: Decodable, Sendable {
        public let fn: String
        /// The recorder's name of the address.
        public let base: String
        /// Hexadecimal.
        public let addr: String
        public let len: UInt64
        /// Bytes not copied, or the truth of `access_ok()`.
        public let ret: UInt64
        /// Bytes of the kernel buffer that differ afterwards.
        public let kernChanged: UInt64
        /// Bytes of the kernel buffer that are zero afterwards; nil where none changed.
        public let kernZeroed: UInt64?
        /// Where the first of them stands.
        public let kernFirstZero: UInt64?
        /// Bytes of the window that differ afterwards; the page at the top is not looked at.
        public let userChanged: UInt64
        /// The first and the last of them, from the window's start.
        public let userFirst: UInt64?
        public let userLast: UInt64?

        public var address: UInt64 { UInt64(addr.dropFirst(2), radix: 16) ?? 0 }
    }

    /// A recording whose first line cannot be read.
    public struct BadHeader: Error { public let line: String }

    public static let names = ["usercopy", "usercopy-erms-smap"]

    /// First address of the window.
    public let start: UInt64
    /// Address of the written page that ends where user space ends.
    public let topPage: UInt64
    /// Pages by their number in the window; the others are holes.
    public let window: [(page: UInt64, kind: PageKind)]
    /// The calls of `access_ok`, `copy_to_user` and `copy_from_user`.
    public let cases: [Case]

    /// Every recording, read once.
    private static let all = Result {
        try Dictionary(uniqueKeysWithValues: names.map { ($0, try UserCopyTable(reading: $0)) })
    }

    /// A recording by name.
    public static func named(_ name: String) throws -> UserCopyTable {
        guard let table = try all.get()[name] else { throw BadHeader(line: name) }
        return table
    }

    private init(reading name: String) throws {
        let lines = try Recording.text("usercopy/\(name).jsonl").split(separator: "\n")
        let header = lines.first.map(String.init) ?? ""
        let parts = header.split(separator: " ")
        func number(_ key: String) -> UInt64? {
            parts.first { $0.hasPrefix(key) }
                .flatMap { UInt64($0.dropFirst(key.count).replacing("0x", with: ""), radix: 16) }
        }
        guard let start = number("base="), let topPage = number("top_page_map="),
            let layout = parts.firstIndex(of: "layout:")
        else { throw BadHeader(line: header) }
        self.start = start
        self.topPage = topPage
        window = try parts[(layout + 1)...].map { word in
            guard let page = UInt64(word.dropLast()),
                let kind = word.last.flatMap(PageKind.init(rawValue:))
            else { throw BadHeader(line: header) }
            return (page, kind)
        }
        let openings = ["access_ok", "copy_to_user", "copy_from_user"].map { "{\"fn\":\"\($0)\"" }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        cases =
            try lines
            .filter { line in openings.contains { line.hasPrefix($0) } }
            .map { try decoder.decode(Case.self, from: Data($0.utf8)) }
    }
}
