import Testing

@Suite("HTTP: caches of clients")
struct CacheCallsTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot(#"{"machine":{"boot_options":"slub_nomerge"}}"#)
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    @Test func `a cache is used by its name, by its address, and by a batch's reference`() throws {
        let batch = try service.send(
            "POST",
            session + "/calls",
            """
            [{"call":"kmem_cache_create","as":"s",
              "args":{"name":"lab","size":200,"flags":"SLAB_HWCACHE_ALIGN|SLAB_ACCOUNT"}},
             {"call":"kmem_cache_alloc","as":"p","args":{"s":"$s","flags":"GFP_KERNEL"}},
             {"call":"kmem_cache_alloc","as":"q","args":{"s":"lab","flags":"GFP_KERNEL"}},
             {"call":"kmem_cache_free_bulk","args":{"s":"lab","p":["$p","$q"]}}]
            """
        )
        let items = batch.json.elements
        let address = items[0]["return"].text
        let size = try call("kmem_cache_size", "s=" + address)
        let view = try service.send("GET", session + "/caches?name=lab").json["caches"]

        #expect(
            items[0]["detail"]["flags"].elements.map(\.text) == [
                "SLAB_HWCACHE_ALIGN", "SLAB_ACCOUNT",
            ]
        )
        #expect(items[0]["detail"]["size"] == .number(256))
        #expect(items[1]["detail"]["cache"] == .string("lab"))
        #expect(items[2]["return"] != items[1]["return"])
        #expect(items[3]["log"] == .list([]))
        #expect(size["return"] == .number(200))
        #expect(view.elements.first?["address"] == .string(address))
        #expect(view.elements.first?["live_objects"] == .number(0))
    }

    @Test func `a constructor is given as bytes, in JSON or in a form`() throws {
        let json = try call(
            "kmem_cache_create",
            #"{"name":"built","size":32,"ctor":{"fill":"0x5a","length":4}}"#
        )
        let form = try call("kmem_cache_create", "name=formed&size=32&ctor.hex=0102")
        let object = try call("kmem_cache_alloc", "s=built&flags=GFP_KERNEL")["return"].text
        let read = try call("kernel_read", "address=\(object)&length=6")
        let file = try service.send("GET", session + "/sys/kernel/slab/formed/ctor").text

        #expect(json["return"].text.hasPrefix("0xffff888"))
        #expect(form["return"].text.hasPrefix("0xffff888"))
        #expect(read["detail"]["data"] == .string("5a5a5a5a0000"))
        #expect(file == "ctor+0x0/0x10\n")
    }

    @Test func `what no cache can be called or flagged is refused before the machine runs it`()
        throws
    {
        let long = String(repeating: "x", count: 256)
        let path = session + "/calls/kmem_cache_create"
        let name = try service.send("POST", path, "name=\(long)&size=8")
        let flag = try service.send("POST", path, "name=a&size=8&flags=SLAB_HWCACHE_ALING")
        let ctor = try service.send(
            "POST",
            path,
            #"{"name":"a","size":8,"ctor":{"fill":1,"length":4097}}"#
        )
        let size = try service.send("POST", path, "name=a&size=4294967296")

        #expect([name, flag, ctor, size].map(\.status) == [422, 422, 422, 422])
        #expect(name.json["pointer"] == .string("/name"))
        #expect(flag.text.contains("SLAB_HWCACHE_ALIGN"))
        #expect(ctor.json["pointer"] == .string("/ctor"))
    }

    @Test func `names are escaped in every text that shows them`() throws {
        let name = #"a\n\"b 1 2 3\\/c"#
        let made = try call("kmem_cache_create", #"{"name":"\#(name)","size":500}"#)
        let info = try service.send("GET", session + "/proc/slabinfo").text
        let lines = info.split(separator: "\n")
        let caches = try service.send("GET", session + "/caches").json["caches"].elements
        let file = try service.send(
            "GET",
            session + "/sys/kernel/slab/a%0A%22b%201%202%203%5C!c/object_size"
        )

        #expect(made["return"].text.hasPrefix("0xffff888"))
        #expect(lines[2].hasPrefix(#"a\012"b\0401\0402\0403\134/c "#))
        #expect(caches.first?["name"] == .string("a\n\"b 1 2 3\\/c"))
        #expect(file.text == "500\n")
    }

    @Test func `a destroyed cache is gone from every view`() throws {
        _ = try call("kmem_cache_create", "name=lab&size=300")
        let before = try service.send("GET", session + "/proc/slabinfo").text
        let outcome = try call("kmem_cache_destroy", "s=lab")
        let after = try service.send("GET", session + "/proc/slabinfo").text
        let file = try service.send("GET", session + "/sys/kernel/slab/lab/order")
        let view = try service.send("GET", session + "/caches?name=lab")
        let again = try call("kmem_cache_alloc", "s=lab&flags=GFP_KERNEL")

        #expect(before.contains("\nlab "))
        #expect(outcome["detail"]["outcome"] == .string("destroyed"))
        #expect(!after.contains("\nlab "))
        #expect(file.status == 404 && view.status != 200)
        #expect(again["return"] == .null)
        #expect(again["detail"]["unknown_cache"] == .string("lab"))
    }

    @Test func `merged caches show who shares them, under their common directory too`() throws {
        let merging = try service.boot()
        for name in ["lab-a", "lab-b"] {
            _ = try service.send(
                "POST",
                merging + "/calls/kmem_cache_create",
                "name=\(name)&size=1000&flags=SLAB_ACCOUNT"
            )
        }

        let names = try service.send("GET", merging + "/caches?name=lab-b").json["caches"]
            .elements.first?["names"]
        let link = try service.send("GET", merging + "/sys/kernel/slab/lab-b/aliases").text
        let real = try service.send("GET", merging + "/sys/kernel/slab/:A-0001000/aliases").text

        #expect(names?.elements.map(\.text) == ["lab-a", "lab-b"])
        #expect(link == "1\n" && real == "1\n")
    }

    @Test func `a cache that cannot be made panics the machine if it must be there`() throws {
        let answer = try call(
            "kmem_cache_create",
            #"{"name":"huge","size":8388608,"flags":["SLAB_PANIC"]}"#
        )
        let next = try service.send("POST", session + "/calls/kmalloc", "size=8&flags=GFP_KERNEL")

        #expect(answer["return"] == .null)
        #expect(next.status == 409)
    }
}
