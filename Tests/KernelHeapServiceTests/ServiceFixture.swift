import Foundation
import HTTPServer
import KernelHeapService

/// A whole service on a free port, stopped when the test lets go of it.
final class ServiceFixture {
    let server: HTTPServer
    let service: Service

    init(_ configure: (inout ServiceConfiguration) -> Void = { _ in }) throws {
        var configuration = ServiceConfiguration()
        configure(&configuration)
        service = Service(configuration)
        var listening = HTTPServerConfiguration()
        listening.stopTimeoutSeconds = 2
        do {
            server = try HTTPServer(
                configuration: listening,
                handler: service,
                problems: service.problems
            )
        } catch {
            service.stop()
            throw error
        }
    }

    deinit {
        server.stop()
        service.stop()
    }

    /// Sends one request and reads the whole answer.
    func send(
        _ method: String,
        _ path: String,
        _ body: String = "",
        headers: [String: String] = [:]
    ) throws -> HTTPAnswer {
        try send(method, path, Array(body.utf8), headers: headers)
    }

    func send(
        _ method: String,
        _ path: String,
        _ body: [UInt8],
        headers: [String: String] = [:]
    ) throws -> HTTPAnswer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        let bytes = try exchange(Array((head + "\r\n").utf8) + body, port: server.port)
        return try HTTPAnswer(bytes, toHead: method == "HEAD")
    }

    /// Boots a session and gives its path.
    func boot(_ body: String = "") throws -> String {
        let answer = try send("POST", "/v1/sessions", body)
        guard answer.status == 201, let path = answer.headers["location"] else {
            throw HTTPAnswer.Malformed(text: answer.text)
        }
        return path
    }
}

/// An answer taken apart.
struct HTTPAnswer {
    struct Malformed: Error { let text: String }

    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    /// The body as JSON; null where it is none.
    var json: JSON { JSON(text) }
    /// The lines of an NDJSON body.
    var lines: [JSON] { text.split(separator: "\n").map { JSON(String($0)) } }
    /// The last part of a problem's type.
    var problem: String { json["type"].text.replacing("/problems/", with: "") }

    init(_ bytes: [UInt8], toHead: Bool) throws {
        // The end of the head is looked for in bytes, as a body need not be text.
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw Malformed(text: String(decoding: bytes, as: UTF8.self))
        }
        let text = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let lines = text.components(separatedBy: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first,
            let number = Int(status)
        else { throw Malformed(text: text) }
        self.status = number
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.last?.trimmingCharacters(in: .whitespaces)
        }
        self.headers = headers
        let rest = Array(bytes[end.upperBound...])
        body = headers["transfer-encoding"] == "chunked" ? HTTPAnswer.unchunked(rest) : rest
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 13),
            let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), count > 0,
            rest.count >= count + 4
        {
            let start = end + 2
            body += rest[start..<start + count]
            rest = rest[(start + count + 2)...]
        }
        return body
    }
}

/// A JSON value, by Foundation's reader: nothing of the service reads what the service wrote.
indirect enum JSON: Equatable, Decodable {
    case null, boolean(Bool), number(Double), string(String), list([JSON]), object([String: JSON])

    init(_ text: String) {
        self = (try? JSONDecoder().decode(JSON.self, from: Data(text.utf8))) ?? .null
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let truth = try? value.decode(Bool.self) {
            self = .boolean(truth)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    subscript(key: String) -> JSON {
        if case .object(let members) = self { return members[key] ?? .null }
        return .null
    }

    var elements: [JSON] {
        if case .list(let list) = self { return list }
        return []
    }

    var text: String {
        if case .string(let text) = self { return text }
        return ""
    }

    var number: Double? {
        if case .number(let number) = self { return number }
        return nil
    }
}
