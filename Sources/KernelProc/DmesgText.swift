/// `dmesg`: the kernel's log with the machine's clock in front of each line.
public enum DmesgText {
    /// A line as `dmesg` prints it.
    ///
    /// - Parameters:
    ///   - line: the message without its time.
    ///   - microseconds: the machine's clock when it was logged, since boot.
    /// - Returns: `[    1.002003] message`, without a line feed.
    public static func line(_ line: String, microseconds: UInt64) -> String {
        var text = "["
        text.append(microseconds / 1_000_000, right: 5)
        text += "."
        let fraction = String(microseconds % 1_000_000)
        text.append(contentsOf: repeatElement("0", count: 6 - fraction.utf8.count))
        text += fraction + "] " + line
        return text
    }
}
