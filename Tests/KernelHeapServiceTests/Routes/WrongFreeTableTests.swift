import Testing

@Suite("HTTP: the table of wrong frees")
struct WrongFreeTableTests {
    private static let lines = FlagLine.lines(of: "wrong-frees.md")

    @Test("every line answers as it says", arguments: Self.lines)
    func answers(line: FlagLine) throws { try FlagTableTests.run(line) }

    @Test func `the table has every function with every kind of memory`() {
        let functions = [
            "kfree", "kfree_sensitive", "kvfree", "vfree", "vunmap", "iounmap", "kmem_cache_free",
            "free_pages", "__free_pages", "devm_kfree", "dma_free_coherent",
        ]
        let kinds = [
            "slab object", "object's middle", "object of a cache", "freed object", "large kmalloc",
            "large kmalloc's second page", "pages", "vmalloc", "vmalloc's second page",
            "byte 8 of vmalloc", "ioremap", "vmap", "user address", "NULL", "ERR_PTR",
            "kernel text",
            "direct map beyond memory",
        ]
        // Only machines of 32 bits have those.
        let maps = ["kmap", "kmap_local_page", "fixmap"]
        let names = Set(Self.lines.map(\.flag))

        for function in functions {
            for kind in kinds + maps { #expect(names.contains("| `\(function)` of \(kind)")) }
        }
    }
}
