public import KernelHeap

/// `dmesg`: the kernel's log with the machine's clock in front of each line.
///
/// The clock is the machine's own: `MachineClock`. The same calls give the same text everywhere.
public enum DmesgText {
    /// The whole text: what the machine said while it booted, then what its calls logged.
    ///
    /// The lines of the boot are the oldest: they are gone once the buffer has dropped others.
    public static func text(of kernel: borrowing Kernel) -> String {
        var text = ""
        if kernel.log.dropped == 0 {
            for message in BootMessages.lines(kernel.bootView()) {
                text += line(message, microseconds: 0) + "\n"
            }
        }
        for (message, time) in zip(kernel.log.lines, kernel.log.times) {
            text += line(message, microseconds: time) + "\n"
        }
        return text
    }

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
