import Testing

@Suite("HTTP: segmentation")
struct SegmentRoutesTests {
    let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    private func boot(_ profile: String, _ more: String = "") throws -> String {
        try service.boot(#"{"machine":{"profile":"\#(profile)","memory":"1G"\#(more)}}"#)
    }

    private func call(_ session: String, _ name: String, _ form: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, form).json
    }

    private func get(_ path: String) throws -> JSON { try service.send("GET", path).json }

    @Test(
        "a 32-bit machine shows the recorded registers and tables",
        arguments: [
            ("linux-6.1-i386", ""), ("linux-6.1-i386", #","pae":true"#), ("linux-2.6-i386", ""),
        ]
    )
    func bootState(profile: String, more: String) throws {
        let session = try boot(profile, more)
        let segments = try get(session + "/segments")
        let registers = segments["registers"].elements
        let selectors = registers.map { $0["selector"].text }
        let code = segments["gdt"].elements.first { $0["index"] == .number(12) }

        #expect(segments["mode"].text == "protected")
        #expect(segments["cpl"] == .number(0))
        #expect(registers.map { $0["name"].text } == ["es", "cs", "ss", "ds", "fs", "gs"])
        #expect(selectors == ["0x7b", "0x60", "0x68", "0x7b", "0xd8", "0x33"])
        #expect(segments["gdtr"]["entries"] == .number(32))
        #expect(segments["gdt"].elements.count == 17)
        #expect(code?["raw"].text == "0xcf9a000000ffff")
        #expect(code?["kind"].text == "code" && code?["rights"].text == "xr")
        #expect(segments["fault"] == .null)
    }

    @Test(
        "the table's bytes are memory of the machine",
        arguments: ["linux-6.1-i386", "linux-2.6-i386"]
    )
    func tableBytes(profile: String) throws {
        let session = try boot(profile)
        let base = try get(session + "/segments")["gdtr"]["base"].text
        let read = try call(session, "kernel_read", "length=256&address=" + base)
        let data = read["detail"]["data"].text

        #expect(data.count == 512)
        #expect(data.dropFirst(12 * 16).prefix(32) == "ffff0000009acf00ffff00000093cf00")
    }

    @Test func `a program may not load what is the kernel's`() throws {
        let session = try boot("linux-6.1-i386")
        _ = try call(session, "set_mode", "mode=user")
        let kernel = try call(session, "load_segment", "register=ds&selector=0x68")
        let own = try call(session, "load_segment", "register=gs&selector=0x33")
        let fault = kernel["detail"]["fault"]

        #expect(kernel["return"] == .number(-14) && kernel["errno"].text == "EFAULT")
        #expect(fault["exception"].text == "#GP" && fault["error_code"] == .number(104))
        #expect(fault["reason"].text == "privilege")
        #expect(own["return"] == .number(0))
        #expect(own["detail"]["gs"]["hidden"]["base"].text == "0x8cbc380")
    }

    @Test(
        "a call gate leads into the kernel and back",
        arguments: ["linux-6.1-i386", "linux-2.6-i386"]
    )
    func callGate(profile: String) throws {
        let session = try boot(profile)
        let mapped = try call(
            session,
            "mmap",
            "length=8192&prot=PROT_READ|PROT_WRITE&flags=MAP_PRIVATE|MAP_ANONYMOUS"
        )
        let stack = mapped["return"].text
        let gate = "table=gdt&index=29&selector=0x60&offset=0xc1000000&dpl=3&parameters=2"
        _ = try call(session, "set_gate", gate)
        _ = try call(session, "set_mode", "mode=user&eip=0x8048000&esp=" + stack)
        let refused = try call(session, "far_call", "selector=0x60&offset=0")
        let inside = try call(session, "far_call", "selector=0xeb&offset=0")["detail"]
        _ = try call(session, "load_segment", "register=fs&selector=0x68")
        let back = try call(session, "far_return", "release=8")["detail"]

        #expect(refused["detail"]["fault"]["exception"].text == "#GP")
        #expect(inside["path"].text == "gate_inward" && inside["cpl"] == .number(0))
        #expect(inside["cs"].text == "0x60" && inside["ss"].text == "0x68")
        #expect(inside["parameters"].elements.count == 2)
        #expect(back["path"].text == "return_outward" && back["cpl"] == .number(3))
        #expect(back["eip"].text == "0x8048000")
        #expect(back["cleared"].elements == [.string("fs")])
    }

    @Test func `a selector and an offset are translated step by step`() throws {
        let session = try boot("linux-6.1-i386")
        let kernel = try get(session + "/translate?selector=0x68&offset=0xc0100000&size=4")
        let seen = try call(session, "translate", "selector=0x68&offset=0xc0100000&size=4")
        _ = try call(session, "set_mode", "mode=user")
        let refused = try get(session + "/translate?selector=0x68&offset=0xc0100000")
        let paged = try get(session + "/translate?segment=ds&offset=0xc0100000")

        #expect(kernel["linear"].text == "0xc0100000" && kernel["physical"].text == "0x100000")
        #expect(kernel["logical"]["descriptor"]["raw"].text == "0xcf93000000ffff")
        #expect(seen["detail"]["logical"] == kernel["logical"])
        #expect(refused["linear"] == .null && refused["physical"] == .null)
        #expect(refused["logical"]["fault"]["error_code"] == .number(104))
        #expect(paged["logical"]["fault"] == .null)
        #expect(paged["fault"]["error_code"] == .number(5))
    }

    @Test func `real mode is sixteen times the segment`() throws {
        let session = try boot("linux-2.6-i386")
        _ = try call(session, "set_mode", "mode=real&a20=false")
        let closed = try get(session + "/translate?selector=0xffff&offset=0x10")
        _ = try call(session, "set_mode", "mode=real")
        let open = try get(session + "/translate?selector=0xffff&offset=0x10")

        #expect(closed["physical"].text == "0x0" && open["physical"].text == "0x100000")
        #expect(open["levels"].elements.isEmpty)
    }

    @Test func `each machine lists its own functions, and 64-bit ones refuse these`() throws {
        let small = try boot("linux-6.1-i386")
        let large = try service.boot()
        let names = { (session: String) in
            try self.get(session + "/functions")["functions"].elements.map { $0["name"].text }
        }
        let refused = try call(large, "load_segment", "register=ds&selector=0x68")
        let problem = try service.send("GET", large + "/translate?segment=ds&offset=0")
        let segments = try get(large + "/segments")

        #expect(try names(small).contains("far_call"))
        #expect(try !names(large).contains("far_call"))
        #expect(refused["errno"].text == "ENOSYS")
        #expect(problem.status == 422 && problem.problem == "invalid-value")
        #expect(segments["mode"].text == "long" && segments["registers"].elements.isEmpty)
    }

    @Test func `queries that name too much or too little are refused`() throws {
        let session = try boot("linux-6.1-i386")
        let queries = [
            "", "?offset=1", "?segment=ds&selector=1", "?address=0x1000&segment=ds", "?segment=xs",
            "?selector=65536", "?segment=ds&size=0", "?segment=ds&offset=4294967296",
            "?segment=ds&cpu=1",
        ]
        for query in queries {
            #expect(
                try service.send("GET", session + "/translate" + query).status == 422,
                "\(query)"
            )
        }
        #expect(try service.send("GET", session + "/segments?cpu=1").status == 422)
    }
}
