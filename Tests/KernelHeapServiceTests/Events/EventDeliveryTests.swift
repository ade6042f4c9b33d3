import Glibc
import HTTPServer
import Testing

@testable import KernelHeapService

/// Serves one hub at every path.
private struct HubHandler: RequestHandler, ProblemSource {
    let hub: EventHub

    func admit(_ request: borrowing Request) -> Admission { .body(limit: 0) }

    func respond(to request: borrowing Request) -> Response {
        let lastEventID = request.header("last-event-id").flatMap { UInt64($0) }
        guard let stream = hub.subscribe(lastEventID: lastEventID) else {
            return Response(status: 503)
        }
        return Response(
            status: 200,
            contentType: EventStream.contentType,
            body: .stream(stream)
        )
    }

    func problem(status: Int, reason: ServerRefusal) -> Response { Response(status: status) }
}

/// A client of one event stream.
@safe
private final class EventReader {
    private let descriptor: Int32
    private var received: [UInt8] = []

    init?(port: UInt16, receiveBuffer: Int32 = 128 * 1_024) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var receiveBuffer = receiveBuffer
        let bufferSize = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, bufferSize)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        let timeoutSize = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutSize)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, size)
            }
        }
        guard status == 0 else { return nil }
        let request = Array("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        _ = unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
    }

    deinit { close(descriptor) }

    /// Reads until the bytes hold a text, the peer closes, or nothing comes for long.
    func read(through mark: String) -> Bool {
        let mark = Array(mark.utf8)
        var start = 0
        while true {
            while start + mark.count <= received.count {
                if received[start] == mark[0],
                    received[start..<(start + mark.count)].elementsEqual(mark)
                {
                    return true
                }
                start += 1
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            received += buffer[..<count]
        }
    }

    /// The ids in the order of their arrival; frames are never cut by chunks here.
    var ids: [Int] {
        String(decoding: received, as: UTF8.self).unicodeScalars.split(separator: "\n").compactMap {
            $0.starts(with: "id: ".unicodeScalars) ? Int(String($0.dropFirst(4))) : nil
        }
    }
}

@Suite("Event delivery")
struct EventDeliveryTests {
    @Test func `a thousand streams lose nothing, and the server stops with all of them open`()
        throws
    {
        let ticker = EventTicker()
        var limits = EventLimits()
        limits.logEvents = 1_000
        let hub = EventHub(ticker: ticker, limits: limits)
        let handler = HubHandler(hub: hub)
        let server = try HTTPServer(
            configuration: HTTPServerConfiguration(),
            handler: handler,
            problems: handler
        )
        let readers = try (0..<1_000).map { _ in try #require(EventReader(port: server.port)) }
        #expect(readers.allSatisfy { $0.read(through: "retry: 2000\n\n") })

        for number in 1...300 {
            hub.publish("call") { $1.append("{\"number\":\(number)}") }
            // Spread over several ticks, so that streams sleep in between.
            if number % 50 == 0 { #expect(readers[0].read(through: "\"number\":\(number)}")) }
        }
        let isComplete = readers.allSatisfy { $0.read(through: "\"number\":300}\n\n") }
        server.stop()
        ticker.stop()

        #expect(isComplete)
        #expect(readers.allSatisfy { $0.ids == Array(1...300) })
        #expect(hub.subscriberCount == 0)
    }

    @Test func `a reader that stops reading holds little, and is told what it missed`() throws {
        let ticker = EventTicker()
        var limits = EventLimits()
        limits.logEvents = 64
        let hub = EventHub(ticker: ticker, limits: limits)
        let handler = HubHandler(hub: hub)
        let server = try HTTPServer(
            configuration: HTTPServerConfiguration(),
            handler: handler,
            problems: handler
        )
        let slow = try #require(EventReader(port: server.port, receiveBuffer: 4_096))
        let quick = try #require(EventReader(port: server.port))
        #expect(slow.read(through: "retry: 2000\n\n"))
        #expect(quick.read(through: "retry: 2000\n\n"))

        // 2 MB: far more than the buffers of the connection and the log together.
        let padding = String(repeating: "x", count: 1_000)
        for number in 1...2_000 {
            hub.publish("call") { $1.append("{\"number\":\(number),\"padding\":\"\(padding)\"}") }
            if number % 50 == 0 { #expect(quick.read(through: "\"number\":\(number),")) }
        }
        let isTold = slow.read(through: "event: gap\n")
        let isComplete = slow.read(through: "\"number\":2000,")
        server.stop()
        ticker.stop()

        #expect(isTold && isComplete)
        #expect(quick.ids == Array(1...2_000))
        let ids = slow.ids
        #expect(ids.count < 2_000)
        #expect(ids == ids.sorted() && Set(ids).count == ids.count && ids.last == 2_000)
    }
}
