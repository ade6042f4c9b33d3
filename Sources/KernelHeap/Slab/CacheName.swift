/// A cache's name as text files and log lines show it.
///
/// A name may hold any characters but NUL. Spaces, controls, backslashes and what is not ASCII are
/// written as octal bytes, as `/proc/mounts` does, so that a name can never pass for a column or a
/// line of its own.
public enum CacheName {
    /// Most bytes: `NAME_MAX`, for a cache is a directory under `/sys/kernel/slab/`.
    public static let limit = 255

    /// The name without anything that a reader could take for something else.
    public static func escaped(_ name: String) -> String {
        if name.utf8.allSatisfy(isPlain) { return name }
        var text = ""
        for byte in name.utf8 {
            if isPlain(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let octal = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\\")
    }
}
