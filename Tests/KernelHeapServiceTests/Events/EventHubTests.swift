import HTTPServer
import KernelHeap
import Synchronization
import Testing

@testable import KernelHeapService

@Suite("Event hub")
struct EventHubTests {
    /// What a stream says now; nil when it ended.
    private func drain(_ stream: EventStream, room: Int = 4_096) -> String? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: room)
        while true {
            switch unsafe buffer.withUnsafeMutableBytes({ unsafe stream.read(into: $0) }) {
            case .bytes(let count): text += String(decoding: buffer[..<count], as: UTF8.self)
            case .pause: return text
            case .end: return text.isEmpty ? nil : text
            }
        }
    }

    private func publish(_ text: String, to hub: EventHub) {
        hub.publish("call") { $1.append(text) }
    }

    private func tick(_ hub: EventHub, atSecond second: Double = 0) {
        _ = hub.tick(at: .seconds(second))
    }

    @Test func `events are visible after a tick, with id, type and data`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        publish("nobody listens", to: hub)
        let stream = try #require(hub.subscribe())
        ticker.stop()

        publish("{\"a\":1}", to: hub)
        let before = drain(stream)
        tick(hub)

        #expect(before == "retry: 2000\n\n")
        #expect(drain(stream) == "id: 2\nevent: call\ndata: {\"a\":1}\n\n")
        #expect(drain(stream) == "")
    }

    @Test func `how far a call is has no id, and is told until the call has ended`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        _ = drain(stream)

        hub.note(CallProgress(call: 1, function: "kmemleak_scan", done: 10, total: 30))
        hub.note(CallProgress(call: 1, function: "kmemleak_scan", done: 20, total: 30))
        tick(hub)
        let newest = drain(stream)
        let again = drain(stream)
        hub.note(CallProgress(call: 1, function: "kmemleak_scan", done: 30, total: 30))
        publish("{\"seq\":1}", to: hub)
        tick(hub)

        #expect(
            newest == "event: progress\n"
                + "data: {\"seq\":1,\"call\":\"kmemleak_scan\",\"done\":20,\"total\":30}\n\n"
        )
        #expect(again == "" && drain(stream) == "id: 1\nevent: call\ndata: {\"seq\":1}\n\n")
    }

    @Test func `data is not written while nobody listens`() {
        let hub = EventHub(ticker: EventTicker())
        var writes = 0

        hub.publish("call") { _, _ in writes += 1 }

        #expect(writes == 0)
        #expect(hub.nextID == 2)
    }

    @Test func `each detail is written once, whatever the number of its readers`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let first = try #require(hub.subscribe())
        let second = try #require(hub.subscribe(.summary))
        ticker.stop()
        var written: [EventDetail] = []
        hub.publish("call") { detail, data in
            written.append(detail)
            data.append("\(detail)")
        }
        let third = try #require(hub.subscribe(.full))

        hub.publish("call") { detail, data in
            written.append(detail)
            data.append("\(detail)")
        }
        tick(hub)

        let summaries = (1...2).map { "id: \($0)\nevent: call\ndata: summary\n\n" }.joined()
        #expect(written == [.summary, .summary, .full])
        #expect(drain(first) == "retry: 2000\n\n" + summaries)
        #expect(drain(second) == "retry: 2000\n\n" + summaries)
        #expect(drain(third) == "retry: 2000\n\nid: 2\nevent: call\ndata: full\n\n")
    }

    @Test func `events of before a detail was asked for are a gap in it`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let first = try #require(hub.subscribe())
        ticker.stop()
        for number in 1...3 { publish("\(number)", to: hub) }
        tick(hub)

        let second = try #require(hub.subscribe(.full, lastEventID: 1))
        let gap = drain(second)
        publish("4", to: hub)
        tick(hub)

        #expect(gap == "retry: 2000\n\nid: 3\nevent: gap\ndata: {\"from\":2,\"to\":3}\n\n")
        #expect(drain(second) == "id: 4\nevent: call\ndata: 4\n\n")
        #expect(drain(first)?.hasSuffix("data: 4\n\n") == true)
    }

    @Test func `a reader that comes back gets what it missed`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let first = try #require(hub.subscribe())
        ticker.stop()
        publish("one", to: hub)
        first.closed()
        publish("two", to: hub)
        tick(hub)

        let second = try #require(hub.subscribe(lastEventID: 1))

        #expect(drain(second) == "retry: 2000\n\nid: 2\nevent: call\ndata: two\n\n")
        #expect(hub.subscriberCount == 1)
    }

    @Test func `a reader that fell behind is told which ids it missed`() throws {
        var limits = EventLimits()
        limits.logEvents = 8
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker, limits: limits)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        for number in 1...20 { publish("\(number)", to: hub) }
        tick(hub)

        let text = drain(stream)

        let kept = (13...20).map { "id: \($0)\nevent: call\ndata: \($0)\n\n" }.joined()
        let gap = "id: 12\nevent: gap\ndata: {\"from\":1,\"to\":12}\n\n"
        #expect(text == "retry: 2000\n\n" + gap + kept)
    }

    @Test func `ids that were never given are answered by a reset`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        publish("one", to: hub)
        let stream = try #require(hub.subscribe(lastEventID: .max))
        ticker.stop()

        let gap = "id: 1\nevent: gap\ndata: {\"from\":2,\"to\":1,\"reset\":true}\n\n"
        #expect(drain(stream) == "retry: 2000\n\n" + gap)
    }

    @Test func `an event longer than the buffer comes in pieces, line ends as further lines`()
        throws
    {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        let long = String(repeating: "x", count: 500)
        publish("\(long)\nsecond", to: hub)
        publish("short", to: hub)
        tick(hub)

        #expect(
            drain(stream, room: 64)
                == "retry: 2000\n\nid: 1\nevent: call\ndata: \(long)\ndata: second\n\n"
                + "id: 2\nevent: call\ndata: short\n\n"
        )
    }

    @Test func `an event too large to keep says how large it was`() throws {
        var limits = EventLimits()
        limits.logBytes = 1_024
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker, limits: limits)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        publish(String(repeating: "x", count: 5_000), to: hub)
        tick(hub)

        let text = drain(stream)

        #expect(text == "retry: 2000\n\nid: 1\nevent: call\ndata: {\"omitted_bytes\":5000}\n\n")
    }

    @Test func `a silent stream beats, a busy one does not`() throws {
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        _ = drain(stream)

        tick(hub, atSecond: 7.5)
        let afterHalf = drain(stream)
        tick(hub, atSecond: 15)
        let afterWhole = drain(stream)
        publish("one", to: hub)
        tick(hub, atSecond: 16)
        _ = drain(stream)
        tick(hub, atSecond: 22.5)

        #expect(afterHalf == "")
        #expect(afterWhole == ": alive\n\n")
        #expect(drain(stream) == "")
    }

    @Test func `the number of readers is bounded, and a closed hub has none`() throws {
        var limits = EventLimits()
        limits.subscribersPerSession = 1
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker, limits: limits)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        #expect(hub.subscribe().map { _ in true } == nil)
        _ = drain(stream)

        publish("last words", to: hub)
        hub.close()
        stream.wake()

        #expect(drain(stream) == "id: 1\nevent: call\ndata: last words\n\n")
        #expect(drain(stream) == nil)
        stream.closed()
        #expect(hub.subscribe().map { _ in true } == nil)
    }

    @Test func `recording ends some time after the last reader left`() throws {
        var limits = EventLimits()
        limits.lingerSeconds = 2
        let ticker = EventTicker()
        let hub = EventHub(ticker: ticker, limits: limits)
        let stream = try #require(hub.subscribe())
        ticker.stop()
        stream.closed()

        let outcomes = [10, 12, 13].map { hub.tick(at: .seconds($0)) }
        var writes = 0
        hub.publish("call") { _, _ in writes += 1 }

        #expect(outcomes == [.lingering, .lingering, .forgotten])
        #expect(writes == 0)
    }

    @Test func `readers together are woken at most 20,000 times a second`() {
        #expect(EventTicker.period(readers: 1) == 20)
        #expect(EventTicker.period(readers: 400) == 20)
        #expect(EventTicker.period(readers: 1_000) == 50)
        #expect(EventTicker.period(readers: 0) == 1_000)
    }
}
