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
        /// Bytes not copied, or the truth of `access_ok()`; an error number is negative, as its bits.
        public let ret: UInt64
        /// What `get_user()` put into the kernel's variable, in hexadecimal.
        public let value: String?
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
        /// The function without what the recorder did around it.
        public var function: Substring { fn.prefix { $0 != "/" } }
        /// Between `pagefault_disable()` and `pagefault_enable()`.
        public var isWithoutFaults: Bool { fn.hasSuffix("/pagefault_disabled") }

        private enum Keys: String, CodingKey {
            case fn, base, addr, len, ret, value, kernChanged, kernZeroed, kernFirstZero
            case userChanged, userFirst, userLast
        }

        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Keys.self)
            func number(_ key: Keys) throws -> UInt64? {
                if let signed = try? fields.decode(Int64.self, forKey: key) {
                    return UInt64(bitPattern: signed)
                }
                return try fields.decodeIfPresent(UInt64.self, forKey: key)
            }
            fn = try fields.decode(String.self, forKey: .fn)
            base = try fields.decode(String.self, forKey: .base)
            addr = try fields.decode(String.self, forKey: .addr)
            len = try number(.len) ?? 0
            ret = try number(.ret) ?? 0
            value = try fields.decodeIfPresent(String.self, forKey: .value)
            kernChanged = try number(.kernChanged) ?? 0
            kernZeroed = try number(.kernZeroed)
            kernFirstZero = try number(.kernFirstZero)
            userChanged = try number(.userChanged) ?? 0
            userFirst = try number(.userFirst)
            userLast = try number(.userLast)
        }
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
    /// Every call, in the recorder's order.
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
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        cases =
            try lines
            .filter { $0.hasPrefix("{") }
            .map { try decoder.decode(Case.self, from: Data($0.utf8)) }
    }
}
