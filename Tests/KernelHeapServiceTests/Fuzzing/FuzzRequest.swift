@testable import KernelHeapService

/// A request in parts that can be damaged one by one.
struct FuzzRequest {
    /// How the body's end is told.
    enum Framing {
        case none
        case length
        /// Chunks of these sizes, again and again.
        case chunked([Int])
        /// The header lines and the bytes behind the head, as they are.
        case raw(headers: [String], body: [UInt8])
    }

    let route: Route
    var method: String
    var target: String
    var headers: [String] = []
    var body: [UInt8] = []
    var framing = Framing.none

    init(_ route: Route, _ method: String, _ target: String, _ body: String? = nil) {
        self.route = route
        self.method = method
        self.target = target
        if let body {
            self.body = Array(body.utf8)
            framing = .length
        }
    }

    /// Whether a transfer encoding is named that no server here implements: the answer is 501.
    var hasUnknownCoding: Bool {
        guard case .raw(let headers, _) = framing else { return false }
        return headers.contains {
            $0.hasPrefix("Transfer-Encoding:") && $0 != "Transfer-Encoding: chunked"
        }
    }

    /// The request in the reports of failures, which `KHEAPD_FUZZ_SEED` repeats in full.
    var summary: String {
        let framing = "\(framing)".prefix(200)
        return "\(method) \(target.prefix(200)) \(headers.map { $0.prefix(80) }) \(framing) "
            + String(decoding: body.prefix(300), as: UTF8.self)
    }

    var bytes: [UInt8] {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost"] + headers
        var rest: [UInt8] = []
        switch framing {
        case .none: break
        case .length:
            lines.append("Content-Length: \(body.count)")
            rest = body
        case .chunked(let sizes):
            lines.append("Transfer-Encoding: chunked")
            rest = Self.chunks(of: body, sizes)
        case .raw(let headers, let bytes):
            lines += headers
            rest = bytes
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + rest
    }

    /// A body in well-formed chunks, with the last one.
    static func chunks(of body: [UInt8], _ sizes: [Int]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        var index = 0
        while !rest.isEmpty {
            let part = rest.prefix(max(1, sizes.isEmpty ? 1 : sizes[index % sizes.count]))
            bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [13, 10]
            rest = rest.dropFirst(part.count)
            index += 1
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// A valid request of every route to a session; what drops or shortens a life goes to `spare`.
    static func templates(_ session: String, spare: String) -> [FuzzRequest] {
        var ndjson = FuzzRequest(
            .calls,
            "POST",
            session + "/calls?on_error=continue",
            """
            {"call":"kmalloc","as":"p","args":{"size":64,"flags":"GFP_KERNEL"}}
            {"call":"kfree","args":{"objp":"$p"}}

            """
        )
        ndjson.headers = ["Content-Type: application/x-ndjson"]
        var guarded = FuzzRequest(
            .call,
            "POST",
            session + "/calls/kmalloc?explain=true",
            #"{"size":192,"flags":["GFP_KERNEL","__GFP_ZERO"],"context":{"cpu":0,"in":"softirq"}}"#
        )
        guarded.headers = ["Idempotency-Key: k1", "If-Match: *"]
        var form = FuzzRequest(
            .call,
            "POST",
            session + "/calls/kzalloc",
            "size=0x40&flags=GFP_ATOMIC"
        )
        form.headers = ["Content-Type: application/x-www-form-urlencoded"]
        let write = #"{"address":"0xffff888000100000","data":{"hex":"00ff7f"}}"#
        let machine = """
            {"name":"n","machine":{"memory":"96M","cpus":2,"zones":[{"node":0,"name":"DMA","start_pfn":1,
            "spanned":4095,"present":3998,"managed":3840,"free_lists":[{"order":5,"pfns":[288]}]}]}}
            """
        return [
            guarded, form, ndjson,
            FuzzRequest(.call, "POST", session + "/calls/kernel_write", write),
            FuzzRequest(
                .call,
                "POST",
                session + "/calls/alloc_pages",
                #"{"gfp_mask":"GFP_KERNEL","order":3}"#
            ),
            FuzzRequest(
                .calls,
                "POST",
                session + "/calls",
                #"[{"call":"kmalloc","as":"p","args":{"size":8,"flags":0}},{"call":"kfree","args":{"objp":"$p"}}]"#
            ),
            FuzzRequest(.sessions, "POST", "/v1/sessions", machine),
            FuzzRequest(.sessions, "GET", "/v1/sessions?limit=3&cursor=1"),
            FuzzRequest(.session, "GET", session),
            FuzzRequest(.session, "PATCH", session, #"{"name":"renamed"}"#),
            FuzzRequest(.session, "PATCH", spare, #"{"idle_timeout":600}"#),
            FuzzRequest(.session, "DELETE", spare + "0"),
            FuzzRequest(.validate, "POST", session + "/validate"),
            FuzzRequest(
                .sweep,
                "POST",
                session + "/sweep?max_runs=3",
                #"[{"call":"kmalloc","as":"p","size":64,"flags":"GFP_KERNEL"},{"call":"kfree","objp":"$p"}]"#
            ),
            FuzzRequest(.view, "GET", session + "/verdict?since=1"),
            FuzzRequest(.view, "GET", session + "/allocations?group_by=size&top=3"),
            FuzzRequest(.view, "GET", session + "/allocations?sort=age&min_size=64&limit=3"),
            FuzzRequest(.view, "GET", session + "/page_owner?pfn=4096"),
            FuzzRequest(.view, "GET", session + "/page_owner?sort=size&zone=DMA32&max_age=9"),
            FuzzRequest(.view, "GET", session + "/leaks"),
            FuzzRequest(.proc, "GET", session + "/proc/kpageflags?pfn=4096&count=100"),
            FuzzRequest(.proc, "GET", session + "/proc/kpagecount?offset=8&length=64"),
            FuzzRequest(.view, "GET", session + "/fragmentation"),
            FuzzRequest(.view, "GET", session + "/translate?address=0xffff888000100000&pid=1"),
            FuzzRequest(.view, "GET", session + "/vmalloc?cursor=0xffffc90000000000&limit=3"),
            FuzzRequest(.view, "GET", session + "/highmem"),
            FuzzRequest(.fork, "POST", session + "/fork", #"{"name":"fork"}"#),
            FuzzRequest(.functions, "GET", session + "/functions"),
            FuzzRequest(.proc, "GET", session + "/proc/zoneinfo"),
            FuzzRequest(.slabFiles, "GET", session + "/sys/kernel/slab/kmalloc-64/objects"),
            FuzzRequest(.dmesg, "GET", session + "/dmesg"),
            FuzzRequest(.events, "GET", session + "/events?last_event_id=1"),
            FuzzRequest(.view, "GET", session + "/pages?pfn=0&count=64"),
            FuzzRequest(.view, "GET", session + "/memory?address=0xffff888000100000&length=64"),
            FuzzRequest(.view, "GET", session + "/allocations?limit=5"),
            FuzzRequest(.view, "GET", session + "/biography?address=0xffff888000100000"),
            FuzzRequest(.cacheSlabs, "GET", session + "/caches/kmalloc-64/slabs?cursor=3&limit=9"),
            FuzzRequest(.view, "GET", session + "/pagemap?pfn=64&cells=9&pages_per_cell=16"),
            FuzzRequest(.scenarios, "GET", "/v1/scenarios"),
            FuzzRequest(.scenario, "GET", "/v1/scenarios/order-10-fails"),
            FuzzRequest(
                .scenarioSessions,
                "POST",
                "/v1/scenarios/order-10-fails/sessions?steps=1"
            ),
            FuzzRequest(.dashboard, "GET", "/"),
            FuzzRequest(.dashboardFile, "GET", "/dashboard/app.js"),
            FuzzRequest(.health, "HEAD", "/healthz"), FuzzRequest(.ready, "GET", "/readyz"),
            FuzzRequest(.metrics, "GET", "/metrics"),
            FuzzRequest(.contract, "GET", "/openapi.yaml"),
            FuzzRequest(.profiles, "OPTIONS", "/v1/profiles"),
            FuzzRequest(.unknown, "GET", "/v1/nothing"),
        ]
    }
}
