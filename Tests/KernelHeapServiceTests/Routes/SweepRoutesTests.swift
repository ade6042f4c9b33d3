import Testing

@testable import KernelHeapService

/// A list of calls with each place that may fail failing in turn.
@Suite("HTTP: sweeps of forced failures")
struct SweepRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func sweep(_ body: String, _ query: String = "") throws -> JSON {
        try service.send("POST", session + "/sweep" + query, body).json
    }

    /// A driver whose `open` allocates two buffers, and a program that opens and closes it.
    private static func driver(cleansUp: Bool) -> String {
        let undo = cleansUp ? #"{"call": "kfree", "objp": "$a", "if": "!$b"},"# : ""
        return #"""
            [{"call": "chrdev_register", "name": "own", "methods": {
               "open": [{"call": "kmalloc", "size": 256, "flags": "GFP_KERNEL", "as": "a"},
                        {"return": "-ENOMEM", "if": "!$a"},
                        {"call": "kmalloc", "size": 512, "flags": "GFP_KERNEL", "as": "b"},
                        \#(undo)
                        {"return": "-ENOMEM", "if": "!$b"}, {"return": 0}],
               "release": [{"call": "kfree", "objp": "$a"}, {"call": "kfree", "objp": "$b"}]}},
             {"call": "sys_open", "pathname": "/dev/own", "as": "fd"},
             {"call": "sys_close", "fd": "$fd"},
             {"call": "chrdev_unregister", "name": "own"}]
            """#
    }

    @Test func `an error path that forgets a buffer leaks it in the run that takes the path`()
        throws
    {
        let report = try sweep(Self.driver(cleansUp: false), "?faults=failslab")

        let leaky = report["runs"].elements.filter { !$0["leaks"].elements.isEmpty }
        #expect(report["ok"] == .boolean(false) && report["complete"] == .boolean(true))
        #expect(leaky.count == 1)
        let leak = leaky.first?["leaks"].elements.first
        #expect(leak?["cache"].text == "kmalloc-256" && leak?["item"] == .number(1))
        #expect(leak?["function"].text == "sys_open")
        #expect(leaky.first?["fault"]["function"].text == "sys_open")
        #expect(leaky.first?["fault"]["name"].text == "failslab")
        #expect(leaky.first?["fault"]["size"] == .number(512))
    }

    @Test(arguments: [
        #"{"call":"devm_kmalloc","dev":"d","size":64,"gfp":"GFP_KERNEL","as":"p"},"#
            + #"{"call":"devm_kfree","dev":"d","p":"$p"}"#,
        #"{"call":"kmalloc","size":64,"flags":"GFP_KERNEL","as":"p"},"#
            + #"{"call":"krealloc_array","p":"$p","new_n":4,"new_size":64,"flags":"GFP_KERNEL","as":"q"},"#
            + #"{"call":"kfree","objp":"$q"}"#,
    ])
    func `functions that take NULL do not misuse a failure`(calls: String) throws {
        let report = try sweep(
            #"[{"call":"device_register","name":"d"},\#(calls),"#
                + #"{"call":"device_unregister","dev":"d"}]"#
        )

        let unlooked = report["runs"].elements.flatMap { $0["unlooked"].elements }
        #expect(unlooked == [] && (report["run_count"].number ?? 0) >= 2)
    }

    @Test func `a run ends with the call that takes more memory than a session may hold`() throws {
        let service = try ServiceFixture { $0.maximumSessionBytes = 8 << 20 }
        let session = try service.boot()
        let report = try service.send(
            "POST",
            session + "/sweep",
            #"""
            [{"call":"vmalloc","size":33554432,"as":"v"},
             {"call":"memset","s":"$v","c":1,"n":33554432},
             {"call":"kmalloc","size":64,"flags":"GFP_KERNEL","as":"p"},
             {"call":"kfree","objp":"$p"}]
            """#
        ).json

        #expect(report["stopped_by"].text == "memory" && report["calls"] == .number(2))
        #expect(report["runs"] == .list([]))
    }

    @Test(
        "a list that is wrong as it is",
        arguments: [
            (#"{"call":"kernel_read","address":"0x0","length":8}"#, "oops"),
            (
                #"{"call":"kmalloc","size":64,"flags":"GFP_KERNEL","as":"p"},"#
                    + #"{"call":"kfree","objp":"$p"},{"call":"kfree","objp":"$p"}"#,
                "double_free"
            ),
            (#"{"call":"local_irq_disable"}"#, "interrupts_off"),
        ]
    )
    func wrongAsItIs(calls: String, kind: String) throws {
        let report = try sweep("[\(calls)]")

        #expect(report["ok"] == .boolean(false) && report["clean"]["ok"] == .boolean(false))
        #expect(report["clean"]["findings"].elements.contains { $0["kind"].text == kind })
    }

    @Test func `what the list as it is leaves behind is counted, and no leak`() throws {
        let report = try sweep(#"[{"call":"kmalloc","size":64,"flags":"GFP_KERNEL"}]"#)

        #expect(report["ok"] == .boolean(true) && report["clean"]["held_count"] == .number(1))
    }

    @Test func `a page that is lost in one run has the call that allocated it`() throws {
        let report = try sweep(
            #"""
            [{"call":"chrdev_register","name":"own","methods":{"open":[
               {"call":"__get_free_pages","gfp_mask":"GFP_KERNEL","order":1,"as":"a"},
               {"return":"-ENOMEM","if":"!$a"},
               {"call":"kmalloc","size":512,"flags":"GFP_KERNEL","as":"b"},
               {"return":"-ENOMEM","if":"!$b"}],
               "release":[{"call":"kfree","objp":"$b"},{"call":"free_pages","addr":"$a","order":1}]}},
             {"call":"sys_open","pathname":"/dev/own","as":"fd"},
             {"call":"sys_close","fd":"$fd"},{"call":"chrdev_unregister","name":"own"}]
            """#,
            "?faults=failslab"
        )

        let leaks = report["runs"].elements.flatMap { $0["leaks"].elements }
        #expect(leaks.map { $0["kind"].text } == ["pages"])
        #expect(leaks.map { $0["function"].text } == ["sys_open"])
        #expect(leaks.map { $0["item"] } == [.number(1)])
    }

    @Test(
        "a copy that was made to fail is told where nobody looks",
        arguments: [
            (#","as":"n""#, "", false),
            (#","as":"n""#, #",{"return":"-EFAULT","if":"$n"}"#, true),
            (#","as":"n""#, #",{"return":"$n"}"#, true),
            // What a later step returns says nothing of the copy.
            ("", #",{"call":"ksize","objp":"0x0","as":"s"},{"return":"0","if":"$s"}"#, false),
        ]
    )
    func failedCopy(name: String, look: String, isSeen: Bool) throws {
        let report = try sweep(
            #"""
            [{"call":"mmap","length":4096,"prot":3,"flags":34,"as":"u"},
             {"call":"user_write","addr":"$u","data":{"hex":"0102"}},
             {"call":"chrdev_register","name":"own","methods":{"write":[
               {"call":"kzalloc","size":64,"flags":"GFP_KERNEL","as":"p"},
               {"call":"copy_from_user","to":"$p","from":"$buf","n":2\#(name)},
               {"call":"kfree","objp":"$p"}\#(look)]}},
             {"call":"sys_open","pathname":"/dev/own","flags":1,"as":"fd"},
             {"call":"sys_write","fd":"$fd","buf":"$u","count":2},
             {"call":"sys_close","fd":"$fd"},{"call":"chrdev_unregister","name":"own"},
             {"call":"munmap","addr":"$u","length":4096}]
            """#,
            "?faults=fail_usercopy"
        )

        let findings = report["runs"].elements.flatMap { $0["findings"].elements }
        let isTold = findings.contains { $0["kind"].text == "unchecked_result" }
        #expect((report["run_count"].number ?? 0) >= 1 && isTold == !isSeen)
    }

    @Test func `a run keeps the first of many things, and counts all`() {
        var things = FirstItems<Int>()
        things.add(0..<100)
        things.add(100)

        #expect(things.count == 101 && things.items == Array(0..<SweepReport.itemLimit))
    }

    @Test func `an error path that gives back what it has leaks nothing`() throws {
        let report = try sweep(Self.driver(cleansUp: true))

        let leaks = report["runs"].elements.filter { $0["leak_count"] != .number(0) }
        #expect(leaks.isEmpty && report["complete"] == .boolean(true))
        #expect((report["run_count"].number ?? 0) >= 3)
        #expect(report["clean"]["findings"] == .list([]))
    }

    @Test func `a NULL that is used is told with the call that used it`() throws {
        let report = try sweep(
            #"""
            [{"call": "kmalloc", "size": 64, "flags": "GFP_KERNEL", "as": "p"},
             {"call": "kernel_write", "address": "$p+8", "data": {"hex": "00"}},
             {"call": "kfree", "objp": "$p"}]
            """#,
            "?faults=failslab"
        )

        let run = report["runs"].elements.first
        let used = run?["unlooked"].elements
        #expect(report["run_count"] == .number(1) && report["places"] == .number(1))
        #expect(run?["fault"]["item"] == .number(0))
        #expect(used?.count == 1 && used?.first?["item"] == .number(1))
        #expect(used?.first?["name"].text == "p")
        #expect(run?["findings"].elements.map { $0["kind"].text } == ["oops"])
        let differing = run?["differs"].elements.map { $0["function"].text }
        #expect(differing?.first == "kmalloc" && differing?.contains("kernel_write") == true)
        #expect(run?["differs"].elements.first?["return"] == .null)
        #expect(run?["differs"].elements.first?["clean"]["return"].text.hasPrefix("0xffff") == true)
    }

    @Test func `the session stays where it was`() throws {
        _ = try service.send("POST", session + "/calls/kmalloc", "size=64&flags=GFP_KERNEL")
        let before = try service.send("GET", session + "/allocations").text
        let log = try service.send("GET", session + "/dmesg").text

        let answer = try service.send("POST", session + "/sweep", Self.driver(cleansUp: false))

        #expect(answer.status == 200 && answer.headers["etag"] == "\"1\"")
        #expect(try service.send("GET", session + "/allocations").text == before)
        #expect(try service.send("GET", session + "/dmesg").text == log)
    }

    @Test func `the session's own knobs do not act in a sweep`() throws {
        _ = try service.send(
            "POST",
            session + "/calls/failslab",
            "probability=100&times=-1&ignore_gfp_wait=false"
        )

        let report = try sweep(
            #"[{"call": "kmalloc", "size": 64, "flags": "GFP_KERNEL", "as": "p"}, {"call": "kfree", "objp": "$p"}]"#,
            "?faults=failslab"
        )

        #expect(report["run_count"] == .number(1) && report["ok"] == .boolean(true))
    }

    @Test func `a sweep that has not run all places says so`() throws {
        let report = try sweep(Self.driver(cleansUp: true), "?max_runs=1")

        #expect(report["complete"] == .boolean(false))
        #expect(report["stopped_by"].text == "max_runs" && report["run_count"] == .number(1))
    }

    @Test func `a list without a place that may fail is complete at once`() throws {
        let report = try sweep(#"[{"call": "pfn_valid", "pfn": 1}]"#, "?max_runs=0")

        #expect(report["complete"] == .boolean(true) && report["run_count"] == .number(0))
    }

    @Test(
        "what cannot be swept is refused",
        arguments: [
            ("", "{}", 422, "wrong-type"), ("", "[", 400, "malformed-json"),
            ("", #"[{"call": "kmaloc"}]"#, 404, "unknown-function"),
            ("", #"[{"call": "kfree", "objp": "$p"}]"#, 422, "unknown-reference"),
            ("?faults=failslap", "[]", 422, "unknown-name"),
            ("?faults=,", "[]", 422, "invalid-value"),
            ("?runs=1", "[]", 422, "unknown-field"), ("?max_runs=1001", "[]", 422, "out-of-range"),
        ]
    )
    func refusals(query: String, body: String, status: Int, problem: String) throws {
        let answer = try service.send("POST", session + "/sweep" + query, body)

        #expect(answer.status == status && answer.problem == problem)
    }

    @Test func `a call that cannot be swept is named by its place`() throws {
        let calls = String(repeating: #"{"call": "pfn_valid", "pfn": 1},"#, count: 42)
        let answer = try service.send(
            "POST",
            session + "/sweep",
            "[\(calls)" + #"{"call": "kmalloc", "size": 8}]"#
        )

        #expect(answer.problem == "missing-field")
        #expect(answer.json["pointer"].text == "/42/flags")
    }

    @Test func `a list that is too long is refused`() throws {
        let small = try ServiceFixture { $0.maximumSweepCalls = 2 }
        let session = try small.boot()
        let call = #"{"call": "pfn_valid", "pfn": 1}"#

        let fits = try small.send("POST", session + "/sweep", "[\(call),\(call)]")
        let long = try small.send("POST", session + "/sweep", "[\(call),\(call),\(call)]")

        #expect(fits.status == 200)
        #expect(long.status == 413 && long.problem == "batch-too-long")
    }
}
