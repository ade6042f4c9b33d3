import Testing

@Suite("HTTP: drivers whose processes die, and whose methods undo what is being done")
struct DeadlyDriverTests {
    private let service: ServiceFixture

    init() throws { service = try ServiceFixture() }

    private func run(_ session: String, _ calls: String) throws -> [JSON] {
        try service.send("POST", session + "/calls?on_error=continue", "[\(calls)]").json.elements
    }

    private func violations(_ session: String) throws -> [JSON] {
        try service.send("POST", session + "/validate").json["violations"].elements
    }

    /// Takes memory until a request that gives up gets no page.
    private func fill(_ session: String) throws {
        let bulk = #"{"gfp":"GFP_KERNEL|__GFP_NORETRY","nr_pages":20000}"#
        while try service.send("POST", session + "/calls/alloc_pages_bulk_array", bulk)
            .json["return"].number ?? 0 > 0
        {}
        let page =
            #"{"call":"alloc_page","gfp_mask":"GFP_KERNEL|__GFP_NORETRY|__GFP_NOWARN"}"#
        let pages = Array(repeating: page, count: 500).joined(separator: ",")
        while try run(session, pages).last?["return"] != .null {}
    }

    @Test func `a device that goes while another one's file is made leaves the service alive`()
        throws
    {
        let session = try service.boot(#"{"machine":{"memory":"96M"}}"#)
        let answers = try run(
            session,
            #"{"call":"process_create","name":"v"},"#
                + #"{"call":"mmap","addr":"0x10000000","length":1048576,"prot":3,"flags":32818,"context":{"pid":2}},"#
                + #"{"call":"chrdev_register","name":"a","methods":{"read":[{"return":0}]}},"#
                + #"{"call":"chrdev_register","name":"b","methods":{"read":[{"return":0}]}},"#
                + #"{"call":"sys_open","pathname":"/dev/a","context":{"pid":2}},"#
                + #"{"call":"chrdev_unregister","name":"a"},{"call":"sys_open","pathname":"/dev/b"}"#
        )
        for answer in answers { #expect(answer["errno"] == .null, "\(answer)") }
        try fill(session)

        // A struct file more needs a page of its cache, and process 2 is killed for it.
        var killed = false
        for _ in 0..<60 where !killed {
            let open = try run(session, #"{"call":"sys_open","pathname":"/dev/b"}"#).first
            killed =
                open?["log"].elements.contains { $0.text.contains("Killed process 2 (v)") } ?? false
        }

        #expect(killed)
        #expect(try violations(session).isEmpty)
        let devices = try service.send("GET", session + "/devices").json["devices"].elements
        #expect(devices.map { $0["name"].text } == ["b"])
    }

    @Test func `a device that goes while memory is made for another one leaves the service alive`()
        throws
    {
        let session = try service.boot(#"{"machine":{"memory":"96M"}}"#)
        let answers = try run(
            session,
            #"{"call":"process_create","name":"v"},"#
                + #"{"call":"mmap","addr":"0x10000000","length":1048576,"prot":3,"flags":32818,"context":{"pid":2}},"#
                + #"{"call":"device_register","name":"old"},{"call":"device_register","name":"own"},"#
                + #"{"call":"chrdev_register","name":"a","dev":"old","methods":{"read":[{"return":0}]}},"#
                + #"{"call":"sys_open","pathname":"/dev/a","context":{"pid":2}},"#
                + #"{"call":"chrdev_unregister","name":"a"},{"call":"device_unregister","dev":"old"}"#
        )
        for answer in answers { #expect(answer["errno"] == .null, "\(answer)") }
        try fill(session)

        // Process 2 is killed for a page; with its file goes the last reference to the first device.
        let got = try run(
            session,
            #"{"call":"devm_get_free_pages","dev":"own","gfp_mask":"GFP_KERNEL","order":0},"#
                + #"{"call":"devm_kmalloc","dev":"own","size":8192,"gfp":"GFP_KERNEL"}"#
        )

        let log = got.flatMap { $0["log"].elements.map(\.text) }
        #expect(log.contains { $0.contains("Killed process 2 (v)") })
        let devices = try service.send("GET", session + "/devices").json["bus_devices"].elements
        #expect(devices.map { $0["name"].text } == ["own"])
        #expect((devices.first?["resources"].elements.count ?? 0) > 0)
        #expect(try violations(session).isEmpty)
    }

    @Test func `an area that a driver's mmap maps over is not mapped a second time`() throws {
        let session = try service.boot(#"{"machine":{"memory":"96M"}}"#)
        let step =
            #"{"call":"mmap","addr":"$vm_start","length":16384,"prot":3,"flags":50}"#
        let answers = try run(
            session,
            #"{"call":"chrdev_register","name":"d","methods":{"mmap":["# + step
                + #",{"return":0}]}},{"call":"sys_open","pathname":"/dev/d","flags":2},"#
                + #"{"call":"sys_mmap","addr":0,"len":8192,"prot":3,"flags":1,"fd":3,"off":0}"#
        )

        #expect(answers.last?["errno"].text == "EBUSY", "\(answers)")
        #expect(try violations(session).isEmpty)
    }

    @Test(arguments: [500, 2_000, 5_000])
    func `a group's count survives a kill while an object is charged`(size: Int) throws {
        let session = try service.boot(#"{"machine":{"memory":"96M"}}"#)
        let open = #"{"call":"sys_open","pathname":"/dev/b","context":{"pid":2}}"#
        _ = try run(
            session,
            #"{"call":"process_create","name":"v"},{"call":"process_create","name":"w"},"#
                + #"{"call":"chrdev_register","name":"b","methods":{"read":[{"return":0}]}},"#
                + #"{"call":"cgroup_mkdir","path":"/a"},"#
                + #"{"call":"cgroup_write","file":"/a/cgroup.procs","value":"2"},"#
                + #"{"call":"cgroup_write","file":"/a/cgroup.procs","value":"3"},"#
                + Array(repeating: open, count: 33).joined(separator: ",")
                + #",{"call":"mmap","addr":"0x10000000","length":8388608,"prot":3,"flags":32818,"context":{"pid":2}}"#
        )
        let current = try service.send("GET", session + "/sys/fs/cgroup/a/memory.current").text
        let limit = current.dropLast()
        let object =
            #"{"call":"kmalloc","size":\#(size),"flags":"GFP_KERNEL|__GFP_ACCOUNT","context":{"pid":3}}"#
        let answers = try run(
            session,
            #"{"call":"cgroup_write","file":"/a/memory.max","value":"\#(limit)"},"#
                + Array(repeating: object, count: 16).joined(separator: ",")
        )

        let log = answers.flatMap { $0["log"].elements.map(\.text) }
        #expect(log.contains { $0.contains("Memory cgroup out of memory: Killed process 2") })
        #expect(try violations(session).isEmpty)
    }
}
