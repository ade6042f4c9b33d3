import KernelHeap
import TestSupport
import Testing

@testable import KernelHeapService

@Suite("Hostile input")
struct HostileInputTests {
    private static let bodies = [
        #"{"size":192,"flags":"GFP_KERNEL|__GFP_ZERO","context":{"cpu":0,"in":"process"}}"#,
        #"[{"call":"kmalloc","as":"p","args":{"size":64,"flags":["GFP_KERNEL"]}},{"call":"kfree","objp":"$p+8"}]"#,
        "size=0x64&flags=GFP_KERNEL%7C__GFP_ZERO&context.in=softirq&explain=true",
        #"{"name":"x","machine":{"memory":"512M","zones":[{"name":"DMA","free_lists":[{"order":5,"pfns":[288]}]}]}}"#,
    ]

    @Test("a mutilated body is answered, and the next request as well", arguments: UInt64(1)...8)
    func mutilated(seed: UInt64) throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        var random = SeededRandom(seed: seed)
        let paths = [
            session + "/calls/kmalloc", session + "/calls?on_error=continue", "/v1/sessions",
            session + "/calls/copy_to_user", session + "/calls/kmalloc?" + "%",
        ]
        for step in 0..<150 {
            var body = Array(try #require(Self.bodies.randomElement(using: &random)).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[place] = UInt8.random(in: 0...255, using: &random)
                case 1: body.insert(UInt8.random(in: 32...126, using: &random), at: place)
                case 2: if body.count > 1 { body.remove(at: place) }
                default: body = Array(body[...place])
                }
            }
            let path = try #require(paths.randomElement(using: &random))
            let type = Bool.random(using: &random) ? "application/x-ndjson" : "application/json"

            let answer = try service.send("POST", path, body, headers: ["Content-Type": type])

            #expect(answer.status < 500, "seed \(seed), step \(step): \(answer.text)")
        }
        #expect(try service.send("GET", "/healthz").status == 200)
    }

    @Test func `every call takes the extremes of its words`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        for descriptor in CallRegistry.all {
            for value in ["0", "1", "18446744073709551615", "9223372036854775807", "-1"] {
                let members = descriptor.signature.parameters.map { parameter -> String in
                    switch parameter.type {
                    case .bytes: "\"\(parameter.name)\":{\"fill\":0,\"length\":1}"
                    case .text: "\"\(parameter.name)\":\"x\""
                    case .cString: "\"\(parameter.name)\":{\"address\":\(value)}"
                    case .addresses: "\"\(parameter.name)\":[\(value)]"
                    case .gfp: "\"\(parameter.name)\":\"GFP_KERNEL\""
                    default: "\"\(parameter.name)\":\(value)"
                    }
                }
                let body = "{" + members.joined(separator: ",") + "}"
                let name = descriptor.signature.name

                let answer = try service.send("POST", session + "/calls/\(name)", body)

                #expect([200, 409, 422].contains(answer.status), "\(name) \(body)")
                #expect(answer.json != .null, "\(name) \(body)")
            }
        }
    }

    @Test("a zone table of extremes boots or is refused", arguments: UInt64(1)...4)
    func zoneTables(seed: UInt64) throws {
        let service = try ServiceFixture()
        var random = SeededRandom(seed: seed)
        func number() -> String {
            let numbers = [
                "0", "1", "2", "511", "512", "4095", "262144", "4294967295",
                "4294967296", "1152921504606846976", "9223372036854775807", "18446744073709551615",
            ]
            return numbers.randomElement(using: &random) ?? "0"
        }
        for step in 0..<100 {
            let body = """
                {"machine":{"cpus":1,"zones":[{"node":0,"name":"Normal","start_pfn":\(number()),
                "spanned":\(number()),"present":\(number()),"managed":\(number()),
                "watermarks":{"min":\(number()),"low":\(number()),"high":\(number())},
                "lowmem_reserve":[\(number()),\(number())],
                "pageblocks":[{"start_pfn":\(number()),"count":\(number()),"lru_pages":\(number())}],
                "free_lists":[{"order":\(Int.random(in: 0...12, using: &random)),
                "migratetype":"Movable","pfns":[\(number()),\(number())]}],
                "pcp":[{"cpu":0,"batch":\(number()),"high":\(number()),
                "lists":[{"index":\(Int.random(in: 0...14, using: &random)),"pfns":[\(number())]}]}]}]}}
                """
            let answer = try service.send("POST", "/v1/sessions", body)

            #expect([201, 422].contains(answer.status), "seed \(seed), step \(step): \(body)")
            guard let session = answer.headers["location"] else { continue }
            for call in [
                "alloc_pages?gfp_mask=GFP_KERNEL&order=3", "kmalloc?size=8&flags=GFP_ATOMIC",
            ] {
                _ = try service.send("POST", "\(session)/calls/\(call)")
            }
            _ = try service.send("GET", session + "/zones")
            _ = try service.send("GET", session + "/proc/zoneinfo")
            _ = try service.send("DELETE", session)
        }
        #expect(try service.send("GET", "/healthz").status == 200)
    }
}
