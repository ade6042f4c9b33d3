import TestSupport
import Testing

@testable import KernelHeap

/// A double free cuts or bends a freelist; the node's list of slabs stays a list.
@Suite("slub_debug: lists of slabs after double frees")
struct DoubleFreeListTests {
    static let options = [
        "slub_debug=FZPU", "slub_debug=FZ", "slub_debug=P slab_freelist_hardened=0",
        "slub_debug=U slab_freelist_hardened=0",
    ]

    //   free A; free A        freelist → A → end, though more objects are free
    //   alloc A; free A       the freelist was empty, and the slab on its list all the time
    @Test("a slab whose freelist was cut is on its list once", arguments: options)
    func cutList(options: String) throws {
        let machine = try CallMachine(options)
        let cache = try machine.call("kmem_cache_create", "t", 64, 0, 0).word
        let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word
        for _ in 0..<2 { try machine.call("kmem_cache_free", .word(cache), .word(object)) }
        try machine.call("kmem_cache_alloc", .word(cache), 0xcc0)
        try machine.call("kmem_cache_free", .word(cache), .word(object))

        // A list that runs in a circle would never be told to its end.
        try #require(machine.kernel.checkInvariants(misuse: true) == [])
        #expect(try machine.cache("t").partial.map(\.count) == [1])
    }

    @Test("no sequence of frees breaks a list of slabs", arguments: options)
    func randomFrees(options: String) throws {
        let machine = try CallMachine(options)
        let cache = try machine.call("kmem_cache_create", "t", 1_024, 0, 0).word
        var random = SeededRandom(seed: 7)
        var objects: [UInt64] = []
        for step in 0..<1_200 {
            if objects.isEmpty || random.next() % 5 < 2 {
                let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word
                // A freelist that leads nowhere ends in an oops.
                if object != 0 { objects.append(object) }
            } else {
                // An object may be freed again, while it is free or somebody else's.
                let index = Int(random.next() % UInt64(objects.count))
                try machine.call("kmem_cache_free", .word(cache), .word(objects[index]))
                if random.next() % 4 > 0 { objects.remove(at: index) }
            }
            guard step % 20 == 0 else { continue }
            try #require(machine.kernel.checkInvariants(misuse: true) == [], "step \(step)")
        }
    }
}
