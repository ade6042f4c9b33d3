import ArgumentParser
import KernelHeapService

#if canImport(Glibc)
    import Glibc
#endif

/// `kheapd run`: a file of calls on a fresh machine, without a server.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a file of calls on a fresh machine and judge it.",
        discussion: """
            FILE is a JSON array of calls, NDJSON with a call a line, or an object with "machine" and \
            "calls". Each call is {"call": "kmalloc", "as": "p", "size": 64, "flags": "GFP_KERNEL"}; \
            later ones use its result as "$p". Exit codes: 0 the verdict is good, 1 it is bad, 2 the \
            file cannot be run.
            """
    )

    @Argument(help: "The file, or - for the standard input.")
    var file: String

    @Option(help: "json: a line of JSON for each call and for the verdict; text: for people.")
    var format = "json"

    @Flag(help: "Print the verdict only.")
    var quiet = false

    @Flag(help: "Of the memory held at the end, count only what no pointer leads to as leaked.")
    var unreferenced = false

    @OptionGroup(title: "Limits") var limits: LimitOptions

    func validate() throws {
        guard CallFile.Format(rawValue: format) != nil else {
            throw ValidationError("There is no format \"\(format)\".")
        }
        try limits.validate()
    }

    func run() throws {
        guard let bytes = CallFileBytes.read(file, limit: limits.maxBatchBytes) else {
            CallFileBytes.complain("kheapd run: cannot read \(file)")
            throw ExitCode(CallFile.End.unusable.rawValue)
        }
        let calls = CallFile(
            limits.service,
            format: CallFile.Format(rawValue: format) ?? .json,
            isQuiet: quiet,
            countsUnreferenced: unreferenced
        ) { print($0) }
        let end = calls.run(bytes)
        fflush(nil)
        guard end == .ok else { throw ExitCode(end.rawValue) }
    }
}

/// Reading the file of a run.
private enum CallFileBytes {
    /// The bytes of a file.
    ///
    /// - Parameters:
    ///   - path: `-` is the standard input.
    ///   - limit: bytes behind which reading stops: one more is read, so that the run refuses it.
    /// - Returns: nil where the file cannot be read.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { if descriptor != 0 { close(descriptor) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    static func complain(_ text: String) {
        var line = text + "\n"
        line.withUTF8 { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
    }
}
