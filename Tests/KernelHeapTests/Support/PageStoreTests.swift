import TestSupport
import Testing

@testable import KernelHeap

/// A store among others that were forked from it, and what each byte of it must be.
private final class ModelledStore {
    var store = PageStore()
    var model: [Int: [UInt8]] = [:]

    func forked() -> ModelledStore {
        let other = ModelledStore()
        other.store = store.fork()
        other.model = model
        return other
    }

    func write(_ page: Int, _ range: Range<Int>, _ value: UInt8) {
        unsafe store.withMutablePage(page) { bytes in
            for place in range { unsafe bytes[place] = value }
        }
        for place in range { model[page, default: zeros][place] = value }
    }

    func copy(_ source: Int, _ start: Int, to target: Int, _ place: Int, _ count: Int) {
        let copied = store.copyBytes(of: source, start, to: target, place, count: count)
        guard let old = model[source] else {
            #expect(!copied)
            return
        }
        #expect(copied)
        let moved = Array(old[start..<start + count])
        model[target, default: zeros].replaceSubrange(place..<place + count, with: moved)
    }

    func forget(_ page: Int) {
        store.forget(page)
        model[page] = nil
    }

    /// The first page that is not as the model says.
    func difference(in pages: Range<Int>) -> Int? {
        pages.first { page in
            let bytes = unsafe store.withPage(page) { unsafe $0.map { unsafe Array($0) } }
            return bytes != model[page]
        }
    }

    private var zeros: [UInt8] { Array(repeating: 0, count: PageArena.pageBytes) }
}

@Suite("Bytes of pages")
struct PageStoreTests {
    /// More than one arena and more than one group of entries.
    private static let pages = 0..<700

    @Test(
        "forks see what they wrote themselves, whatever the others do",
        arguments: 1...6 as ClosedRange<UInt64>
    )
    func forks(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var stores = [ModelledStore()]
        for _ in 0..<2_500 {
            let chosen = stores[Int.random(in: stores.indices, using: &random)]
            let (page, other) = (
                Int.random(in: Self.pages, using: &random),
                Int.random(in: Self.pages, using: &random)
            )
            let start = Int.random(in: 0..<4_000, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<60:
                chosen.write(page, start..<start + 96, UInt8.random(in: 1...255, using: &random))
            case 60..<80: chosen.copy(page, start, to: other, 4_000 - start, 96)
            case 80..<82: chosen.copy(page, 0, to: page, start, 96)
            case 82..<94: chosen.forget(page)
            case 94..<97 where stores.count < 5: stores.append(chosen.forked())
            case 97... where stores.count > 1:
                stores.remove(at: Int.random(in: stores.indices, using: &random))
            default: break
            }
        }
        for store in stores { #expect(store.difference(in: Self.pages) == nil, "seed \(seed)") }
    }

    @Test func `who is left alone with a page writes it where it is`() {
        let first = ModelledStore()
        for page in Self.pages { first.write(page, 0..<4_096, 7) }
        let held = first.store.heldBytes
        do {
            let second = first.forked()
            second.write(3, 0..<1, 9)
            #expect(second.difference(in: Self.pages) == nil)
        }
        for page in Self.pages { first.write(page, 1..<2, 8) }
        let heldNow = first.store.heldBytes
        #expect(heldNow == held)
        #expect(first.difference(in: Self.pages) == nil)
    }

    @Test func `a page that was forgotten holds zeros when it is written again`() {
        let store = ModelledStore()
        store.write(5, 0..<4_096, 0xff)
        store.forget(5)
        let isEmpty = store.store.isEmpty
        #expect(isEmpty)
        store.write(9, 8..<9, 1)
        #expect(store.difference(in: 0..<16) == nil)
        let isPresent = store.store.isPresent(5)
        #expect(!isPresent)
    }
}
