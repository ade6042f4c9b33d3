import KernelHeap
import Synchronization
import Testing

@testable import KernelHeapService

@Suite("Sessions: the store")
struct SessionStoreTests {
    private let store = SessionStore(
        maximumCount: 2,
        maximumBytes: 1 << 30,
        ticker: EventTicker()
    )

    private func boot(idleTimeout: UInt64 = 60) throws -> Session {
        try store.boot(
            MachineDescription(),
            Session.Settings(name: "", idleTimeout: idleTimeout)
        )
    }

    @Test func `an id survives its text, and nothing else is an id`() throws {
        let id = SessionID()
        let text = id.text

        let read = withSlice(text) { SessionID($0) }
        let cut = withSlice(String(text.dropLast())) { SessionID($0) }
        let capital = withSlice("ABCDEF00000000000000000000000000") { SessionID($0) }

        #expect(read == id)
        #expect(text.utf8.count == SessionID.textLength)
        #expect(cut == nil)
        #expect(capital == nil)
    }

    @Test func `a session is found by its id until it is removed`() throws {
        let session = try boot()
        let found = store.find(session.id)
        store.remove(session.id)

        #expect(found === session)
        #expect(store.find(session.id) == nil)
        #expect(store.count == 0)
        #expect(store.heldBytes == 0)
        #expect(session.isDropped)
    }

    @Test func `the limit holds, and a refused machine takes no place`() throws {
        var impossible = MachineDescription()
        impossible.memoryBytes = 0
        #expect(throws: Problem.self) {
            try store.boot(impossible, Session.Settings(name: "", idleTimeout: 1))
        }
        _ = try boot()
        _ = try boot()

        #expect(throws: Problem.self) { try boot() }
        #expect(store.count == 2)
    }

    @Test func `a session may grow up to its limit, and to its share when all is full`() throws {
        let session = try boot()
        let held = session.heldBytes
        let small = SessionStore(maximumCount: 2, maximumBytes: 1, ticker: EventTicker())
        small.recordGrowth(2)

        #expect(store.mayGrow(session, limit: held))
        #expect(!store.mayGrow(session, limit: held - 1))
        #expect(!small.mayGrow(session, limit: Int.max))
    }

    @Test func `only sessions idle for their timeout are swept`() throws {
        let short = try boot(idleTimeout: 10)
        let long = try boot(idleTimeout: 1_000)
        let later = Clock.monotonic() + 11_000_000_000

        let removed = store.removeExpired(at: later)

        #expect(removed == 1)
        #expect(store.find(short.id) == nil)
        #expect(store.find(long.id) === long)
    }

    @Test func `a session is not swept while a job works for it`() throws {
        let session = try boot(idleTimeout: 10)
        let later = Clock.monotonic() + 11_000_000_000
        session.beginJob()
        let whileBusy = store.removeExpired(at: later)
        session.endJob()
        let afterwards = store.removeExpired(at: later + 11_000_000_000)

        #expect(whileBusy == 0)
        #expect(afterwards == 1)
    }
}

/// A slice over a text's bytes.
func withSlice<Result>(_ text: String, _ body: (ByteSlice) throws -> Result) rethrows -> Result {
    let bytes = Array(text.utf8)
    return try unsafe bytes.withUnsafeBytes { try unsafe body(ByteSlice($0)) }
}
