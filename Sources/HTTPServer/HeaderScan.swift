internal import CHTTPBridge
internal import Glibc

/// What one pass over a request's headers finds: everything that the server itself decides on.
///
/// The library takes more than HTTP allows, and its C strings hide what it took: bytes behind a NUL,
/// folded lines that it joined elsewhere, a line `: v` that it takes for the end. All lines lie one
/// behind the other in its buffer, where each colon and line end has become a NUL. So the scan walks
/// that buffer along with the headers that it is given, and what does not follow closely is refused.
/// Lines that end in a bare LF are refused with it.
@safe
struct HeaderScan {
    private(set) var hostCount = 0
    private(set) var host = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var origin: UnsafeRawBufferPointer?
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var isPreflight = false
    private(set) var requestedHeaders: UnsafeRawBufferPointer?
    private var transferEncodingCount = 0
    private var defect: ServerRefusal?
    /// Where the next line should begin.
    private var cursor: UnsafePointer<CChar>

    /// Scans the headers of the present request.
    ///
    /// - Parameters:
    ///   - connection: Where the library keeps them.
    ///   - start: Behind the request line's version.
    ///   - end: Behind the empty line that ends the headers.
    init(
        _ connection: OpaquePointer,
        from start: UnsafePointer<CChar>,
        to end: UnsafePointer<CChar>
    ) {
        unsafe cursor = unsafe start
        takeLineEnd()
        unsafe withUnsafeMutablePointer(to: &self) { scan in
            _ = unsafe MHD_get_connection_values_n(
                connection,
                .HEADER_KIND,
                { context, _, name, nameCount, value, valueCount in
                    guard let context = unsafe context, let name = unsafe name else {
                        return .NO
                    }
                    guard let value = unsafe value else { return .NO }
                    let scan = unsafe context.assumingMemoryBound(to: HeaderScan.self)
                    unsafe scan.pointee.follow(name, nameCount, value, valueCount)
                    unsafe scan.pointee.take(
                        name: UnsafeRawBufferPointer(start: name, count: nameCount),
                        value: UnsafeRawBufferPointer(
                            start: value,
                            count: HeaderScan.trimmedCount(value, valueCount)
                        )
                    )
                    return .YES
                },
                scan
            )
        }
        takeLineEnd()
        if unsafe cursor != end { defect = defect ?? .malformedHeader }
    }

    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// What is wrong with the headers, if anything.
    func refusal(isHTTP10: Bool) -> ServerRefusal? {
        if let defect { return defect }
        if hostCount > 1 { return .duplicateHost }
        if hostCount == 0 && !isHTTP10 { return .missingHost }
        guard transferEncodingCount > 0 else { return nil }
        if contentLength != nil { return .conflictingLength }
        if transferEncodingCount > 1 || !isChunked || isHTTP10 {
            return .transferEncodingNotImplemented
        }
        return nil
    }

    /// Checks that a header stands where the last one ended, and moves on behind it.
    private mutating func follow(
        _ name: UnsafePointer<CChar>,
        _ nameCount: Int,
        _ value: UnsafePointer<CChar>,
        _ valueCount: Int
    ) {
        guard defect == nil, unsafe name == cursor, unsafe value > name + nameCount else {
            defect = defect ?? .malformedHeader
            return
        }
        // The colon, and the white space that may follow it.
        var between = unsafe name + nameCount + 1
        while unsafe between < value {
            guard unsafe between.pointee == 0x20 || between.pointee == 0x09 else {
                defect = .malformedHeader
                return
            }
            unsafe between += 1
        }
        unsafe cursor = unsafe value + valueCount
        takeLineEnd()
    }

    /// Without the white space behind the value, which the library leaves.
    private static func trimmedCount(_ value: UnsafePointer<CChar>, _ count: Int) -> Int {
        var count = count
        while count > 0, unsafe value[count - 1] == 0x20 || value[count - 1] == 0x09 { count -= 1 }
        return count
    }

    /// The two bytes of CR LF have become NULs.
    private mutating func takeLineEnd() {
        guard defect == nil else { return }
        guard unsafe cursor[0] == 0 && cursor[1] == 0 else {
            defect = .malformedHeader
            return
        }
        unsafe cursor += 2
    }

    private mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard unsafe name.count > 0 && ASCIISet.token.containsAll(name) && Self.isText(value) else {
            defect = defect ?? .malformedHeader
            return
        }
        switch name.count {
        case 4 where unsafe ASCII.equal(name, "host"):
            hostCount &+= 1
            unsafe host = unsafe value
        case 6 where unsafe ASCII.equal(name, "origin"):
            unsafe origin = unsafe value
        case 14 where unsafe ASCII.equal(name, "content-length"):
            unsafe takeContentLength(value)
        case 17 where unsafe ASCII.equal(name, "transfer-encoding"):
            transferEncodingCount &+= 1
            isChunked = unsafe ASCII.equal(value, "chunked")
        case 29 where unsafe ASCII.equal(name, "access-control-request-method"):
            isPreflight = true
        case 30 where unsafe ASCII.equal(name, "access-control-request-headers"):
            unsafe requestedHeaders = unsafe value
        default:
            break
        }
    }

    /// Lengths of 2^63 and above wrap to negative ones in the library.
    private mutating func takeContentLength(_ value: UnsafeRawBufferPointer) {
        guard contentLength == nil else {
            defect = defect ?? .duplicateContentLength
            return
        }
        var length: UInt64 = 0
        for index in 0..<value.count {
            let byte = unsafe value[index]
            guard ASCII.isDigit(byte) else {
                defect = defect ?? .malformedHeader
                return
            }
            guard length < UInt64(Int64.max) / 10 - 1 else {
                defect = defect ?? .bodyTooLarge
                return
            }
            length = length * 10 + UInt64(byte - 48)
        }
        if unsafe value.isEmpty { defect = defect ?? .malformedHeader }
        contentLength = length
    }

    /// Neither NUL, which ends a C string early, nor line ends, which a folded header leaves.
    private static func isText(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let start = value.baseAddress else { return true }
        return unsafe memchr(start, 0, value.count) == nil
            && memchr(start, 10, value.count) == nil
            && memchr(start, 13, value.count) == nil
    }
}
