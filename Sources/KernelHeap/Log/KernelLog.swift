/// The kernel's ring buffer: what `dmesg` shows.
public struct KernelLog: Sendable {
    /// Lines without time stamps, oldest first.
    public private(set) var lines: [String] = []

    mutating func append(_ line: String) { lines.append(line) }
}
