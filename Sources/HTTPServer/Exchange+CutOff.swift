internal import CHTTPBridge
internal import Glibc

extension Exchange {
    /// Refuses in the middle of a body, where the library takes no answer: writes it to the socket
    /// and has the connection closed.
    ///
    /// Nothing else is under way on the connection then. What the socket's buffer does not take at
    /// once is dropped: the client is sending, and the answer is a courtesy.
    ///
    /// - Returns: false, which closes the connection.
    func cutOff(_ reason: ServerRefusal) -> Bool {
        let response = core.problem(reason)
        var message = ByteBuffer(capacity: 1_024)
        let status = UInt32(clamping: response.status)
        message.append("HTTP/1.1 ")
        message.append(decimal: status)
        message.append(" ")
        if let phrase = unsafe MHD_get_reason_phrase_for(status) {
            unsafe message.append(String(cString: phrase))
        }
        message.append("\r\nConnection: close\r\n")
        if response.contentType.utf8CodeUnitCount > 0 {
            message.append("Content-Type: ")
            message.append(response.contentType)
            message.append("\r\n")
        }
        for (name, value) in response.headers where Self.isLine(name) && Self.isLine(value) {
            message.append(name)
            message.append(": ")
            message.append(value)
            message.append("\r\n")
        }
        if core.origins.isConfigured {
            unsafe addCrossOriginHeaders { name, value in
                message.append(name)
                message.append(": ")
                unsafe message.append(String(cString: value))
                message.append("\r\n")
            }
        }
        switch consume response.body {
        case .bytes(let body):
            message.append("Content-Length: ")
            message.append(decimal: body.count)
            message.append("\r\n\r\n")
            unsafe body.withUnsafeBytes { unsafe message.append($0) }
        default:
            message.append("Content-Length: 0\r\n\r\n")
        }
        unsafe message.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = unsafe Glibc.send(
                record.pointee.socket,
                start,
                bytes.count,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
        }
        return false
    }

    private static func isLine(_ text: String) -> Bool {
        !text.utf8.contains { $0 == 10 || $0 == 13 || $0 == 0 }
    }
}
