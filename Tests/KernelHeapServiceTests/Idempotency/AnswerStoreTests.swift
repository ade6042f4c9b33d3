import Testing

@testable import KernelHeapService

@Suite("Idempotency: the kept answers")
struct AnswerStoreTests {
    private func store(count: Int = 10, answerBytes: Int = 100, bytes: Int = 1_000) -> AnswerStore {
        var configuration = ServiceConfiguration()
        configuration.maximumKeptAnswers = count
        configuration.maximumKeptAnswerBytes = answerBytes
        configuration.maximumKeptBytes = bytes
        return AnswerStore(configuration)
    }

    private func key(_ text: String) -> AnswerStore.Key { AnswerStore.Key(path: "/p", key: text) }

    private func answer(_ count: Int) -> AnswerStore.Answer {
        AnswerStore.Answer(
            status: 200,
            contentType: "text/plain",
            headers: [],
            body: [UInt8](repeating: 7, count: count)
        )
    }

    private func isFirst(_ store: AnswerStore, _ name: String) throws -> Bool {
        if case .first = try store.claim(key(name), fingerprint: 1) { return true }
        return false
    }

    @Test func `a claimed key is running, then repeated, and free when forgotten`() throws {
        let store = store()
        let first = try isFirst(store, "a")
        #expect(throws: Problem.self) { try isFirst(store, "a") }
        store.keep(answer(5), for: key("a"))
        let repeated = try isFirst(store, "a")
        store.forget(key("a"))
        let again = try isFirst(store, "a")

        #expect(first)
        #expect(!repeated)
        #expect(again)
    }

    @Test func `an answer that is too long is not repeated, nor is its request`() throws {
        let store = store()
        _ = try isFirst(store, "a")
        store.keep(answer(101), for: key("a"))

        #expect(throws: Problem.self) { try isFirst(store, "a") }
    }

    @Test func `the oldest answers make room`() throws {
        let store = store(count: 100, bytes: 250)
        for name in ["a", "b", "c"] {
            _ = try isFirst(store, name)
            store.keep(answer(100), for: key(name))
        }

        #expect(try isFirst(store, "a"))
        #expect(try !isFirst(store, "c"))
    }
}
