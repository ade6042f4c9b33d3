import TestSupport
import Testing

@testable import KernelHeap

/// What `slab_out_of_memory()` prints when a cache gets no slab.
@Suite("SLUB: a cache that gets no slab")
struct SlabFailureTests {
    static let recordings = ["texts/bad-fail-86", "slabtexts/bad-fail"]

    /// A machine of 96 MiB without a free page that GFP_NOWAIT would get.
    private func exhaustedMachine(_ bootOptions: String) throws -> CallMachine {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        description.bootOptions = bootOptions
        let machine = try CallMachine(description)
        try machine.call("kmem_cache_create", "lab-plain", 200, 0, 0)
        while case .pointer(let address) = try machine.call("alloc_page", 0x2cc0).result.value,
            address != 0
        {}
        return machine
    }

    @Test("the lines are the recorded ones", arguments: recordings)
    func isRecorded(file: String) throws {
        let recorded = try Recording.text("\(file).case-86.txt")
            .split(separator: "\n").map { String($0.drop { $0 != "]" }.dropFirst(2)) }
        let start = try #require(recorded.firstIndex { $0.hasPrefix("SLUB: ") })
        let machine = try exhaustedMachine("slub_nomerge")

        let outcome = try machine.call("kmem_cache_alloc", "lab-plain", 0x800)

        #expect(outcome.result.value == .pointer(0))
        let log = Array(outcome.log)
        #expect(log.suffix(3) == recorded[start..<start + 3])
    }

    @Test func `a caller who asks for silence gets it`() throws {
        let machine = try exhaustedMachine("slub_nomerge")

        let outcome = try machine.call("kmem_cache_alloc", "lab-plain", 0x2800)

        #expect(outcome.result.value == .pointer(0))
        #expect(outcome.log.isEmpty)
    }

    @Test func `debugging that made slabs larger is named`() throws {
        var description = MachineDescription()
        description.memoryBytes = 96 << 20
        description.bootOptions = "slub_debug=FZPU"
        let machine = try CallMachine(description)
        try machine.call("kmem_cache_create", "lab-page", 4_096, 0, 0)
        while case .pointer(let address) = try machine.call("alloc_page", 0x2cc0).result.value,
            address != 0
        {}

        let outcome = try machine.call("kmem_cache_alloc", "lab-page", 0x800)

        #expect(
            outcome.log.contains(
                "  lab-page debugging increased min order, use slub_debug=O to disable."
            )
        )
    }
}
