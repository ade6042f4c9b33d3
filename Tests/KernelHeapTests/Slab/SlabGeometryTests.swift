import KernelHeap
import TestSupport
import Testing

/// Every field of every recorded cache, under every recorded set of boot options.
@Suite("Slab geometry")
struct SlabGeometryTests {
    @Test(
        "caches that are not merged have the recorded layout",
        arguments: SlabTable.variants.filter { $0.bootOptions.contains("slub_nomerge") }
    )
    func layout(variant: SlabTable.Variant) throws {
        let table = try SlabTable.named(variant.name)
        let options = SlabOptions(bootOptions: variant.bootOptions, cpus: table.nrCpuIds)

        #expect(table.caches.count >= 1_117)
        for cache in table.caches {
            let request = SlabRequest(cache, options: options)
            let geometry = SlabGeometry(request: request, options: options)
            #expect(geometry.map(Numbers.init) == Numbers(cache), "\(variant.name) \(cache.name)")
        }
    }

    // Built-in caches in their order of creation, merged as the kernel does it, must leave the
    // caches that the kernel with merging on has, and then take in those made for the purpose.
    @Test("merging leaves the recorded caches", arguments: ["slab-merge", "slab-merge-memcg"])
    func merging(name: String) throws {
        let table = try SlabTable.named(name)
        let options = SlabOptions(bootOptions: "", cpus: table.nrCpuIds)
        var machine = MergingMachine(options: options)

        for request in BuiltinCaches.Table.x8664.inOrderOfCreation { machine.create(request) }

        let recorded = table.caches.filter(\.isBuiltin).reversed()
        #expect(machine.caches.map(\.name) == recorded.map(\.name))
        #expect(machine.caches.map { Numbers($0.geometry) } == recorded.map(Numbers.init))
        for cache in table.caches where !cache.isBuiltin {
            let request = SlabRequest(cache, options: options)
            let geometry = machine.create(request)
            #expect(geometry.map(Numbers.init) == Numbers(cache), "\(cache.name)")
        }
    }

    @Test func `size 0 and sizes beyond the largest block have no geometry`() {
        let options = SlabOptions(cpus: 1)
        let sizes: [UInt64] = [0, 4 << 20 + 1, 8 << 20, 1 << 32, 1 << 63, .max]

        for size in sizes {
            let request = SlabRequest(name: "huge", size: size)
            #expect(SlabGeometry(request: request, options: options) == nil, "\(size)")
        }
    }

    @Test func `hostile alignments and boot options end in a layout or in none`() {
        let numbers: [UInt64] = [1, 3, 7, 8, 24, 4_097, 1 << 20, 1 << 31, 1 << 32, 1 << 63, .max]
        let boots = [
            "slub_min_order=10 slub_max_order=0", "slub_min_order=-5", "slub_max_order=99999999",
            "slub_min_objects=18446744073709551615", "slub_debug=;;,,;x,", "slub_debug=FZPUTAO",
        ]
        var layouts = 0
        for boot in boots {
            let options = SlabOptions(bootOptions: boot, cpus: .max)
            for size in numbers {
                for align in numbers {
                    let request = SlabRequest(name: "odd", size: size, align: align)
                    guard let geometry = SlabGeometry(request: request, options: options) else {
                        continue
                    }
                    layouts += 1
                    #expect(geometry.objectsPerSlab * geometry.size <= 4096 << geometry.order)
                    #expect(geometry.objectsPerSlab > 0)
                }
            }
        }
        #expect(layouts > 0)
    }

    @Test func `slub_debug with a list of caches changes those alone`() {
        let options = SlabOptions(
            bootOptions: "quiet slub_debug=FZ,dentry,kmalloc-*;P,inode",
            cpus: 1
        )

        #expect(options.flags([], ofCache: "kmalloc-64") == [.consistencyChecks, .redZone])
        #expect(options.flags([], ofCache: "dentry") == [.consistencyChecks, .redZone])
        #expect(options.flags(.panic, ofCache: "inode") == [.panic, .poison])
        #expect(options.flags([], ofCache: "inode_cache") == [])
    }

    @Test func `a command line is cut where the kernel's buffer ends`() {
        let names = (0..<100_000).map { "cache\($0)" }.joined(separator: ",")

        let options = SlabOptions(bootOptions: "slub_debug=Z,\(names) slub_nomerge", cpus: 1)

        #expect(options.debugBlocks.count == 1)
        #expect(options.debugBlocks[0].caches.count < 2_047 / 7)
        #expect(!options.isMergingOff)
    }

    @Test func `slub_debug=O drops checks that would need a larger order`() throws {
        let options = SlabOptions(bootOptions: "slub_debug=FZPUO", cpus: 1)

        let large = try #require(
            SlabGeometry(request: SlabRequest(name: "page", size: 4_096), options: options)
        )
        let small = try #require(
            SlabGeometry(request: SlabRequest(name: "small", size: 64), options: options)
        )

        #expect(large.size == 4_096)
        #expect(large.flags.isDisjoint(with: [.redZone, .poison, .storeUser]))
        #expect(small.flags.isSuperset(of: [.redZone, .poison, .storeUser]))
    }
}

/// The numbers that the recordings give for a cache.
private struct Numbers: Hashable {
    var layout: [String: Int]
    var flags: SlabFlags

    init(_ geometry: SlabGeometry) {
        layout = [
            "object_size": geometry.objectSize, "slab_size": geometry.size,
            "align": geometry.align, "inuse": geometry.inuse, "offset": geometry.offset,
            "red_left_pad": geometry.redLeftPad, "order": geometry.order,
            "objs_per_slab": geometry.objectsPerSlab, "min_order": geometry.minOrder,
            "min_objs": geometry.minObjects, "min_partial": geometry.minPartial,
            "cpu_partial": geometry.cpuPartial, "cpu_partial_slabs": geometry.cpuPartialSlabs,
            "useroffset": geometry.usercopyOffset, "usersize": geometry.usercopySize,
        ]
        flags = geometry.flags
    }

    init(_ cache: SlabTable.Cache) {
        layout = [
            "object_size": cache.objectSize, "slab_size": cache.slabSize, "align": cache.align,
            "inuse": cache.inuse, "offset": cache.offset, "red_left_pad": cache.redLeftPad,
            "order": cache.order, "objs_per_slab": cache.objsPerSlab,
            "min_order": cache.minOrder, "min_objs": cache.minObjs,
            "min_partial": cache.minPartial, "cpu_partial": cache.cpuPartial,
            "cpu_partial_slabs": cache.cpuPartialSlabs, "useroffset": cache.useroffset,
            "usersize": cache.usersize,
        ]
        flags = cache.flagBits
    }
}

extension SlabRequest {
    /// What was asked for; a built-in cache's request shows in its own size, alignment and flags.
    fileprivate init(_ cache: SlabTable.Cache, options: SlabOptions) {
        if cache.isBuiltin {
            self.init(
                name: cache.name,
                size: UInt64(cache.objectSize),
                align: UInt64(cache.align),
                flags: cache.flagBits.subtracting([.cmpxchgDouble, .objectPoison])
                    .subtracting(options.debugFlags),
                hasConstructor: cache.ctor,
                usercopyOffset: UInt64(cache.useroffset),
                usercopySize: UInt64(cache.usersize)
            )
        } else {
            let asked = cache.reqFlags.split(separator: "|")
            let named = SlabFlags.names.filter { name, _ in asked.contains { $0 == name } }
            self.init(
                name: cache.name,
                size: cache.reqSize,
                align: cache.reqAlign,
                // The recording module keeps SLAB_PANIC to itself.
                flags: SlabFlags(named.map(\.flag)).subtracting(.panic),
                hasConstructor: cache.ctor,
                usercopyOffset: cache.reqUseroffset,
                usercopySize: cache.reqUsersize
            )
        }
    }
}

/// The list of caches of a machine that merges, oldest first.
private struct MergingMachine {
    struct Cache {
        var name: String
        var geometry: SlabGeometry
        var isExclusive: Bool
    }

    let options: SlabOptions
    var caches: [Cache] = []

    @discardableResult
    mutating func create(_ request: SlabRequest) -> SlabGeometry? {
        let place = caches.firstIndex {
            $0.geometry.canShare(
                with: request,
                isExclusive: $0.isExclusive,
                options: options
            )
        }
        if let place {
            caches[place].geometry.share(with: request, options: options)
            return caches[place].geometry
        }
        guard let geometry = SlabGeometry(request: request, options: options) else { return nil }
        let isExclusive = BuiltinCaches.isExclusive(request)
        caches.append(Cache(name: request.name, geometry: geometry, isExclusive: isExclusive))
        return geometry
    }
}
