import TestSupport
import Testing

@testable import KernelHeap

/// Which names share a cache, and what that cache is called under `/sys/kernel/slab/`.
@Suite("Slab aliases")
struct SlabAliasesTests {
    /// The directory that each recorded name points to, or the name itself.
    private func recorded(_ name: String) throws -> [String: String] {
        var directories: [String: String] = [:]
        for line in try Recording.text("slab/\(name).aliases.txt").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let first = words.first else { continue }
            directories[String(first)] = String(words.count == 3 ? words[2] : first)
        }
        return directories
    }

    @Test(
        "names point to the recorded directories",
        arguments: ["slab-merge", "slab-merge-memcg", "slab-smp1", "slab-smp4", "slab-debug"]
    )
    func directories(name: String) throws {
        let variant = try #require(SlabTable.variants.first { $0.name == name })
        let cpus = try SlabTable.named(name).nrCpuIds
        let options = SlabOptions(bootOptions: variant.bootOptions, cpus: cpus)
        let catalog = SlabCatalog(booting: options)
        var directories: [String: String] = [:]
        for alias in catalog.aliases {
            let shared = catalog.sharedDirectory(Int(alias.cache.rawValue))
            directories[alias.name] = shared ?? alias.name
            if let shared { directories[shared] = shared }
        }

        let expected = try recorded(name)

        #expect(expected.count >= 199)
        let differences = Set(expected.keys).union(directories.keys).sorted().filter {
            expected[$0] != directories[$0]
        }
        for name in differences {
            Issue.record("\(name): \(directories[name] ?? "-"), recorded \(expected[name] ?? "-")")
        }
    }

    @Test("each cache has the recorded number of creators", arguments: ["slab-merge", "slab-smp1"])
    func references(name: String) throws {
        let table = try SlabTable.named(name)
        let variant = try #require(SlabTable.variants.first { $0.name == name })
        let options = SlabOptions(bootOptions: variant.bootOptions, cpus: table.nrCpuIds)
        let catalog = SlabCatalog(booting: options)
        let recorded = Dictionary(
            table.caches.filter(\.isBuiltin).map { ($0.name, $0.refcount) },
            uniquingKeysWith: { first, _ in first }
        )

        #expect(recorded.count == catalog.order.count)
        for place in catalog.order {
            let name = catalog.names[place]
            let references = catalog.records[place].references
            #expect(references == recorded[name], "\(name)")
        }
    }
}
