import Testing

/// A device's buffer in a program's memory.
@Suite("HTTP: mmap of a device")
struct DeviceMappingRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    /// Two pages, mapped from the first one on as far as the program asks.
    private static let buffer = #"""
        {"probe": [{"call": "__get_free_pages", "gfp_mask": "GFP_KERNEL|__GFP_ZERO", "order": 1, "as": "data"},
                   {"call": "virt_to_pfn", "kaddr": "$data", "as": "frame"}],
         "mmap": [{"call": "remap_pfn_range", "vma": "$vma", "addr": "$vm_start", "pfn": "$frame",
                   "size": "$vm_end-$vm_start", "as": "error"}, {"return": "$error"}],
         "release": [{"call": "kmalloc", "size": 8, "flags": "GFP_KERNEL", "as": "left"}]}
        """#

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func open(_ methods: String, flags: String = "O_RDWR") throws {
        _ = try call("chrdev_register", #"{"name":"own","methods":\#(methods)}"#)
        _ = try call("sys_open", #"{"pathname":"/dev/own","flags":"\#(flags)"}"#)
    }

    private func map(_ flags: String, length: Int = 8_192) throws -> JSON {
        try call(
            "sys_mmap",
            #"{"len":\#(length),"prot":"PROT_READ|PROT_WRITE","flags":"\#(flags)","fd":3}"#
        )
    }

    private func variable(_ name: String) throws -> String {
        let device = try service.send("GET", session + "/devices").json["devices"].elements[0]
        let found = device["variables"].elements.first { $0["name"].text == name }
        return found?["value"].text ?? ""
    }

    @Test func `what a program stores is in the driver's buffer at once`() throws {
        try open(Self.buffer)
        let mapped = try map("MAP_SHARED")
        let place = mapped["return"].text
        _ = try call("user_write", #"{"addr":"\#(place)","data":{"text":"shared"}}"#)
        let child = try call("fork", "{}")
        _ = try call(
            "user_write",
            #"{"addr":"\#(place)","data":{"text":"child!"},"context":{"pid":2}}"#
        )
        let bytes = try call("kernel_read", #"{"address":"\#(try variable("data"))","length":6}"#)
        let maps = try service.send("GET", session + "/proc/1/maps").text

        #expect(mapped["detail"]["steps"].elements.first?["call"].text == "remap_pfn_range")
        #expect(child["return"] == .number(2))
        #expect(bytes["detail"]["data"].text == "6368696c6421")
        #expect(maps.contains("rw-s 00000000") && maps.contains(" /dev/own\n"))
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }

    @Test func `a private mapping keeps its stores to itself`() throws {
        try open(Self.buffer)
        let data = try variable("data")
        _ = try call("kernel_write", #"{"address":"\#(data)","data":{"text":"driver"}}"#)
        let place = try map("MAP_PRIVATE")["return"].text
        _ = try call("user_write", #"{"addr":"\#(place)","data":{"text":"D"}}"#)

        let user = try call("user_read", #"{"addr":"\#(place)","length":6}"#)
        let kernel = try call("kernel_read", #"{"address":"\#(data)","length":6}"#)

        #expect(user["detail"]["data"].text == "447269766572")
        #expect(kernel["detail"]["data"].text == "647269766572")
    }

    @Test func `the file is released with the last mapping`() throws {
        try open(Self.buffer)
        let place = try map("MAP_SHARED")["return"].text
        _ = try call("sys_close", #"{"fd":3}"#)
        let before = try variable("left")
        _ = try call("munmap", #"{"addr":"\#(place)","length":4096}"#)
        let half = try variable("left")
        let second = try #require(UInt64(place.dropFirst(2), radix: 16)) + 4_096
        _ = try call("munmap", #"{"addr":\#(second),"length":4096}"#)
        let after = try variable("left")

        #expect(before == "0x0" && half == "0x0")
        #expect(after.hasPrefix("0xffff8880"))
        #expect(try service.send("POST", session + "/validate").json["violations"].elements.isEmpty)
    }

    @Test func `what cannot be mapped is refused, and leaves nothing`() throws {
        let half = #"""
            {"mmap": [{"call": "remap_pfn_range", "vma": "$vma", "addr": "$vm_start", "pfn": 300,
                       "size": 4096, "as": "error"}, {"return": "$error"}]}
            """#
        try open(half)
        let partial = try map("MAP_PRIVATE")
        let shared = try map("MAP_SHARED")
        let stray = try call("remap_pfn_range", #"{"vma":4096,"addr":4096,"pfn":1,"size":4096}"#)
        _ = try call("sys_close", #"{"fd":3}"#)
        _ = try call("chrdev_unregister", #"{"name":"own"}"#)
        try open(#"{"read": [{"return": 0}]}"#)
        let none = try map("MAP_SHARED")

        #expect(partial["errno"].text == "EINVAL")
        #expect(shared["errno"] == .null)
        #expect(stray["errno"].text == "EINVAL")
        #expect(none["errno"].text == "ENODEV")
    }
}
