import Testing

/// Methods of a driver beside read and write, and a caller that dies in one.
@Suite("HTTP: a driver's llseek and poll, and a death in a method")
struct DeviceMethodRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    /// A device of 64 bytes that can be read from when a flag is set, and written to always.
    private static let sized = #"""
        {"read": [{"return": 0}],
         "ioctl": [{"call": "memcmp", "cs": 0, "ct": 0, "count": 0, "as": "zero"},
                   {"call": "kmalloc", "size": 8, "flags": "GFP_KERNEL", "as": "ready"}],
         "llseek": [{"call": "fixed_size_llseek", "file": "$file", "offset": "$offset",
                     "whence": "$whence", "size": 64, "as": "pos"}, {"return": "$pos"}],
         "poll": [{"return": 5, "if": "$ready"}, {"return": 4}]}
        """#

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func open(_ methods: String) throws {
        let body = #"{"name":"own","methods":\#(methods)}"#
        _ = try call("chrdev_register", body)
        _ = try call("sys_open", #"{"pathname":"/dev/own","flags":"O_RDWR"}"#)
    }

    @Test func `the driver decides where a file's position may be`() throws {
        try open(Self.sized)

        let end = try call("sys_lseek", #"{"fd":3,"offset":-4,"whence":"SEEK_END"}"#)
        let on = try call("sys_lseek", #"{"fd":3,"offset":4,"whence":"SEEK_CUR"}"#)
        let beyond = try call("sys_lseek", #"{"fd":3,"offset":1,"whence":"SEEK_CUR"}"#)
        let read = try call("sys_read", #"{"fd":3,"buf":0,"count":0}"#)

        #expect(end["return"] == .number(60) && on["return"] == .number(64))
        #expect(beyond["errno"].text == "EINVAL")
        #expect(read["detail"]["position"] == .number(64))
    }

    @Test func `a driver without llseek has no position to move`() throws {
        try open(#"{"read": [{"return": 0}]}"#)

        let moved = try call("sys_lseek", #"{"fd":3,"offset":0}"#)
        let closed = try call("sys_lseek", #"{"fd":9,"offset":0}"#)

        #expect(moved["errno"].text == "ESPIPE" && closed["errno"].text == "EBADF")
    }

    //   struct pollfd: int fd; short events; short revents
    @Test func `poll asks the driver, and tells what was asked for`() throws {
        try open(Self.sized)
        let mapped = try call(
            "mmap",
            #"{"length":4096,"prot":"PROT_READ|PROT_WRITE","flags":"MAP_PRIVATE|MAP_ANONYMOUS"}"#
        )
        let memory = mapped["return"].text
        _ = try call("user_write", #"{"addr":"\#(memory)","data":{"hex":"0300000001000000"}}"#)

        let idle = try call("sys_poll", #"{"ufds":"\#(memory)","nfds":1,"timeout_msecs":5}"#)
        _ = try call("sys_ioctl", #"{"fd":3,"cmd":1}"#)
        let ready = try call("sys_poll", #"{"ufds":"\#(memory)","nfds":1}"#)
        let bytes = try call("user_read", #"{"addr":"\#(memory)","length":8}"#)

        #expect(idle["return"] == .number(0) && ready["return"] == .number(1))
        #expect(ready["detail"]["files"].elements.first?["revents"].text == "0x1")
        #expect(bytes["detail"]["data"].text == "0300000001000100")
    }

    @Test func `a process that dies in a method gives its memory and its files back`() throws {
        let methods = #"""
            {"read": [{"call": "kernel_read", "address": 16, "length": 1}],
             "release": [{"call": "kmalloc", "size": 8, "flags": "GFP_KERNEL", "as": "left"}]}
            """#
        _ = try call("chrdev_register", #"{"name":"bad","methods":\#(methods)}"#)
        let pid = try call("process_create", #"{"name":"victim"}"#)["return"]
        #expect(pid == .number(2))
        let context = #""context":{"pid":2}"#
        let mapped = try call(
            "mmap",
            #"{"length":65536,"prot":"PROT_READ|PROT_WRITE","flags":"MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE",\#(context)}"#
        )
        _ = try call("sys_open", #"{"pathname":"/dev/bad",\#(context)}"#)

        let died = try call(
            "sys_read",
            #"{"fd":3,"buf":"\#(mapped["return"].text)","count":1,\#(context)}"#
        )
        let late = try service.send(
            "POST",
            session + "/calls/sys_read",
            #"{"fd":3,"buf":0,"count":1,\#(context)}"#
        )
        let processes = try service.send("GET", session + "/processes").json["processes"].elements
        let device = try service.send("GET", session + "/devices").json["devices"].elements[0]

        #expect(died["return"] == .null && died["detail"]["killed"] == .boolean(true))
        #expect(late.status == 422)
        #expect(processes.map { $0["pid"] } == [.number(1)])
        #expect(device["files"].elements.isEmpty)
        #expect(device["variables"].elements.first?["value"].text.hasPrefix("0xffff8880") == true)
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }
}
