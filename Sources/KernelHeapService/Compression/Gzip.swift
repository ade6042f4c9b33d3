internal import CZlib

/// Compresses answers with zlib, as gzip files (RFC 1952).
enum Gzip {
    /// Higher levels save little of JSON and scripts, and take several times as long.
    private static let level: Int32 = 4
    /// The largest window, and 16 for a gzip frame in place of zlib's own.
    private static let windowBits: Int32 = 15 + 16
    private static let memoryLevel: Int32 = 8

    /// The input as a gzip file; nil where zlib has no memory for it.
    static func compress(_ input: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        let started = unsafe deflateInit2_(
            &stream,
            level,
            Z_DEFLATED,
            windowBits,
            memoryLevel,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else { return nil }
        defer { unsafe deflateEnd(&stream) }
        let room = unsafe Int(clamping: deflateBound(&stream, UInt(input.count)))
        var isWhole = false
        let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe input.withUnsafeBufferPointer { source in
                // zlib reads through a pointer that its header has not marked as constant.
                unsafe stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.avail_in = UInt32(clamping: source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(clamping: target.count)
                isWhole = unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END
            }
            unsafe count = Int(clamping: stream.total_out)
        }
        return isWhole ? output : nil
    }
}
