import KernelHeapService
import Testing

@Suite("HTTP: profiles")
struct ProfileRoutesTests {
    @Test func `every profile is listed and boots`() throws {
        let service = try ServiceFixture()
        let names = ["linux-6.1-x86_64", "linux-6.1-i386", "linux-2.6-i386"]

        let list = try service.send("GET", "/v1/profiles")

        #expect(list.json["profiles"].elements.map { $0["name"].text } == names)
        for name in names {
            let path = try service.boot(#"{"machine":{"profile":"\#(name)"}}"#)
            let record = try service.send("GET", path)
            #expect(record.json["machine"]["profile"] == .string(name))
            for file in ["zoneinfo", "meminfo", "pagetypeinfo", "slabinfo", "vmstat", "buddyinfo"] {
                #expect(try service.send("GET", path + "/proc/" + file).status == 200, "\(file)")
            }
            for view in ["zones", "caches", "pages", "layout", "vmstat", "allocations"] {
                #expect(try service.send("GET", path + "/" + view).status == 200, "\(view)")
            }
            #expect(try service.send("GET", path + "/dmesg").status == 200)
            #expect(try service.send("POST", path + "/validate").status == 200)
        }
    }

    @Test func `a page of high memory has no address`() throws {
        let service = try ServiceFixture()
        let path = try service.boot(
            #"{"machine":{"profile":"linux-6.1-i386","memory":"2G","pae":true}}"#
        )

        let page = try service.send(
            "POST",
            path + "/calls/alloc_page",
            #"{"gfp_mask":"GFP_HIGHUSER"}"#
        )
        let pfn = try Int(#require(page.json["detail"]["pfn"].number))
        let address = try service.send(
            "POST",
            path + "/calls/page_address",
            #"{"page":\#(pfn)}"#
        )
        let low = try service.send(
            "POST",
            path + "/calls/kmalloc",
            #"{"size":64,"flags":"GFP_KERNEL"}"#
        )

        #expect(page.json["detail"]["zone"] == .string("HighMem"))
        #expect(page.json["detail"]["virtual"] == JSON.null)
        #expect(address.status == 200)
        #expect(address.json["return"] == JSON.null)
        #expect(low.json["return"].text.hasPrefix("0xc"))
        #expect(low.json["return"].text.count == 10)
    }

    @Test func `classic flags are known by their names on the classic machine alone`() throws {
        let service = try ServiceFixture()
        let classic = try service.boot(
            #"{"machine":{"profile":"linux-2.6-i386","kmalloc_limit":"128K"}}"#
        )
        let modern = try service.boot(#"{"machine":{"profile":"linux-6.1-i386"}}"#)
        let body = #"{"gfp_mask":"GFP_KERNEL|__GFP_COLD|__GFP_REPEAT"}"#
        let largest = #"{"size":131072,"flags":"GFP_KERNEL"}"#

        #expect(try service.send("POST", classic + "/calls/alloc_page", body).status == 200)
        #expect(try service.send("POST", modern + "/calls/alloc_page", body).status == 422)
        let object = try service.send("POST", classic + "/calls/kmalloc", largest)
        #expect(object.json["detail"]["cache"] == .string("size-131072"))
    }

    @Test(
        "what no machine of the profile can have is refused",
        arguments: [
            (#"{"profile":"linux-6.1-i386","nodes":2}"#, "/machine/nodes"),
            (#"{"pae":true}"#, "/machine/pae"),
            (#"{"profile":"linux-6.1-i386","memory":"80G"}"#, "/machine/memory"),
            (
                #"{"profile":"linux-6.1-i386","boot_options":"movablecore=64M"}"#,
                "/machine/boot_options"
            ),
        ]
    )
    func refusals(machine: String, pointer: String) throws {
        let service = try ServiceFixture()
        let answer = try service.send("POST", "/v1/sessions", #"{"machine":\#(machine)}"#)

        #expect(answer.status == 422)
        #expect(answer.json["pointer"] == .string(pointer))
    }
}
