import Glibc

/// A TCP connection to a port of this host.
///
/// Reads give up after two minutes unless told otherwise, so that a service that hangs fails a test,
/// and one on a busy machine does not.
final class TestConnection {
    struct Failed: Error {}

    private let descriptor: Int32
    private var received: [UInt8] = []
    /// Whether reading ended because the peer closed, rather than by the time limit.
    private(set) var isClosedByPeer = false

    init(port: UInt16, patienceSeconds: Int = 120) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: patienceSeconds, tv_usec: 0)
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
        guard status == 0 else { throw Failed() }
    }

    deinit { close(descriptor) }

    /// Sends all bytes, or what the peer takes before it closes.
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

    /// Reads until the text appears; everything received so far, or nil where it never does.
    func read(until mark: String) -> String? {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if text.contains(mark) { return text }
            guard fill() else { return nil }
        }
    }

    /// Says that no further byte follows; the peer may still answer.
    ///
    /// The service's HTTP library can miss an end that arrives while it works on the bytes before
    /// it, so the peer gets a moment to answer them first.
    func endSending() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, 20)
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Everything until the peer closes.
    func readToEnd() -> [UInt8] {
        while fill() {}
        return received
    }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            isClosedByPeer = count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)
            return false
        }
        received += buffer[..<count]
        return true
    }
}

/// Sends bytes to a port of this host and reads until the peer closes.
func exchange(_ bytes: [UInt8], port: UInt16) throws -> [UInt8] {
    let connection = try TestConnection(port: port)
    connection.send(bytes)
    return connection.readToEnd()
}
