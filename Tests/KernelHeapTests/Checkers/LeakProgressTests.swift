import Synchronization
import Testing

@testable import KernelHeap

@Suite("kmemleak: how far a scan is")
struct LeakProgressTests {
    /// What was told of a machine's calls.
    private final class Words: Sendable {
        let list = Mutex<[CallProgress]>([])
    }

    @Test func `a scan of many objects says how far it is`() throws {
        var kernel = try Kernel(MachineDescription())
        let alloc = try #require(CallRegistry.byName["kmalloc"])
        var size = CallArguments()
        size.set(0, word: 32)
        size.set(1, word: 0xcc0)
        for _ in 0..<200_000 { _ = kernel.apply(alloc, size, in: .standard) }
        let words = Words()
        kernel.onProgress = { word in words.list.withLock { $0.append(word) } }
        let scan = try #require(CallRegistry.byName["kmemleak_scan"])

        _ = kernel.apply(scan, CallArguments(), in: .standard)

        let told = words.list.withLock { $0 }
        #expect(told.count >= 3)
        #expect(told.allSatisfy { $0.call == 200_001 && $0.function == "kmemleak_scan" })
        #expect(zip(told, told.dropFirst()).allSatisfy { $0.done < $1.done })
        let isWithin = told.allSatisfy { $0.done <= $0.total && $0.total >= 200_000 }
        #expect(isWithin)
    }
}
