internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// A file of calls, run on a fresh machine and judged at its end: `kheapd run`.
///
/// The file is a JSON array of calls, NDJSON with a call a line, or an object with `machine` and
/// `calls`; the first line of NDJSON may be `{"machine": {…}}`. Calls are those of a batch.
public struct CallFile: ~Copyable {
    /// How the run ended; the raw value is the exit code of the command.
    public enum End: Int32, Sendable {
        case ok = 0
        /// The verdict is bad.
        case bad = 1
        /// The file cannot be run: the last line says why.
        case unusable = 2
    }

    public enum Format: String, CaseIterable, Sendable {
        /// A line of JSON for each call, and one for the verdict.
        case json
        /// The same for people.
        case text
    }

    private let service: Service
    private let format: Format
    private let isQuiet: Bool
    private let scope: VerdictScope
    private let emit: (String) -> Void

    /// - Parameters:
    ///   - configuration: the limits.
    ///   - format: of what is printed.
    ///   - isQuiet: only the verdict is printed, and what makes the file unusable.
    ///   - countsUnreferenced: of the memory that is held at the end, only what no pointer leads to is
    ///     leaked.
    ///   - emit: takes each line, without its line feed.
    public init(
        _ configuration: ServiceConfiguration = .init(),
        format: Format,
        isQuiet: Bool,
        countsUnreferenced: Bool = false,
        emit: @escaping (String) -> Void
    ) {
        service = Service(configuration)
        self.format = format
        self.isQuiet = isQuiet
        scope = VerdictScope(leakRule: countsUnreferenced ? .unreferenced : .held)
        self.emit = emit
    }

    deinit { service.stop() }

    /// Runs the calls of a file's bytes, up to the first that cannot be run.
    public func run(_ bytes: [UInt8]) -> End {
        do throws(Problem) {
            let limit = service.configuration.maximumBatchBytes
            guard bytes.count <= limit else {
                throw Problem(.bodyTooLarge, "a file has at most \(limit) bytes")
            }
            let copied = unsafe bytes.withUnsafeBytes {
                unsafe BodyCopy(ByteSlice($0), from: service.batchBytes)
            }
            guard let body = copied, let parser = JSONParser() else { throw Problem(.outOfMemory) }
            defer { withExtendedLifetime((body, parser)) {} }
            return try run(body.slice, parser)
        } catch {
            show(error)
            return .unusable
        }
    }

    private func run(_ text: ByteSlice, _ parser: JSONParser) throws(Problem) -> End {
        let root: JSONValue
        do throws(Problem) {
            root = try parser.parse(text)
        } catch {
            // Several documents, one a line, are no document.
            guard firstCharacter(of: text) == UInt8(ascii: "{") else { throw error }
            return try runLines(text, parser)
        }
        if root.kind == .object, root.member("call") != nil || root.member("calls") == nil {
            return try runLines(text, parser)
        }
        var description = MachineDescription()
        var list = root
        if root.kind == .object {
            var object = try ObjectReader(root, "a file of calls")
            if let machine = try object.optional("machine") {
                description = try machineReader.read(machine)
            }
            if let calls = try object.optional("calls") { list = calls }
            try object.finish()
        }
        var calls = try list.elements()
        return try run(on: description) { () throws(Problem) in
            calls.next().map { CallFileItem(value: $0, line: nil) }
        }
    }

    private func runLines(_ text: ByteSlice, _ parser: JSONParser) throws(Problem) -> End {
        var lines = LineReader(text)
        var description = MachineDescription()
        var first = try nextItem(&lines, parser)
        if let item = first, item.value.kind == .object, item.value.member("call") == nil {
            do throws(Problem) {
                var object = try ObjectReader(item.value, "the first line")
                if let machine = try object.optional("machine") {
                    description = try machineReader.read(machine)
                }
                try object.finish()
            } catch {
                throw error.inLine(item.line)
            }
            first = nil
            guard lines.hasMore else { return try run(on: description) { nil } }
        }
        return try run(on: description) { () throws(Problem) in
            if let item = first {
                first = nil
                return item
            }
            return try nextItem(&lines, parser)
        }
    }

    private func nextItem(
        _ lines: inout LineReader,
        _ parser: JSONParser
    ) throws(Problem) -> CallFileItem? {
        guard let line = lines.next() else { return nil }
        do throws(Problem) {
            return CallFileItem(value: try parser.parse(line.text), line: line.number)
        } catch {
            throw error.inLine(line.number)
        }
    }

    private var machineReader: MachineReader {
        MachineReader(maximumMemoryBytes: service.configuration.maximumMachineBytes)
    }

    /// Boots the machine, runs what `next` gives, and judges.
    private func run(
        on description: MachineDescription,
        _ next: () throws(Problem) -> CallFileItem?
    ) throws(Problem) -> End {
        let settings = Session.Settings(name: "run", idleTimeout: 0)
        let session = try service.sessions.boot(description, settings)
        var runner = BatchRunner(
            service: service,
            session: session,
            stopsOnError: true,
            extras: [],
            expectedSequence: nil
        )
        return try session.kernel.withLock { (kernel) throws(Problem) -> End in
            while let item = try next() {
                var writer = JSONWriter()
                let goesOn = runner.run(line: item.line, on: &kernel, into: &writer) {
                    () throws(Problem) in item.value
                }
                if runner.itemCount & 63 == 0 {
                    service.sessions.recordGrowth(session.measure(kernel))
                }
                guard goesOn else {
                    // A machine that has died runs nothing more, which its verdict tells.
                    if kernel.isPanicked || kernel.hangReason != nil { break }
                    if let problem = runner.problem { show(problem) }
                    return .unusable
                }
                if !isQuiet { show(writer.text()) }
            }
            return judge(kernel)
        }
    }

    private func judge(_ kernel: borrowing Kernel) -> End {
        let verdict = kernel.verdict(scope, limit: 100)
        switch format {
        case .json:
            var writer = JSONWriter(capacity: 4_096)
            writer.raw("{\"verdict\":")
            writer.verdict(verdict, on: kernel)
            writer.raw("}")
            emit(writer.text())
        case .text:
            for line in VerdictText.lines(of: verdict, on: kernel) { emit(line) }
        }
        return verdict.isOK ? .ok : .bad
    }

    private func show(_ answer: String) {
        switch format {
        case .json: emit(answer)
        case .text: for line in VerdictText.lines(ofAnswer: answer) { emit(line) }
        }
    }

    private func show(_ problem: Problem) {
        switch format {
        case .json:
            var writer = JSONWriter()
            problem.write(to: &writer)
            emit(writer.text())
        case .text:
            let line = problem.line.map { "line \($0): " } ?? ""
            let place = problem.pointer.map { " at \($0)" } ?? ""
            emit("error: \(line)\(problem.type.title)\(place): \(problem.detail)")
        }
    }
}

/// A call of a file, with its line where the file has one for each.
private struct CallFileItem {
    let value: JSONValue
    let line: Int?
}

/// The lines of a text that are not blank.
private struct LineReader {
    private let text: ByteSlice
    private var position = 0
    private var number = 0

    init(_ text: ByteSlice) { self.text = text }

    var hasMore: Bool { firstCharacter(of: text.dropFirst(position)) != nil }

    mutating func next() -> (text: ByteSlice, number: Int)? {
        while position < text.count {
            let end = text.firstIndex(of: UInt8(ascii: "\n"), from: position) ?? text.count
            let line = text[position..<end]
            position = end + 1
            number += 1
            if firstCharacter(of: line) != nil { return (line, number) }
        }
        return nil
    }
}

extension Problem {
    fileprivate func inLine(_ line: Int?) -> Problem {
        var problem = self
        problem.line = line
        return problem
    }
}

extension JSONWriter {
    /// What was written, as text; the writer ends.
    consuming func text() -> String {
        let buffer = finish()
        return unsafe buffer.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
