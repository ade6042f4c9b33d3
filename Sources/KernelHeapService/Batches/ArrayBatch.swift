internal import HTTPServer
internal import KernelHeap
internal import Synchronization

/// A batch whose body and answer are JSON arrays.
///
/// Unchecked: the pool runs one slice at a time, and its queue orders a slice after the last.
final class ArrayBatch: Job, @unchecked Sendable {
    /// The answer is held in memory until it is complete; longer batches belong into NDJSON.
    static let maximumAnswerBytes = 64 << 20

    let response = DeferredResponse()
    private let completion: Completion
    private let body: BodyCopy
    private let parser: JSONParser
    private var items: JSONValue.Children
    private var runner: BatchRunner
    private var writer: JSONWriter?
    private var isFirst = true

    init(
        _ runner: BatchRunner,
        _ completion: Completion,
        _ body: BodyCopy,
        _ parser: JSONParser
    ) throws(Problem) {
        self.runner = runner
        self.completion = completion
        self.body = body
        self.parser = parser
        let root = try parser.parse(body.slice)
        guard root.kind == .array else {
            var problem = Problem(.wrongType, "a batch must be an array of calls", at: "")
            problem.valid = ["[{\"call\": …}, …]", "NDJSON as application/x-ndjson"]
            throw problem
        }
        items = root.children
        writer = JSONWriter(capacity: min(root.count * 128 + 64, 1 << 20))
        runner.session.beginJob()
    }

    deinit { runner.session.endJob() }

    func runSlice() -> JobProgress {
        guard var writer = writer.take() else { return .finished }
        let isOver = runner.session.kernel.withLock { kernel in
            let isOver = runItems(on: &kernel, into: &writer)
            runner.service.sessions.recordGrowth(runner.session.measure(kernel))
            return isOver
        }
        switch isOver {
        case .more:
            self.writer = consume writer
            return .again
        case .refused(let problem):
            finish(problem.response())
        case .over:
            writer.raw(isFirst ? "[]" : "\n]")
            finish(runner.service.json(writer))
        }
        return .finished
    }

    private enum SliceEnd {
        case more, over
        case refused(Problem)
    }

    private func runItems(on kernel: inout Kernel, into writer: inout JSONWriter) -> SliceEnd {
        do throws(Problem) {
            try runner.service.check(kernel, expects: runner.expectedSequence)
        } catch {
            return .refused(error)
        }
        runner.expectedSequence = nil
        let end = Clock.monotonic() &+ BatchRunner.sliceNanoseconds
        for count in 1...BatchRunner.sliceCalls {
            guard let item = items.next() else { return .over }
            writer.raw(isFirst ? "[\n" : ",\n")
            isFirst = false
            let goesOn = runner.run(line: nil, on: &kernel, into: &writer) { item }
            guard goesOn else { return .over }
            guard writer.count <= ArrayBatch.maximumAnswerBytes else {
                writer.raw(",\n")
                Problem(.batchTooLong, "the answer is too long; send the rest as NDJSON")
                    .write(to: &writer)
                return .over
            }
            if count % 8 == 0, Clock.monotonic() > end { break }
        }
        return .more
    }

    private func finish(_ answer: consuming Response) {
        completion.finish(answer)
        response.complete(with: answer)
    }
}
