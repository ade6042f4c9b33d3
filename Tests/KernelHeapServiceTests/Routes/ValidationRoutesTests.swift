import Synchronization
import Testing

@testable import KernelHeapService

@Suite("HTTP: validation of sessions")
struct ValidationRoutesTests {
    @Test func `a session that worked is sound`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        for size in [8, 64, 192, 4_096, 100_000] {
            _ = try service.send(
                "POST",
                session + "/calls/kmalloc",
                "size=\(size)&flags=GFP_KERNEL"
            )
        }
        let answer = try service.send("POST", session + "/validate")

        #expect(answer.status == 200)
        #expect(answer.headers["etag"] == "\"5\"")
        #expect(answer.json["seq"] == .number(5))
        #expect(answer.json["sound"] == .boolean(true))
        #expect(answer.json["violations"].elements.isEmpty)
        #expect(answer.json["misuse"].elements.isEmpty)
        let slabs = answer.json["checked"].elements.first { $0["what"].text == "slabs" }
        #expect(slabs?["count"] == .number(4))
    }

    @Test func `a double free is told apart from errors of the simulator`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let objects = try (0..<2).map { _ in
            try service.send("POST", session + "/calls/kmalloc", "size=64&flags=GFP_KERNEL")
                .json["return"].text
        }
        for object in objects + [objects[0]] {
            _ = try service.send("POST", session + "/calls/kfree", "objp=\(object)")
        }
        let answer = try service.send("POST", session + "/validate")

        #expect(answer.json["sound"] == .boolean(true))
        #expect(!answer.json["misuse"].elements.isEmpty)
    }

    @Test func `a check asks for a state, is repeatable, and changes nothing`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let stale = try service.send("POST", session + "/validate", headers: ["If-Match": "\"7\""])
        let key = ["Idempotency-Key": "check-1"]
        let first = try service.send("POST", session + "/validate", headers: key)
        let again = try service.send("POST", session + "/validate", headers: key)
        let read = try service.send("GET", session + "/validate")
        let unknown = try service.send("POST", "/v1/sessions/none/validate")
        let later = try service.send("GET", session).json["seq"]

        #expect(stale.status == 409)
        #expect(stale.problem == "sequence-mismatch")
        #expect(first.status == 200)
        #expect(again.text == first.text)
        #expect(read.status == 405)
        #expect(unknown.status == 404)
        #expect(later == .number(0))
    }

    @Test func `one check runs at a time, and calls go on beside it`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        service.service.isValidating.store(true, ordering: .releasing)
        let refused = try service.send("POST", session + "/validate")
        let call = try service.send(
            "POST",
            session + "/calls/kmalloc",
            "size=8&flags=GFP_KERNEL"
        )
        service.service.isValidating.store(false, ordering: .releasing)
        let accepted = try service.send("POST", session + "/validate")

        #expect(refused.status == 503)
        #expect(refused.problem == "busy")
        #expect(call.status == 200)
        #expect(accepted.status == 200)
    }
}
