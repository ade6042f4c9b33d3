internal import HTTPServer
internal import KernelHeap

/// Why a request was not carried out: an RFC 9457 problem document.
struct Problem: Error {
    let type: ProblemType
    /// What is wrong in this request, with the value that is wrong.
    var detail: String
    /// The place in the body, as a JSON pointer, or the query parameter's name.
    var pointer: String?
    /// What would be valid there.
    var valid: [String] = []
    /// The line of an NDJSON batch, counted from 1.
    var line: Int?
    /// Further headers, such as `Allow` and `Retry-After`.
    var headers: [(name: String, value: String)] = []

    init(_ type: ProblemType, _ detail: String = "", at pointer: String? = nil) {
        self.type = type
        self.detail = detail
        self.pointer = pointer
        if type == .busy || type == .shuttingDown { headers = [("Retry-After", "1")] }
    }

    /// A problem with one value of a document.
    init(_ type: ProblemType, _ detail: String, at value: JSONValue) {
        self.init(type, detail, at: value.pointer)
    }

    /// The same problem with the nearest of `names` to what the client wrote, and all of them
    /// where they are few.
    func suggesting(_ written: ByteSlice, from names: [String]) -> Problem {
        var problem = self
        let near = NearestName.find(written, in: names)
        if !near.isEmpty {
            problem.detail += "; near it: " + near.joined(separator: ", ")
            problem.valid = near
        } else if names.count <= 12 {
            problem.valid = names
        }
        return problem
    }

    func write(to json: inout JSONWriter) {
        json.raw("{\"type\":\"/problems/")
        json.raw(Array(type.rawValue.utf8))
        json.raw("\",\"title\":")
        json.string(type.title)
        json.raw(",\"status\":")
        json.number(type.status)
        if !detail.isEmpty {
            json.raw(",\"detail\":")
            json.string(detail)
        }
        if let pointer {
            json.raw(",\"pointer\":")
            json.string(pointer)
        }
        if !valid.isEmpty {
            json.raw(",\"valid\":")
            json.strings(valid)
        }
        if let line {
            json.raw(",\"line\":")
            json.number(line)
        }
        json.raw("}")
    }

    func response() -> Response {
        var json = JSONWriter()
        write(to: &json)
        json.raw("\n")
        return Response(
            status: type.status,
            contentType: "application/problem+json",
            headers: headers,
            body: .bytes(json.finish())
        )
    }
}
