import KernelHeap
import TestSupport
import Testing

@Suite("Built-in caches")
struct BuiltinCachesTests {
    @Test(
        "every boot has these caches, in this order",
        arguments: SlabTable.variants.filter { $0.bootOptions.contains("slub_nomerge") }
    )
    func order(variant: SlabTable.Variant) throws {
        let recorded = try SlabTable.named(variant.name).caches.filter(\.isBuiltin).reversed()

        let caches = BuiltinCaches.Table.x8664.inOrderOfCreation

        #expect(caches.map(\.name) == recorded.map(\.name))
        #expect(caches.map(\.size) == recorded.map { UInt64($0.objectSize) })
        #expect(caches.map(\.align) == recorded.map { UInt64($0.align) })
        #expect(caches.map(\.hasConstructor) == recorded.map(\.ctor))
        #expect(caches.map(\.usercopyOffset) == recorded.map { UInt64($0.useroffset) })
        #expect(caches.map(\.usercopySize) == recorded.map { UInt64($0.usersize) })
        let options = SlabOptions(bootOptions: variant.bootOptions, cpus: 1)
        for (cache, truth) in zip(caches, recorded) {
            let geometry = try #require(SlabGeometry(request: cache, options: options))
            #expect(geometry.flags == truth.flagBits, "\(cache.name)")
        }
    }

    @Test(
        "a size takes the smallest cache that holds it",
        arguments: [
            (1, "kmalloc-8"), (8, "kmalloc-8"), (9, "kmalloc-16"), (65, "kmalloc-96"),
            (97, "kmalloc-128"), (129, "kmalloc-192"), (193, "kmalloc-256"),
            (1_025, "kmalloc-2k"), (8_192, "kmalloc-8k"),
        ]
    )
    func sizes(size: UInt64, name: String) throws {
        let index = try #require(BuiltinCaches.kmallocIndex(size))

        #expect(BuiltinCaches.kmallocCaches(.normal)[index].name == name)
    }

    @Test func `zero and more than two pages have no cache`() {
        #expect(BuiltinCaches.kmallocIndex(0) == nil)
        #expect(BuiltinCaches.kmallocIndex(8_193) == nil)
        #expect(BuiltinCaches.kmallocIndex(.max) == nil)
    }

    @Test(
        "each recorded size of kmalloc comes from the smallest cache that holds it",
        arguments: KmallocTable.setups
    )
    func recordedSizes(setup: KmallocTable.Setup) throws {
        let kinds: [String: BuiltinCaches.KmallocKind] = [
            "GFP_KERNEL": .normal, "GFP_KERNEL|__GFP_RECLAIMABLE": .reclaimable,
            "GFP_KERNEL_ACCOUNT": .accounted, "GFP_KERNEL|GFP_DMA": .dma,
        ]
        var compared = 0
        for variant in try KmallocTable.named(setup.name).variants {
            guard let kind = kinds[variant.gfp] else { continue }
            for range in variant.ranges where range.from > 0 {
                for size in [range.from, range.to] {
                    let index = BuiltinCaches.kmallocIndex(size)
                    let cache = index.map { BuiltinCaches.kmallocCaches(kind)[$0] }
                    #expect((cache?.name ?? "large") == range.cache)
                    #expect(cache == nil || cache?.size == range.ksize)
                    compared += 1
                }
            }
        }
        #expect(compared > 4 * 2 * 13)
    }
}
