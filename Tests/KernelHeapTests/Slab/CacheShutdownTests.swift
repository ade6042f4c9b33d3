import KernelHeap
import TestSupport
import Testing

@Suite("kmem_cache: shrinking, grace periods, live objects")
struct CacheShutdownTests {
    @Test func `shrinking gives empty slabs back and puts the fullest first`() throws {
        let machine = try CallMachine("slub_nomerge")
        // 16 objects of 256 bytes in a slab.
        let s = try machine.call("kmem_cache_create", "lab", 256).word
        var objects: [UInt64] = []
        for _ in 0..<16 * 12 {
            objects.append(try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word)
        }
        // Slab n keeps n objects; slab 0 and slab 11 become empty.
        for (index, object) in objects.enumerated() {
            let slab = index / 16
            let keeps = slab == 11 ? 0 : slab
            if index % 16 >= keeps {
                try machine.call("kmem_cache_free", .word(s), .word(object))
            }
        }

        let result = try machine.call("kmem_cache_shrink", .word(s)).word
        let state = try machine.cache("lab")

        #expect(result == 1)
        #expect(state.cpus.isEmpty)
        #expect(state.partial[0].map(\.objectsInUse) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(state.counts.slabs == 10)
        #expect(machine.violations == [])
    }

    @Test func `shrinking a cache without objects leaves it without slabs`() throws {
        let machine = try CallMachine("slub_nomerge", cpus: 4)
        let s = try machine.call("kmem_cache_create", "lab", 256).word
        for cpu in 0..<4 {
            let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0, cpu: cpu).word
            try machine.call("kmem_cache_free", .word(s), .word(object), cpu: (cpu + 1) % 4)
        }
        let before = try machine.cache("lab").counts.slabs

        let result = try machine.call("kmem_cache_shrink", "lab").word

        #expect(before == 4 && result == 0)
        #expect(try machine.cache("lab").counts.slabs == 0)
        #expect(machine.violations == [])
    }

    @Test func `typesafe slabs keep their pages until a grace period ends`() throws {
        let machine = try CallMachine()
        let before = machine.slabPages
        let s = try machine.call("kmem_cache_create", "lab", 512, 0, 0x8_0000).word
        let structures = machine.slabPages - before
        let pages = UInt64(1) << UInt64(try machine.cache("lab").detail.geometry.order)
        let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
        try machine.call("kernel_write", .word(object), .bytes([9, 9, 9]))
        try machine.call("kmem_cache_free", .word(s), .word(object))
        let destroyed = try machine.call("kmem_cache_destroy", .word(s))
        let waiting = machine.slabPages
        let read = try machine.read(object, 3)
        let late = try machine.call("kfree", .word(object))
        let isNamed = machine.hasCache("lab")
        let violations = machine.violations
        let ended = try machine.call("rcu_barrier")

        #expect(destroyed.fact("outcome") == .text("waiting"))
        #expect(!isNamed)
        #expect(waiting == before + structures + pages)
        #expect(read == [9, 9, 9])
        #expect(late.log.count <= 5)
        #expect(violations == [])
        #expect(ended.fact("slabs_freed") == .number(1))
        #expect(machine.slabPages == before + structures)
        #expect(machine.violations == [])
    }

    @Test func `a cache with live objects is reported as recorded, and stays`() throws {
        let machine = try CallMachine("slub_nomerge slub_debug=FZPU")
        // The recorded slab holds 21 objects, one of them in use.
        let s = try machine.call("kmem_cache_create", "lab-live", 64, 0, 0).word
        let size = try machine.cache("lab-live").detail.geometry.size
        let object = try machine.call("kmem_cache_alloc", .word(s), 0xcc0).word
        let outcome = try machine.call("kmem_cache_destroy", .word(s))
        let after = try machine.cache("lab-live")
        try machine.call("kmem_cache_free", .word(s), .word(object))
        let second = try machine.call("kmem_cache_destroy", .word(s))

        let recorded = try Recording.text("slabtexts/bad-slab-debug.case-58.txt")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map(Self.withoutTime)
        let ours = outcome.log.map(Self.normalised)
        let theirs = recorded.map(Self.normalised).filter { line in
            Self.isKept(line)
        }
        let objects = UInt64(4096 / size)
        #expect(ours.filter(Self.isKept) == theirs)
        #expect(outcome.log.contains { $0.contains(" objects=\(objects) used=1 ") })
        #expect(outcome.fact("outcome") == .text("busy"))
        #expect(after.liveObjects == 1)
        #expect(second.fact("outcome") == .text("destroyed"))
        #expect(machine.violations == [])
    }

    private static func withoutTime(_ line: Substring) -> String {
        guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { return String(line) }
        return String(line[line.index(after: end)...].dropFirst())
    }

    /// The lines that make the report; registers, traces and tracks are others' or left out.
    private static func isKept(_ line: String) -> Bool {
        let starts = [
            "===", "BUG lab", "---", "Slab 0x", "Object 0x", "kmem_cache_destroy lab", "WARNING:",
        ]
        return starts.contains { line.hasPrefix($0) }
    }

    /// Addresses, taint, process and caller differ from machine to machine.
    private static func normalised(_ line: String) -> String {
        var line = line
        for pattern in [
            /0x[0-9a-f]{16}/, /\(Tainted: [^)]*\)/, /\(Not tainted\)/, /PID: [0-9]+/,
            /@offset=[0-9]+/, /objects=[0-9]+/, /called from .*/, /zone=[0-9]/,
            /flags=0x[0-9a-f]+/,
        ] as [Regex<Substring>] {
            line = line.replacing(pattern, with: "…")
        }
        return line
    }
}

@Suite("kmem_cache: shrinking slabs that are linked in their bytes")
struct ByteListShrinkTests {
    private let machine: CallMachine
    private let objects: [UInt64]

    init() throws {
        machine = try CallMachine("slub_nomerge")
        var objects: [UInt64] = []
        for _ in 0..<4 { objects.append(try machine.call("kmalloc", 64, 0xcc0).word) }
        self.objects = objects
        for object in objects[1...2] { try machine.call("kfree", .word(object)) }
    }

    @Test func `free pointers that a store left as they were still lead through the slab`() throws {
        let pointer = objects[1] + 32
        let bytes = try machine.read(pointer, 8)
        try machine.call("kernel_write", .word(pointer), .bytes(bytes))
        let shrunk = try machine.call("kmem_cache_shrink", "kmalloc-64").word
        let state = try machine.cache("kmalloc-64")
        let again = try machine.call("kmalloc", 64, 0xcc0).word
        for object in [objects[0], again, objects[3]] {
            try machine.call("kfree", .word(object))
        }
        let empty = try machine.call("kmem_cache_shrink", "kmalloc-64").word

        #expect(shrunk == 1 && state.partial[0].map(\.objectsInUse) == [2])
        #expect(again == objects[2])
        #expect(empty == 0)
        #expect(try machine.cache("kmalloc-64").counts.slabs == 0)
        #expect(machine.violations == [])
    }

    @Test func `a free pointer that was written over ends the list, not the service`() throws {
        try machine.call(
            "kernel_write",
            .word(objects[1] + 32),
            .bytes([1, 2, 3, 4, 5, 6, 7, 8])
        )

        let shrunk = try machine.call("kmem_cache_shrink", "kmalloc-64").word

        #expect(shrunk == 1)
        #expect(try machine.cache("kmalloc-64").cpus.isEmpty)
    }
}
