internal import CZlib

/// Reads gzip files, in which the larger recordings are kept, with zlib.
public enum Inflate {
    /// A file that is not gzip, or breaks off.
    public struct Damaged: Error {}

    /// The contents of a gzip file.
    ///
    /// - Parameter file: one gzip member.
    /// - Returns: the decompressed bytes.
    /// - Throws: `Damaged`.
    public static func contents(of file: [UInt8]) throws(Damaged) -> [UInt8] {
        var stream = unsafe z_stream()
        // The largest window, and 16 for a gzip frame.
        let started = unsafe inflateInit2_(
            &stream,
            15 + 16,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else { throw Damaged() }
        defer { unsafe inflateEnd(&stream) }
        var output: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 20)
        var status = Z_OK
        var consumed = 0
        while status == Z_OK {
            var produced = 0
            unsafe file.withUnsafeBufferPointer { source in
                unsafe part.withUnsafeMutableBufferPointer { target in
                    let rest = unsafe source.baseAddress.map { unsafe $0 + consumed }
                    unsafe stream.next_in = UnsafeMutablePointer(mutating: rest)
                    unsafe stream.avail_in = UInt32(clamping: source.count - consumed)
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(clamping: target.count)
                    status = unsafe inflate(&stream, Z_NO_FLUSH)
                    consumed = unsafe source.count - Int(stream.avail_in)
                    produced = unsafe target.count - Int(stream.avail_out)
                }
            }
            output += part[..<produced]
        }
        guard status == Z_STREAM_END else { throw Damaged() }
        return output
    }
}
