import TestSupport
import Testing

@testable import KernelHeap

/// Every recorded cache of the 32-bit kernels.
@Suite("Slab geometry of i386")
struct I386SlabTests {
    private let unmerged = SlabOptions(
        bootOptions: "slub_nomerge",
        cpus: 1,
        architecture: .i386
    )

    @Test func `every built-in cache has the recorded layout and flags`() throws {
        let recorded = try Dictionary(
            uniqueKeysWithValues: I386SlabTable.caches().map { ($0.name, $0) }
        )
        let caches = unmerged.architecture.builtins.inOrderOfCreation

        #expect(recorded.count == 195)
        #expect(Set(caches.map(\.name)) == Set(recorded.keys))
        for request in caches {
            let geometry = try #require(SlabGeometry(request: request, options: unmerged))
            #expect(I386SlabTable.Cache(request.name, geometry) == recorded[request.name])
        }
    }

    @Test func `caches of any size have the recorded layout`() throws {
        let shapes = try I386SlabTable.shapes()

        #expect(shapes.count == 2_728)
        for shape in shapes {
            let request = SlabRequest(
                name: "made",
                size: shape.from,
                flags: SlabFlags(rawValue: shape.flags)
            )
            let geometry = try #require(SlabGeometry(request: request, options: unmerged))
            #expect(Numbers(geometry) == Numbers(shape), "\(shape.from) bytes")
            #expect(geometry.flags.subtracting(.cmpxchgDouble).rawValue == shape.flags)
        }
    }

    /// A recorded boot and what its machine is.
    struct Boot: Sendable {
        var folder: String
        var kernel = BuiltinCaches.I386()
        var options = ""
    }

    // The caches that a kernel with merging on is left with show the flags of all others: two
    // caches share slabs only where size, alignment and accounting agree.
    @Test(
        "slabinfo lists the recorded caches in the recorded order",
        arguments: [
            Boot(folder: "i386-nomerge", options: "slub_nomerge"),
            Boot(folder: "i386/686-512M", kernel: BuiltinCaches.I386(hasHighMemory: false)),
            Boot(folder: "i386/686-1G"), Boot(folder: "i386/686-1G-amd"),
            Boot(folder: "i386/686-1G-nothp"), Boot(folder: "i386/686-3G"),
            Boot(folder: "i386/686-4G"), Boot(folder: "i386/686-4G-nothp"),
            Boot(folder: "i386/pae-1G", kernel: BuiltinCaches.I386(hasPAE: true)),
            // Recorded on a processor with longer lines that needs no page-table isolation.
            Boot(
                folder: "i386/pae-4G",
                kernel: BuiltinCaches.I386(hasPAE: true, sharesKernelTables: true),
                options: "cache_line_size=64"
            ),
        ]
    )
    func merging(boot: Boot) throws {
        var architecture = SlabArchitecture.i386
        architecture.builtins = .i386(boot.kernel)
        let catalog = SlabCatalog(
            booting: SlabOptions(bootOptions: boot.options, cpus: 1, architecture: architecture)
        )
        let recorded = try ProcParser.slabInfo(Recording.text("\(boot.folder)/slabinfo"))

        let listed = catalog.order.reversed().map { place in
            let geometry = catalog.geometries[place]
            return [
                catalog.names[place], "\(geometry.size)", "\(geometry.objectsPerSlab)",
                "\(1 << geometry.order)",
            ]
        }

        #expect(recorded.count > 130)
        #expect(
            listed
                == recorded.map {
                    [$0.name, "\($0.objectSize)", "\($0.objectsPerSlab)", "\($0.pagesPerSlab)"]
                }
        )
    }

    @Test(
        "each recorded size of kmalloc comes from the smallest cache that holds it",
        arguments: [
            "i386-nomerge", "i386/686-512M", "i386/686-1G", "i386/686-1G-amd", "i386/686-3G",
            "i386/686-4G", "i386/pae-1G", "i386/pae-4G",
        ]
    )
    func recordedSizes(folder: String) throws {
        let kinds: [String: BuiltinCaches.KmallocKind] = [
            "GFP_KERNEL": .normal, "GFP_KERNEL|__GFP_RECLAIMABLE": .reclaimable,
            "GFP_KERNEL_ACCOUNT": .accounted, "GFP_KERNEL|GFP_DMA": .dma,
        ]
        var compared = 0
        for row in try I386SlabTable.kmalloc(folder) {
            guard let kind = kinds[row.kind], let from = row.from, let to = row.to, from > 0 else {
                continue
            }
            for size in [from, to] {
                let index = BuiltinCaches.kmallocIndex(size)
                let cache = index.map { BuiltinCaches.kmallocCaches(kind)[$0] }
                #expect((cache?.name ?? "page") == row.cache)
                #expect(cache == nil || cache?.size == row.ksize)
                compared += 1
            }
        }
        #expect(compared == 4 * 2 * 14)
    }

    @Test func `checks add words of four bytes and tracks of twenty`() throws {
        let options = SlabOptions(bootOptions: "slub_debug=ZU", cpus: 1, architecture: .i386)
        let request = SlabRequest(name: "made", size: 64)

        let geometry = try #require(SlabGeometry(request: request, options: options))

        // 8 before, 64, a red zone of 4, two tracks, and 4 that the kernel leaves behind.
        #expect(geometry.redLeftPad == 8)
        #expect(geometry.inuse == 68)
        #expect(geometry.size == 8 + 64 + 4 + 2 * 20 + 4)
    }

    @Test(
        "a cache line that no processor has is left at the default",
        arguments: ["0", "8", "24", "512", "-64", "9999999999999999999999", ""]
    )
    func oddCacheLine(text: String) {
        let options = SlabOptions(
            bootOptions: "cache_line_size=\(text)",
            cpus: 1,
            architecture: .i386
        )

        #expect(options.architecture.cacheLineBytes == 32)
    }
}

/// The numbers that the recordings give for a cache made for the purpose.
private struct Numbers: Hashable {
    var layout: [String: Int]

    init(_ shape: I386SlabTable.Shape) {
        layout = [
            "slab_size": shape.slabSize, "align": shape.align, "order": shape.order,
            "objects": shape.objects, "min_order": shape.minOrder,
            "min_objects": shape.minObjects, "inuse": shape.inuse, "offset": shape.offset,
            "cpu_partial": shape.cpuPartial, "cpu_partial_slabs": shape.cpuPartialSlabs,
            "min_partial": shape.minPartial,
        ]
    }

    init(_ geometry: SlabGeometry) {
        layout = [
            "slab_size": geometry.size, "align": geometry.align, "order": geometry.order,
            "objects": geometry.objectsPerSlab, "min_order": geometry.minOrder,
            "min_objects": geometry.minObjects, "inuse": geometry.inuse,
            "offset": geometry.offset, "cpu_partial": geometry.cpuPartial,
            "cpu_partial_slabs": geometry.cpuPartialSlabs, "min_partial": geometry.minPartial,
        ]
    }
}

extension I386SlabTable.Cache {
    fileprivate init(_ name: String, _ geometry: SlabGeometry) {
        self.init(
            name: name,
            objectSize: geometry.objectSize,
            slabSize: geometry.size,
            align: geometry.align,
            order: geometry.order,
            objectsPerSlab: geometry.objectsPerSlab,
            cpuPartial: geometry.cpuPartial,
            minPartial: geometry.minPartial,
            isLineAligned: geometry.flags.contains(.hardwareCacheAlign),
            isDMA: geometry.flags.contains(.cacheDMA),
            isReclaimable: geometry.flags.contains(.reclaimAccount),
            usercopySize: geometry.usercopySize,
            isFreedByRCU: geometry.flags.contains(.typesafeByRCU)
        )
    }
}
