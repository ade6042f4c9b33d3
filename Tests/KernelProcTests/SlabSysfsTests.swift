import KernelProc
import TestSupport
import Testing

@testable import KernelHeap

/// Ten caches of five boots: layout and flags computed, counts read back from the recording.
@Suite("/sys/kernel/slab")
struct SlabSysfsTests {
    static let boots = SlabTable.variants.filter { boot in
        ["-smp1", "-smp4", "-debug", "-merge", "-merge-memcg"].contains { "slab\($0)" == boot.name }
    }

    @Test("every file of every recorded cache is the kernel's", arguments: boots)
    func files(boot: SlabTable.Variant) throws {
        let cpus = try SlabTable.named(boot.name).nrCpuIds
        let options = SlabOptions(bootOptions: boot.bootOptions, cpus: cpus)
        let catalog = SlabCatalog(booting: options)
        let recorded = try RecordedFiles(named: boot.name)

        #expect(Self.boots.count == 5)
        #expect(recorded.caches.count == 10)
        for (name, files) in recorded.caches {
            let id = try #require(catalog.cache(named: name))
            let geometry = catalog.geometries[Int(id.rawValue)]
            var view = CacheDetailView(name: name, geometry: geometry)
            view.aliasCount = catalog.aliasCount(Int(id.rawValue))
            view.constructor = files["ctor"] ?? ""
            recorded.fill(&view, from: files, cpus: cpus)

            #expect(files.keys.sorted() == SlabSysfs.attributes)
            for (attribute, text) in files {
                let made = SlabSysfs.text(attribute, of: view)
                #expect(made == text + "\n", "\(name)/\(attribute)")
            }
        }
    }

    @Test func `a file that no cache has is no text`() throws {
        let request = SlabRequest(name: "plain", size: 64)
        let geometry = try #require(SlabGeometry(request: request, options: SlabOptions(cpus: 1)))

        #expect(SlabSysfs.text("shrink", of: CacheDetailView(name: "a", geometry: geometry)) == nil)
    }

    @Test func `slabs on two nodes are shown node by node`() throws {
        let request = SlabRequest(name: "plain", size: 64)
        let geometry = try #require(SlabGeometry(request: request, options: SlabOptions(cpus: 1)))
        var view = CacheDetailView(name: "plain", geometry: geometry)
        var first = CacheDetailView.Node(id: 0)
        first.slabs = 3
        var second = CacheDetailView.Node(id: 1)
        second.slabs = 4
        view.nodes = [first, second]

        #expect(SlabSysfs.text("slabs", of: view) == "7 N0=3 N1=4\n")
    }
}

/// Lines of `slab-*.sysfs.txt`: `kmalloc-8 cpu_slabs = 2 N0=2`.
private struct RecordedFiles {
    var caches: [String: [String: String]] = [:]

    init(named name: String) throws {
        for line in try Recording.text("slab/\(name).sysfs.txt").split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard words.count >= 3 else { continue }
            let value = words.count > 3 ? String(words[3]) : ""
            caches[String(words[0]), default: [:]][String(words[1])] = value
        }
    }

    /// The recorded machines have one node.
    func fill(_ view: inout CacheDetailView, from files: [String: String], cpus: Int) {
        func total(_ attribute: String) -> UInt64 {
            UInt64((files[attribute] ?? "").prefix { $0.isNumber }) ?? 0
        }
        var node = CacheDetailView.Node(id: 0)
        node.slabs = total("slabs")
        node.objects = total("total_objects")
        node.partialSlabs = total("partial")
        node.partialObjectsInUse = total("objects_partial")
        node.partialObjectsFree = total("total_objects") - total("objects")
        node.cpuSlabs = total("cpu_slabs")
        view.nodes = [node]
        // "346(33) C0=31(3) C1=63(6)": the slabs stand in brackets.
        view.cpuPartialSlabs = (0..<cpus).map { cpu in
            let words = (files["slabs_cpu_partial"] ?? "").split(separator: " ")
            let word = words.first { $0.hasPrefix("C\(cpu)=") } ?? ""
            return UInt64(word.drop { $0 != "(" }.dropFirst().dropLast()) ?? 0
        }
    }
}
