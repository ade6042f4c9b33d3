import Foundation
import HTTPServer
import Testing

@testable import KernelHeapService

/// Damaged requests of every route, as bytes on a connection.
///
/// `KHEAPD_FUZZ_SEED` repeats a run, `KHEAPD_FUZZ_STEPS` lengthens it.
@Suite("Fuzzing: requests")
struct RequestFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let steps = environment["KHEAPD_FUZZ_STEPS"].flatMap { Int($0) } ?? 250
    private static let seeds: [UInt64] = {
        let fresh =
            environment["KHEAPD_FUZZ_SEED"].flatMap { UInt64($0) }
            ?? UInt64(Date().timeIntervalSince1970)
        print("request fuzzing: fresh seed \(fresh)")
        return [1, fresh]
    }()

    /// What a refused request must leave as it was.
    private struct State: Equatable {
        var sequence: String?
        var texts: [String] = []
    }

    private func state(of session: String, _ service: ServiceFixture) throws -> State {
        var state = State(sequence: try service.send("HEAD", session + "/layout").headers["etag"])
        for file in ["proc/buddyinfo", "proc/zoneinfo", "proc/slabinfo", "proc/meminfo", "dmesg"] {
            let answer = try service.send("GET", "\(session)/\(file)")
            #expect(answer.status == 200)
            state.texts.append(answer.text)
        }
        return state
    }

    /// One damaged request, or a few in a row of which some are damaged.
    private func damagedRequests(
        _ templates: [FuzzRequest],
        _ mutator: inout RequestMutator
    ) -> [FuzzRequest] {
        guard mutator.below(4) == 0 else {
            var request = mutator.pick(templates)
            mutator.damage(&request)
            return [request]
        }
        // Nothing is read behind the beginning of an event stream.
        let plain = templates.filter { $0.route != .events }
        return (0...3).map { _ in
            var request = mutator.pick(plain)
            if mutator.below(2) == 0 { mutator.damage(&request) }
            return request
        }
    }

    /// Sends bytes, and reads until the server closes; an event stream only until it begins.
    ///
    /// - Returns: what came; nil where the server neither answered nor closed.
    private func answers(to bytes: [UInt8], _ service: ServiceFixture) throws -> String? {
        let connection = try TestConnection(port: service.server.port, patienceSeconds: 1)
        connection.send(bytes)
        connection.endSending()
        if let stream = connection.read(until: "Content-Type: text/event-stream") { return stream }
        let text = String(decoding: connection.readToEnd(), as: UTF8.self)
        return connection.isClosedByPeer ? text : nil
    }

    /// The statuses of all final answers; no request holds the text of a status line.
    private func statuses(in text: String) -> [Int] {
        text.components(separatedBy: "HTTP/1.1 ").dropFirst()
            .compactMap { Int($0.prefix(3)) }.filter { $0 >= 200 }
    }

    @Test func `a valid request of every route is answered before the connection ends`() throws {
        let service = try ServiceFixture()
        let templates = FuzzRequest.templates(try service.boot(), spare: try service.boot())

        for request in templates {
            let answer = try #require(try answers(to: request.bytes, service))
            let expected =
                request.route == .unknown || request.method == "DELETE" ? 400..<500 : 200..<300
            let found = statuses(in: answer)
            #expect(found.count == 1 && expected.contains(found[0]), "\(request): \(answer)")
        }
        #expect(Set(templates.map(\.route)) == Set(Route.allCases))
    }

    @Test("damaged requests are refused and leave no trace", arguments: seeds)
    func damaged(seed: UInt64) throws {
        let service = try ServiceFixture { $0.maximumSessions = 2_000 }
        var mutator = RequestMutator(seed: seed)
        let spare = try service.boot()
        var session = try service.boot()
        var before = try state(of: session, service)
        var refused = 0
        var undecided = 0
        for step in 0..<Self.steps {
            let templates = FuzzRequest.templates(session, spare: spare)
            let requests = damagedRequests(templates, &mutator)
            let bytes = requests.flatMap(\.bytes)
            let comment = "seed \(seed), step \(step): \(requests.map(\.summary))"
            guard let answer = try answers(to: bytes, service) else {
                // Whether it ran, or will, cannot be told: another session goes on.
                undecided += 1
                session = try service.boot()
                before = try state(of: session, service)
                continue
            }

            let found = statuses(in: answer)
            let isStrangelyCoded = requests.contains(where: \.hasUnknownCoding)
            for status in found where status >= 500 {
                let isDocumented =
                    status == 501
                    ? isStrangelyCoded : status == 503 && answer.contains("/problems/busy")
                #expect(isDocumented, "\(answer.suffix(1_000))\n\(comment)")
            }
            let isRefused = found.allSatisfy { $0 >= 400 }
            let hasBatch = requests.contains { $0.route == .calls }
            if hasBatch && !(isRefused && found.count >= requests.count) || step % 50 == 49 {
                // A batch goes on when the connection ends, so another session takes its place.
                session = try service.boot()
                before = try state(of: session, service)
            } else if isRefused {
                let after = try state(of: session, service)
                let isUnchanged = after == before
                #expect(isUnchanged, "\(before.sequence ?? "") \(found) \(comment)")
                before = after
                refused += 1
            } else {
                before = try state(of: session, service)
            }
        }
        #expect(undecided < Self.steps / 20)
        #expect(refused > Self.steps / 4)
        #expect(try service.send("GET", "/healthz").text == "ok\n")
    }
}
