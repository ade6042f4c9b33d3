import Glibc

/// A TCP connection to the server under test, for bytes that no HTTP client would send.
@safe
final class RawClient {
    struct ConnectionFailed: Error {}

    struct Answer: Equatable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: String

        static func == (left: Answer, right: Answer) -> Bool {
            left.status == right.status && left.body == right.body
        }

        /// The first value of a header; the name is lower case.
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Connects; reads give up after two minutes, so that a broken server fails a test.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBuffer {
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, size)
        }
        var timeout = timeval(tv_sec: 120, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, length)
            }
        }
        guard status == 0 else {
            Glibc.close(descriptor)
            throw ConnectionFailed()
        }
    }

    deinit { Glibc.close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends what the peer takes; a peer that closed meanwhile is no error here.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends the connection with a reset, as a client that crashes does.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// One answer, by its Content-Length or its chunks; nil when the peer closed or stayed silent.
    func answer(toHead: Bool = false) -> Answer? {
        guard let head = take(through: "\r\n\r\n") else { return nil }
        let lines = head.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            return (parts[0].lowercased(), String(value))
        }
        var answer = Answer(status: status, headers: headers, body: "")
        if toHead || status < 200 || status == 204 { return answer }
        if answer.header("transfer-encoding") == "chunked" {
            guard let body = takeChunks() else { return nil }
            answer.body = body
        } else {
            let count = answer.header("content-length").flatMap { Int($0) } ?? 0
            guard let body = take(count: count) else { return nil }
            answer.body = body
        }
        return answer
    }

    /// The head of a streamed answer.
    func streamHead() -> String? { take(through: "\r\n\r\n") }

    /// The next chunk of a streamed answer (CR LF is one character); empty at its end, nil when the peer closed.
    func chunk() -> String? {
        guard let line = take(through: "\r\n"), let count = Int(line.dropLast(), radix: 16),
            let data = take(count: count + 2)
        else { return nil }
        return String(data.dropLast())
    }

    /// Everything until the peer closes.
    func rest() -> String {
        while fill() {}
        defer { received.removeAll() }
        return String(decoding: received, as: UTF8.self)
    }

    /// Whether the peer closes without another byte.
    func isClosedByPeer() -> Bool { received.isEmpty && !fill() }

    /// Waits until the peer has sent something or closed.
    func isReadable(withinMilliseconds limit: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe !received.isEmpty || poll(&entry, 1, limit) > 0
    }

    private func takeChunks() -> String? {
        var body = ""
        while let chunk = chunk() {
            if chunk.isEmpty { return body }
            body += chunk
        }
        return nil
    }

    private func take(through mark: String) -> String? {
        let mark = Array(mark.utf8)
        var searched = 0
        while true {
            if received.count >= mark.count {
                for start in searched...(received.count - mark.count)
                where received[start..<(start + mark.count)].elementsEqual(mark) {
                    return take(count: start + mark.count)
                }
                searched = received.count - mark.count + 1
            }
            guard fill() else { return nil }
        }
    }

    private func take(count: Int) -> String? {
        while received.count < count {
            guard fill() else { return nil }
        }
        let text = String(decoding: received[..<count], as: UTF8.self)
        received.removeFirst(count)
        return text
    }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }
}
