import Testing

/// What drivers return that Linux does not pass on, and what they cost the service.
@Suite("HTTP: drivers at their edges")
struct DriverEdgeTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func register(_ name: String, _ methods: String) throws -> JSON {
        try call("chrdev_register", #"{"name":"\#(name)","methods":\#(methods)}"#)
    }

    @Test func `a positive result of open is no descriptor`() throws {
        _ = try register("plus", #"{"open": [{"return": 5}]}"#)
        _ = try register("wide", #"{"open": [{"return": 4294967296}]}"#)
        let plus = try call("sys_open", #"{"pathname":"/dev/plus"}"#)
        let again = try call("sys_open", #"{"pathname":"/dev/plus"}"#)
        let wide = try call("sys_open", #"{"pathname":"/dev/wide"}"#)

        #expect(plus["errno"].text == "EINVAL" && plus["return"] == .number(-22))
        #expect(plus["log"].elements.contains { $0.text.contains("fs/open.c") })
        #expect(again["errno"].text == "EINVAL" && again["log"].elements.isEmpty)
        // An int has 32 bits, all 0 here: the file is open.
        #expect(wide["return"] == .number(3))
    }

    @Test func `the result of an ioctl is an int`() throws {
        _ = try register("int", #"{"ioctl": [{"return": "$arg"}]}"#)
        _ = try call("sys_open", #"{"pathname":"/dev/int"}"#)
        let high = try call("sys_ioctl", #"{"fd":3,"cmd":1,"arg":"0x100000007"}"#)
        let error = try call("sys_ioctl", #"{"fd":3,"cmd":1,"arg":"0xfffffff4"}"#)

        #expect(high["return"] == .number(7))
        #expect(error["return"] == .number(-12) && error["errno"].text == "ENOMEM")
    }

    @Test func `the descriptor is free while release runs`() throws {
        _ = try register(
            "last",
            #"{"release": [{"call": "memfd_create", "name": "left"}, {"call": "fork"}]}"#
        )
        _ = try call("sys_open", #"{"pathname":"/dev/last"}"#)
        let closed = try call("sys_close", #"{"fd":3}"#)["detail"]["steps"].elements
        let gone = try call("chrdev_unregister", #"{"name":"last"}"#)
        let files = try service.send("GET", session + "/devices").json["devices"].elements

        #expect(closed.first?["return"] == .number(3))
        // The child has no descriptor of the file that goes.
        #expect(gone["detail"]["open_files"] == .number(0))
        #expect(files.isEmpty)
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }

    @Test func `a physical address keeps its high bits on the way through a variable`() throws {
        let pae = try service.boot(
            #"{"machine":{"profile":"linux-6.1-i386","pae":true,"memory":"256M"}}"#
        )
        let methods = #"""
            {"ioctl": [{"call": "ioremap", "phys_addr": "$arg+0x200000000", "size": 4096}]}
            """#
        for (name, body) in [
            ("chrdev_register", #"{"name":"high","methods":\#(methods)}"#),
            ("sys_open", #"{"pathname":"/dev/high"}"#),
        ] {
            _ = try service.send("POST", pae + "/calls/" + name, body)
        }
        let body = #"{"fd":3,"cmd":1,"arg":"0x1000"}"#
        let asked = try service.send("POST", pae + "/calls/sys_ioctl", body).json
        let step = asked["detail"]["steps"].elements.first

        #expect(step?["arguments"]["phys_addr"].text == "0x200001000")
    }

    @Test func `open files are told in parts`() throws {
        _ = try register("one", "{}")
        _ = try register("two", "{}")
        for name in ["one", "two", "one", "two", "one"] {
            _ = try call("sys_open", #"{"pathname":"/dev/\#(name)"}"#)
        }
        _ = try call("fork", "{}")
        var parts: [[Double]] = []
        var cursor: String? = "0"
        while let place = cursor, parts.count < 10 {
            let part = try service.send("GET", session + "/devices?limit=4&cursor=\(place)").json
            let devices = part["devices"].elements
            #expect(devices.count == 2)
            parts.append(devices.flatMap { $0["files"].elements.compactMap { $0["fd"].number } })
            cursor = part["next_cursor"] == .null ? nil : part["next_cursor"].text
        }
        let none = try service.send("GET", session + "/devices?limit=0")

        #expect(parts == [[3, 5, 4, 6], [7, 3, 5, 4], [7, 6]])
        #expect(none.status == 422)
    }
}
