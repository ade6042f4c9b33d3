internal import CSimdJSON
internal import HTTPServer

/// Reads JSON texts into values, with simdjson underneath.
///
/// A parser holds one document at a time: the next one ends the values of the last. Each server
/// thread has a parser of its own for the requests it answers at once; work that goes on after the
/// handler has returned takes a parser of its own.
@safe
final class JSONParser {
    /// No document nests deeper.
    static let maximumDepth: UInt32 = 32
    /// Numbers, texts, arrays and objects in one document.
    static let maximumValues: UInt32 = 1 << 20
    /// The same for a thread's own parser, which keeps its memory.
    static let maximumThreadValues: UInt32 = 1 << 16
    /// Readable bytes that must follow every text.
    static let padding = Int(CSIMD_PADDING)

    private let handle: OpaquePointer
    private let isOwned: Bool

    /// A parser of its own, or nil when memory is short.
    init?() {
        guard let handle = unsafe csimd_parser_create() else { return nil }
        unsafe self.handle = handle
        isOwned = true
    }

    private init(borrowing handle: OpaquePointer) {
        unsafe self.handle = handle
        isOwned = false
    }

    deinit {
        if isOwned { unsafe csimd_parser_destroy(handle) }
    }

    /// Reads a document with the calling thread's parser.
    ///
    /// - Parameter text: the document; `padding` readable bytes follow it.
    /// - Returns: the root; valid until the thread reads another document.
    /// - Throws: `Problem` where the text is no JSON.
    static func parseOnThread(_ text: ByteSlice) throws(Problem) -> JSONValue {
        guard let handle = unsafe csimd_thread_parser() else { throw Problem(.outOfMemory) }
        return try unsafe parse(text, handle, maximumThreadValues)
    }

    /// Reads a document; the root is valid until the next one.
    func parse(_ text: ByteSlice) throws(Problem) -> JSONValue {
        try unsafe JSONParser.parse(text, handle, JSONParser.maximumValues)
    }

    private static func parse(
        _ text: ByteSlice,
        _ handle: OpaquePointer,
        _ valueLimit: UInt32
    ) throws(Problem) -> JSONValue {
        let status = unsafe text.withUnsafeBytes { bytes in
            unsafe csimd_parse(
                handle,
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                bytes.count,
                maximumDepth,
                valueLimit
            )
        }
        guard status == UInt32(CSIMD_OK), let nodes = unsafe csimd_nodes(handle) else {
            throw malformed(status, offset: unsafe csimd_error_offset(handle))
        }
        return unsafe JSONValue(nodes: nodes, index: 0)
    }

    private static func malformed(_ status: UInt32, offset: Int) -> Problem {
        let place = offset > 0 ? " near byte \(offset)" : ""
        let reason =
            switch Int(status) {
            case Int(CSIMD_EMPTY): "the body is empty"
            case Int(CSIMD_NOT_UTF8): "the body is not UTF-8"
            case Int(CSIMD_TOO_DEEP): "nested deeper than \(maximumDepth)"
            case Int(CSIMD_TOO_MANY): "too many values"
            case Int(CSIMD_TRAILING): "something follows the document\(place)"
            case Int(CSIMD_BAD_NUMBER): "a malformed number\(place)"
            case Int(CSIMD_BAD_STRING): "a malformed string\(place)"
            case Int(CSIMD_NO_MEMORY): "no memory to read it"
            default: "a syntax error\(place)"
            }
        return Problem(.malformedJSON, "not JSON: \(reason)")
    }
}

/// A value of a parsed document, valid as long as the document is.
@safe
struct JSONValue {
    enum Kind: UInt32 {
        case null, yes, no, unsigned, negative, big, fraction, string, array, object

        /// The kind in words, for problems.
        var name: String {
            switch self {
            case .null: "null"
            case .yes, .no: "a boolean"
            case .unsigned, .negative, .big: "a number"
            case .fraction: "a number with a fraction or exponent"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        }
    }

    private let nodes: UnsafePointer<csimd_node>
    let index: Int

    init(nodes: UnsafePointer<csimd_node>, index: Int) {
        unsafe self.nodes = nodes
        self.index = index
    }

    @inline(__always)
    private var node: csimd_node { unsafe nodes[index] }

    var kind: Kind { unsafe Kind(rawValue: node.kind) ?? .null }
    /// The member's name inside an object.
    var key: ByteSlice { unsafe ByteSlice(node.key, count: Int(node.key_length)) }
    /// A string's content, or the digits of a number.
    var text: ByteSlice { unsafe ByteSlice(node.text, count: Int(node.text_length)) }
    /// The whole number, negative ones as two's complement; meaningful for `.unsigned`
    /// and `.negative`.
    var number: UInt64 { unsafe node.number }
    /// Members of an object or elements of an array.
    var count: Int {
        switch kind {
        case .array, .object: Int(truncatingIfNeeded: number)
        default: 0
        }
    }
    var children: Children {
        let hasChildren = kind == .array || kind == .object
        return unsafe Children(nodes: nodes, position: index + 1, end: hasChildren ? end : 0)
    }
    fileprivate var end: Int { unsafe Int(node.next) }

    /// The first member of that name.
    func member(_ name: StaticString) -> JSONValue? {
        for child in children where child.key == name { return child }
        return nil
    }

    /// The place in the document, `/machine/zones/0/name`.
    ///
    /// Walks from the root, for problems only.
    var pointer: String {
        var path = ""
        var here = unsafe JSONValue(nodes: nodes, index: 0)
        while here.index != index {
            var position = 0
            var inside: JSONValue?
            for child in here.children {
                if child.index <= index && index < child.end {
                    inside = child
                    break
                }
                position += 1
            }
            guard let inside else { return path }
            path += "/" + (here.kind == .object ? escapedKey(inside.key) : String(position))
            here = inside
        }
        return path
    }

    /// The value as the client wrote it, shortened for a problem's detail.
    var shown: String {
        switch kind {
        case .null: "null"
        case .yes: "true"
        case .no: "false"
        case .unsigned: String(number)
        case .negative: String(Int64(bitPattern: number))
        case .big, .fraction: shortened(text)
        case .string: "\"" + shortened(text) + "\""
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The children in the document's order.
    @safe
    struct Children: Sequence, IteratorProtocol {
        fileprivate let nodes: UnsafePointer<csimd_node>
        fileprivate var position: Int
        fileprivate let end: Int

        mutating func next() -> JSONValue? {
            guard position < end else { return nil }
            let child = unsafe JSONValue(nodes: nodes, index: position)
            position = child.end
            return child
        }
    }
}

/// A key as a token of a JSON pointer.
private func escapedKey(_ key: ByteSlice) -> String {
    var token = ""
    for character in shortened(key) {
        switch character {
        case "~": token += "~0"
        case "/": token += "~1"
        default: token.append(character)
        }
    }
    return token
}

/// At most 64 bytes of a client's text, for a problem's detail.
func shortened(_ text: ByteSlice) -> String {
    text.count <= 64 ? String(text) : String(text[0..<64]) + "…"
}
