import Testing

@Suite("HTTP: a driver")
struct DeviceRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    /// A buffer of 64 bytes that is written and read at the file's position.
    private static let echo = #"""
        {"probe": [{"call": "kzalloc", "size": 64, "flags": "GFP_KERNEL", "as": "data"},
                   {"return": "-ENOMEM", "if": "!$data"}],
         "remove": [{"call": "kfree", "objp": "$data"}],
         "read": [{"call": "simple_read_from_buffer", "to": "$buf", "count": "$count", "ppos": "$ppos",
                   "from": "$data", "available": 64, "as": "n"}, {"return": "$n"}],
         "write": [{"call": "simple_write_to_buffer", "to": "$data", "available": 64, "ppos": "$ppos",
                    "from": "$buf", "count": "$count", "as": "n"}, {"return": "$n"}],
         "ioctl": [{"call": "put_user", "x": 42, "ptr": "$arg", "if": "$cmd == 1", "as": "left"},
                   {"return": "$left", "if": "$cmd == 1"}, {"return": -515}]}
        """#

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func register(_ name: String, _ methods: String) throws -> JSON {
        try call("chrdev_register", #"{"name":"\#(name)","methods":\#(methods)}"#)
    }

    private func userMemory(_ length: Int = 8_192) throws -> UInt64 {
        let mapped = try call(
            "mmap",
            #"{"length":\#(length),"prot":"PROT_READ|PROT_WRITE","flags":"MAP_PRIVATE|MAP_ANONYMOUS"}"#
        )
        return try #require(UInt64(mapped["return"].text.dropFirst(2), radix: 16))
    }

    private func devices() throws -> [JSON] {
        try service.send("GET", session + "/devices").json["devices"].elements
    }

    @Test func `what a program writes it reads again, and a read at the end is short`() throws {
        _ = try register("echo", Self.echo)
        let memory = try userMemory()
        _ = try call("user_write", #"{"addr":\#(memory),"data":{"text":"hello, kernel"}}"#)
        let writer = try call("sys_open", #"{"pathname":"/dev/echo","flags":"O_RDWR"}"#)
        let reader = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let written = try call("sys_write", #"{"fd":3,"buf":\#(memory),"count":13}"#)
        let whole = try call("sys_read", #"{"fd":4,"buf":\#(memory + 4_096),"count":60}"#)
        let rest = try call("sys_read", #"{"fd":4,"buf":\#(memory + 4_096),"count":60}"#)
        let end = try call("sys_read", #"{"fd":4,"buf":\#(memory + 4_096),"count":60}"#)
        let bytes = try call("user_read", #"{"addr":\#(memory + 4_096),"length":4}"#)

        #expect(writer["return"] == .number(3) && reader["return"] == .number(4))
        #expect(written["return"] == .number(13))
        #expect(whole["return"] == .number(60) && rest["return"] == .number(4))
        #expect(end["return"] == .number(0))
        #expect(rest["detail"]["position"] == .number(64))
        // The second read began behind the text: zeros.
        #expect(bytes["detail"]["data"].text == "00000000")
    }

    @Test func `a system call shows the way into the kernel and back`() throws {
        _ = try register("echo", Self.echo)
        let memory = try userMemory()
        _ = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let read = try call("sys_read", #"{"fd":3,"buf":\#(memory),"count":16}"#)["detail"]
        let entry = read["entry"]
        let saved = entry["pt_regs"].text
        let stored = try call("kernel_read", #"{"address":"\#(saved)","length":168}"#)
        let words = stored["detail"]["data"].text

        #expect(entry["instruction"].text == "syscall")
        #expect(entry["cpl"].elements == [.number(3), .number(0)])
        #expect(entry["registers"]["orig_ax"].text == "0x0")
        #expect(entry["registers"]["dx"].text == "0x10")
        #expect(read["exit"]["ax"].text == "0x10")
        // pt_regs: ax is the eleventh word, dx the thirteenth, cs the eighteenth.
        #expect(words.dropFirst(10 * 16).prefix(16) == "1000000000000000")
        #expect(words.dropFirst(12 * 16).prefix(16) == "1000000000000000")
        #expect(words.dropFirst(17 * 16).prefix(16) == "3300000000000000")
        #expect(read["steps"].elements.first?["call"].text == "simple_read_from_buffer")
        #expect(read["steps"].elements.first?["return"] == .number(16))
    }

    @Test func `on 32 bits the way in is an interrupt, and the stack two pages`() throws {
        let small = try service.boot(#"{"machine":{"profile":"linux-6.1-i386","memory":"256M"}}"#)
        _ = try service.send(
            "POST",
            small + "/calls/chrdev_register",
            #"{"name":"echo","methods":\#(Self.echo)}"#
        )
        let opened = try service.send("POST", small + "/calls/sys_open", "pathname=/dev/echo").json
        let entry = opened["detail"]["entry"]
        let top = try #require(UInt64(entry["stack_top"].text.dropFirst(2), radix: 16))

        #expect(entry["instruction"].text == "int $0x80")
        #expect(entry["registers"]["cs"].text == "0x73" && entry["cs"].text == "0x60")
        #expect(entry["registers"]["orig_ax"].text == "0x5")
        #expect(top % 8_192 == 8_192 - 16)
    }

    @Test func `errors are the kernel's`() throws {
        _ = try register("echo", Self.echo)
        _ = try register("mute", #"{"open": []}"#)
        _ = try register("none", #"{"open": [{"return": "-EBUSY"}]}"#)
        let memory = try userMemory()
        func errno(_ name: String, _ body: String) throws -> String {
            try call(name, body)["errno"].text
        }
        _ = try call("sys_open", #"{"pathname":"/dev/echo","flags":"O_WRONLY"}"#)
        _ = try call("sys_open", #"{"pathname":"/dev/mute","flags":"O_RDWR"}"#)
        _ = try call("sys_open", #"{"pathname":"/dev/echo","flags":"O_RDWR"}"#)

        #expect(try errno("sys_open", #"{"pathname":"/dev/nothing"}"#) == "ENOENT")
        #expect(try errno("sys_open", #"{"pathname":"/dev/none"}"#) == "EBUSY")
        #expect(try errno("sys_read", #"{"fd":9,"buf":\#(memory),"count":1}"#) == "EBADF")
        #expect(try errno("sys_read", #"{"fd":3,"buf":\#(memory),"count":1}"#) == "EBADF")
        #expect(try errno("sys_read", #"{"fd":4,"buf":\#(memory),"count":1}"#) == "EINVAL")
        #expect(try errno("sys_ioctl", #"{"fd":4,"cmd":1}"#) == "ENOTTY")
        #expect(try errno("sys_ioctl", #"{"fd":5,"cmd":2}"#) == "ENOTTY")
        #expect(
            try errno("sys_read", #"{"fd":5,"buf":"0xffff888000000000","count":1}"#) == "EFAULT"
        )
        #expect(try errno("sys_read", #"{"fd":5,"buf":4096,"count":8}"#) == "EFAULT")
        #expect(try errno("sys_close", #"{"fd":77}"#) == "EBADF")
        #expect(try register("echo", "{}")["errno"].text == "EEXIST")
        #expect(try register("a/b", "{}")["errno"].text == "EINVAL")
        #expect(try call("chrdev_unregister", #"{"name":"gone"}"#)["errno"].text == "ENODEV")
    }

    @Test func `an ioctl stores what its condition lets it`() throws {
        _ = try register("echo", Self.echo)
        let memory = try userMemory()
        _ = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let asked = try call("sys_ioctl", #"{"fd":3,"cmd":1,"arg":\#(memory)}"#)
        let stored = try call("user_read", #"{"addr":\#(memory),"length":8}"#)

        #expect(asked["return"] == .number(0))
        #expect(stored["detail"]["data"].text == "2a00000000000000")
    }

    @Test func `a probe that gets no memory takes the device back`() throws {
        let methods = #"""
            {"probe": [{"call": "kmalloc", "size": 4194305, "flags": "GFP_KERNEL", "as": "data"},
                       {"return": "-ENOMEM", "if": "!$data"}]}
            """#
        let failed = try register("big", methods)

        #expect(failed["errno"].text == "ENOMEM" && failed["return"] == .number(-12))
        #expect(failed["detail"]["steps"].elements.count == 2)
        #expect(try devices().isEmpty)
    }

    @Test func `a file that outlives its device still runs the driver, on freed memory`() throws {
        _ = try register("echo", Self.echo)
        let memory = try userMemory()
        _ = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let gone = try call("chrdev_unregister", #"{"name":"echo"}"#)
        let again = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let read = try call("sys_read", #"{"fd":3,"buf":\#(memory),"count":8}"#)
        let left = try devices()
        _ = try call("sys_close", #"{"fd":3}"#)

        #expect(gone["detail"]["open_files"] == .number(1))
        #expect(again["errno"].text == "ENOENT")
        #expect(read["return"] == .number(8))
        #expect(read["detail"]["warnings"].elements.first?["kind"].text == "use_after_free")
        #expect(left.count == 1 && left[0]["registered"] == .boolean(false))
        #expect(try devices().isEmpty)
    }

    @Test func `a child shares its parent's file, and its driver hears of the last close alone`()
        throws
    {
        _ = try register(
            "once",
            #"{"release": [{"call": "kmalloc", "size": 8, "flags": "GFP_KERNEL"}]}"#
        )
        _ = try call("sys_open", #"{"pathname":"/dev/once"}"#)
        let child = try #require(try call("fork", "{}")["return"].number)
        let shared = try devices()[0]["files"].elements.map { $0["pid"] }
        let parents = try call("sys_close", #"{"fd":3}"#)
        let ended = try call("process_exit", #"{"context":{"pid":\#(Int(child))}}"#)
        let left = try devices()[0]["files"].elements

        #expect(shared == [.number(1), .number(child)])
        #expect(parents["detail"]["steps"].elements.isEmpty)
        #expect(ended["call"].text == "process_exit")
        #expect(left.isEmpty)
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }

    @Test func `descriptors of files in memory and of devices come out of one table`() throws {
        _ = try register("echo", Self.echo)
        let file = try call("memfd_create", #"{"name":"f"}"#)
        let device = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        _ = try call("sys_close", #"{"fd":3}"#)
        let again = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        let closed = try call("close", #"{"fd":4}"#)

        #expect(file["return"] == .number(3) && device["return"] == .number(4))
        #expect(again["return"] == .number(3) && closed["return"] == .number(0))
    }

    @Test func `a method that dies returns nothing to anybody`() throws {
        _ = try register("bad", #"{"open": [{"call": "kernel_read", "address": 16, "length": 1}]}"#)
        let died = try call("sys_open", #"{"pathname":"/dev/bad"}"#)

        #expect(died["return"] == .null && died["detail"]["killed"] == .boolean(true))
        #expect(died["log"].elements.first?.text.contains("NULL pointer dereference") == true)
    }

    @Test func `opening and closing gives every byte back`() throws {
        _ = try register("echo", Self.echo)
        _ = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        _ = try call("sys_close", #"{"fd":3}"#)
        let before = try service.send("GET", session + "/caches").json
        for _ in 0..<20 {
            _ = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
            _ = try call("sys_close", #"{"fd":3}"#)
        }
        let after = try service.send("GET", session + "/caches").json

        #expect(before["caches"] == after["caches"])
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }

    @Test(
        "what is no driver is refused with its place",
        arguments: [
            (#"[]"#, "wrong-type", "/methods"),
            (#"{"raed": []}"#, "unknown-field", "/methods/raed"),
            (#"{"read": {}}"#, "wrong-type", "/methods/read"),
            (#"{"read": [{}]}"#, "missing-field", "/methods/read/0"),
            (#"{"read": [7]}"#, "wrong-type", "/methods/read/0"),
            (#"{"read": [{"call": "kmaloc"}]}"#, "unknown-function", "/methods/read/0/call"),
            (#"{"read": [{"call": "sys_read"}]}"#, "invalid-value", "/methods/read/0/call"),
            (#"{"read": [{"call": "kfree"}]}"#, "missing-field", "/methods/read/0"),
            (
                #"{"read": [{"call": "kfree", "objp": "$x"}]}"#, "unknown-reference",
                "/methods/read/0/objp"
            ),
            (#"{"open": [{"return": "$count"}]}"#, "unknown-reference", "/methods/open/0/return"),
            (#"{"open": [{"return": "-ENOMEN"}]}"#, "unknown-name", "/methods/open/0/return"),
            (#"{"open": [{"return": "12x"}]}"#, "invalid-value", "/methods/open/0/return"),
            (#"{"open": [{"return": 0, "as": "x"}]}"#, "unknown-field", "/methods/open/0/as"),
            (
                #"{"open": [{"return": 0, "if": "$file ~ 1"}]}"#, "invalid-value",
                "/methods/open/0/if"
            ),
            (#"{"open": [{"return": 0, "if": "a b"}]}"#, "invalid-value", "/methods/open/0/if"),
            (
                #"{"open": [{"call": "kfree", "objp": 0, "as": "9"}]}"#, "invalid-value",
                "/methods/open/0/as"
            ),
            (
                #"{"open": [{"call": "kfree", "objp": 0, "as": "buf"}]}"#, "invalid-value",
                "/methods/open/0/as"
            ),
            (
                #"{"open": [{"call": "kfree", "objp": 0, "call": "vfree"}]}"#, "duplicate-field",
                "/methods/open/0/call"
            ),
            (
                #"{"open": [{"call": "kfree", "args": {"objp": 0}, "args": {}}]}"#,
                "duplicate-field", "/methods/open/0/args"
            ),
            (
                #"{"open": [{"return": 0, "if": "$file", "if": "!$file"}]}"#, "duplicate-field",
                "/methods/open/0/if"
            ),
            (
                #"{"open": [{"return": 0, "return": 1}]}"#, "duplicate-field",
                "/methods/open/0/return"
            ),
            (
                #"{"open": [{"call": "kernel_write", "address": 0, "data": {"fill": 1, "length": 700000}}], "#
                    + #""read": [{"call": "kernel_write", "address": 0, "data": {"fill": 1, "length": 700000}}]}"#,
                "out-of-range", "/methods/read/0/data"
            ),
        ]
    )
    func refused(methods: String, problem: String, pointer: String) throws {
        let body = #"{"name":"d","methods":\#(methods)}"#
        let answer = try service.send("POST", session + "/calls/chrdev_register", body)

        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
        #expect(try devices().isEmpty)
    }

    @Test func `a form may carry the driver as text`() throws {
        let form = "name=echo&methods=%7B%22open%22%3A%5B%7B%22return%22%3A0%7D%5D%7D"
        let answer = try service.send("POST", session + "/calls/chrdev_register", form).json

        #expect(answer["return"] == .number(254))
        #expect(try devices()[0]["methods"].elements == [.string("open")])
    }
}

extension DeviceRoutesTests {
    @Test func `an allocation that is made to fail takes a driver's error path`() throws {
        _ = try call("fail_nth", #"{"n":1}"#)
        let failed = try register("echo", Self.echo)
        let second = try register("echo", Self.echo)
        _ = try call("fail_nth", #"{"n":1}"#)
        let unopened = try call("sys_open", #"{"pathname":"/dev/echo"}"#)
        _ = try call("fail_nth", #"{"n":2}"#)
        let page = try call("alloc_pages", #"{"gfp_mask":"GFP_KERNEL","order":0}"#)
        let none = try call("alloc_pages", #"{"gfp_mask":"GFP_KERNEL","order":0}"#)

        #expect(failed["errno"].text == "ENOMEM")
        #expect(
            failed["log"].elements.prefix(2) == [
                .string("FAULT_INJECTION: forcing a failure."),
                .string("name failslab, interval 1, probability 0, space 0, times 1"),
            ]
        )
        #expect(second["return"] == .number(254))
        #expect(unopened["errno"].text == "ENOMEM")
        #expect(page["return"] != .null && none["return"] == .null)
        #expect(none["log"].elements.count == 3)
    }

    @Test func `a variable is held to the same limits as a number that is written down`() throws {
        let methods = #"""
            {"ioctl": [{"call": "free_pages_exact", "virt": 0, "size": "$arg", "as": "n"},
                       {"call": "user_read", "addr": 4096, "length": "$arg-1"}, {"return": "$n"}]}
            """#
        _ = try register("large", methods)
        _ = try call("sys_open", #"{"pathname":"/dev/large"}"#)
        let asked = try call("sys_ioctl", #"{"fd":3,"cmd":1,"arg":"0x8000000000000000"}"#)
        let steps = asked["detail"]["steps"].elements

        #expect(asked["return"] == .number(0))
        #expect(
            steps.map { $0["refused"].text } == [
                "size is above 4194304, the most that is run",
                "length is above 1048576, the most that is run", "",
            ]
        )
    }

    @Test func `what a driver holds is measured when it comes`() throws {
        let before = try held()
        let methods =
            #"{"open": [{"call": "kernel_write", "address": 0, "data": {"fill": 1, "length": 1000000}}]}"#
        _ = try register("large", methods)

        #expect(try held() >= before + 1_000_000)
    }

    /// What the list of sessions says, which measures nothing itself.
    private func held() throws -> Double {
        let sessions = try service.send("GET", "/v1/sessions").json["sessions"].elements
        return try #require(sessions.first?["held_bytes"].number)
    }

    @Test func `a copy may take part of the stack's frames in use, and of no others`() throws {
        _ = try register("echo", Self.echo)
        let memory = try userMemory()
        let opened = try call("sys_open", #"{"pathname":"/dev/echo"}"#)["detail"]["entry"]
        let top = try #require(UInt64(opened["stack_top"].text.dropFirst(2), radix: 16))
        func copy(_ from: UInt64, _ count: UInt64) throws -> JSON {
            try call("copy_to_user", #"{"to":\#(memory),"from":\#(from),"n":\#(count)}"#)
        }
        let registers = try copy(top - 168, 168)
        let below = try copy(top - 1_000, 8)

        #expect(registers["return"] == .number(0))
        #expect(below["return"] == .number(8))
        #expect(
            below["log"].elements.first?.text
                == "usercopy: Kernel memory exposure attempt detected from "
                + "process stack (offset 576, size 8)!"
        )
    }
}
