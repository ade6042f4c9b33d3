internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// A batch of NDJSON: one call a line, answered line by line as a stream.
///
/// Unchecked: the pool runs one slice at a time, and its queue orders a slice after the last.
final class LineBatch: Job, @unchecked Sendable {
    let stream: BatchStream
    private let completion: Completion
    private let body: BodyCopy
    private let parser: JSONParser
    private var runner: BatchRunner
    private var position = 0
    private var line = 0

    init(
        _ runner: BatchRunner,
        _ completion: Completion,
        _ body: BodyCopy,
        _ parser: JSONParser
    ) {
        self.runner = runner
        self.completion = completion
        self.body = body
        self.parser = parser
        stream = BatchStream()
        runner.session.beginJob()
    }

    deinit { runner.session.endJob() }

    func runSlice() -> JobProgress {
        guard !stream.isClosed else { return finish() }
        var writer = JSONWriter(capacity: 32 << 10)
        let isOver = runner.session.kernel.withLock { kernel in
            let isOver = runLines(on: &kernel, into: &writer)
            runner.service.sessions.recordGrowth(runner.session.measure(kernel))
            return isOver
        }
        if isOver {
            stream.append(writer.finish(), isLast: true)
            return finish()
        }
        return stream.append(writer.finish(), isLast: false) || !stream.park(self, runner.service)
            ? .again : .parked
    }

    private func finish() -> JobProgress {
        completion.finishStream()
        return .finished
    }

    private func runLines(on kernel: inout Kernel, into writer: inout JSONWriter) -> Bool {
        let end = Clock.monotonic() &+ BatchRunner.sliceNanoseconds
        for count in 1...BatchRunner.sliceCalls {
            guard let text = nextLine() else { return true }
            let expected = runner.expectedSequence
            runner.expectedSequence = nil
            let current = kernel.sequence
            let goesOn = runner.run(line: line, on: &kernel, into: &writer) {
                () throws(Problem) in
                if let expected, expected != current {
                    throw Problem(.sequenceMismatch, "the session is at \"\(current)\"")
                }
                return try parser.parse(text)
            }
            writer.raw("\n")
            guard goesOn else { return true }
            if count % 8 == 0, Clock.monotonic() > end { break }
        }
        return false
    }

    /// The next line that is not blank, without its end.
    private func nextLine() -> ByteSlice? {
        let text = body.slice
        while position < text.count {
            let end = text.firstIndex(of: UInt8(ascii: "\n"), from: position) ?? text.count
            let found = text[position..<end]
            position = end + 1
            line += 1
            if firstCharacter(of: found) != nil { return found }
        }
        return nil
    }
}
