import Foundation
import Testing

@Suite("HTTP: memory that a device manages")
struct ManagedDeviceRoutesTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func device(_ place: Int = 0) throws -> JSON {
        let devices = try service.send("GET", session + "/devices").json["bus_devices"].elements
        return try #require(devices.count > place ? devices[place] : nil)
    }

    private func number(_ text: String) throws -> UInt64 {
        try #require(UInt64(text.dropFirst(2), radix: 16))
    }

    /// What a call's detail says was released: the functions that had asked for it.
    private func released(_ answer: JSON) -> [String] {
        answer["detail"]["released"].elements.map { $0["function"].text }
    }

    private func warnings(_ answer: JSON) -> [String] {
        answer["detail"]["warnings"].elements.map { $0["kind"].text }
    }

    private static let probe = #"""
        {"probe": [{"call": "devm_kzalloc", "dev": "$dev", "size": 64, "gfp": "GFP_KERNEL", "as": "a"},
                   {"call": "devm_get_free_pages", "dev": "$dev", "gfp_mask": "GFP_KERNEL", "order": 1, "as": "p"},
                   {"call": "kmalloc", "size": 32, "flags": "GFP_KERNEL", "as": "own"},
                   {"call": "devm_add_action", "dev": "$dev", "action": "free_own", "data": "$own",
                    "steps": [{"call": "kfree", "objp": "$arg"}]},
                   {"return": "RESULT"}],
         "remove": [{"call": "kernel_read", "address": "$a", "length": 8}]}
        """#

    private func probe(returning result: String) -> String {
        Self.probe.replacingOccurrences(of: "RESULT", with: result)
    }

    @Test func `the node stands before the data, and kmalloc is asked for both`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let got = try call("devm_kmalloc", #"{"dev":"sensor","size":64,"gfp":"GFP_KERNEL"}"#)
        let full = try call("devm_kmalloc", #"{"dev":"sensor","size":128,"gfp":"GFP_KERNEL"}"#)
        let shown = try device()

        // struct devres_node: two list pointers, release, name and size, 40 bytes; 64 + 40 need 128.
        #expect(got["detail"]["requested"] == .number(104))
        #expect(got["detail"]["cache"].text == "kmalloc-128")
        #expect(full["detail"]["cache"].text == "kmalloc-192")
        #expect(try number(got["return"].text) % 128 == 40)
        #expect(shown["resources"].elements.map { $0["size"] } == [.number(64), .number(128)])
        #expect(shown["resources"].elements.first?["address"].text == got["return"].text)
    }

    @Test func `on 32 bits the node has 24 bytes, in 2.6 12`() throws {
        for (profile, expected) in [("linux-6.1-i386", 64.0 + 24), ("linux-2.6-i386", 64.0 + 12)] {
            let small = try service.boot(#"{"machine":{"profile":"\#(profile)","memory":"256M"}}"#)
            _ = try service.send("POST", small + "/calls/device_register", "name=a")
            let got = try service.send(
                "POST",
                small + "/calls/devm_kmalloc",
                "dev=a&size=64&gfp=GFP_KERNEL"
            ).json

            #expect(got["detail"]["requested"] == .number(expected), "\(profile)")
        }
    }

    @Test func `unbinding frees in the reverse order, callbacks among the rest`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let methods = probe(returning: "0")
        let bound = try call(
            "device_driver_attach",
            #"{"drv":"sensor-drv","dev":"sensor","methods":\#(methods)}"#
        )
        let held = try device()
        let unbound = try call("device_release_driver", #"{"dev":"sensor"}"#)
        let after = try device()

        #expect(bound["return"] == .number(0))
        #expect(held["driver"].text == "sensor-drv")
        #expect(
            held["resources"].elements.map { $0["kind"].text } == ["memory", "pages", "action"]
        )
        #expect(
            released(unbound) == ["devm_add_action", "devm_get_free_pages", "devm_kzalloc"]
        )
        // remove still reads what probe asked for.
        #expect(warnings(unbound) == [])
        #expect(after["resources"].elements.isEmpty && after["driver"] == .null)
    }

    @Test func `a failed probe leaves nothing behind and says so in the log`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let before = try service.send("GET", session + "/allocations").json["allocations"].elements
        let methods = probe(returning: "-EIO")
        let failed = try call(
            "device_driver_attach",
            #"{"drv":"sensor-drv","dev":"sensor","methods":\#(methods)}"#
        )
        let after = try service.send("GET", session + "/allocations").json["allocations"].elements
        let quiet = try call(
            "device_driver_attach",
            #"{"drv":"other","dev":"sensor","methods":{"probe":[{"return":-19}]}}"#
        )

        #expect(failed["errno"].text == "EIO")
        #expect(
            failed["log"].elements.map(\.text) == [
                "sensor-drv: probe of sensor failed with error -5"
            ]
        )
        #expect(released(failed).count == 3)
        #expect(after.count == before.count)
        #expect(quiet["errno"].text == "ENODEV" && quiet["log"].elements.isEmpty)
    }

    @Test func `a device with resources or a driver takes no other driver`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        _ = try call("devm_kmalloc", #"{"dev":"sensor","size":64,"gfp":"GFP_KERNEL"}"#)
        let early = try call("device_driver_attach", #"{"drv":"d","dev":"sensor"}"#)
        _ = try call("device_release_driver", #"{"dev":"sensor"}"#)
        _ = try call("device_register", #"{"name":"second"}"#)
        let first = try call("device_driver_attach", #"{"drv":"d","dev":"second"}"#)
        let second = try call("device_driver_attach", #"{"drv":"d","dev":"second"}"#)
        let twice = try call("device_register", #"{"name":"second"}"#)

        #expect(early["errno"].text == "EBUSY")
        #expect(
            early["log"].elements.map(\.text) == ["d sensor: Resources present before probing"]
        )
        #expect(first["return"] == .number(0))
        #expect(second["errno"].text == "EBUSY")
        #expect(twice["errno"].text == "EEXIST")
        #expect(
            twice["log"].elements.first?.text
                == "sysfs: cannot create duplicate filename '/devices/platform/second'"
        )
    }

    @Test func `kfree of managed memory frees inside an object, and unbinding frees again`() throws
    {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let got = try call("devm_kmalloc", #"{"dev":"sensor","size":64,"gfp":"GFP_KERNEL"}"#)
        let wrong = try call("kfree", #"{"objp":"\#(got["return"].text)"}"#)
        let gone = try call("device_unregister", #"{"dev":"sensor"}"#)

        #expect(warnings(wrong) == ["invalid_free", "managed_memory"])
        let managed = wrong["detail"]["warnings"].elements.last
        #expect(managed?["owner"].text == "sensor" && managed?["device"].text == "sensor")
        #expect(managed?["function"].text == "devm_kmalloc")
        #expect(managed?["calls"].elements.first?["seq"] == .number(2))
        #expect(released(gone) == ["devm_kmalloc"])
        #expect(gone["detail"]["freed"] == .boolean(true))
    }

    @Test func `devm_kfree of foreign memory warns and leaves it`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        _ = try call("device_register", #"{"name":"other"}"#)
        let plain = try call("kmalloc", "size=64&flags=GFP_KERNEL")
        let mine = try call("devm_kmalloc", #"{"dev":"other","size":64,"gfp":"GFP_KERNEL"}"#)
        let first = try call("devm_kfree", #"{"dev":"sensor","p":"\#(plain["return"].text)"}"#)
        let second = try call("devm_kfree", #"{"dev":"sensor","p":"\#(mine["return"].text)"}"#)
        let right = try call("devm_kfree", #"{"dev":"other","p":"\#(mine["return"].text)"}"#)
        let still = try call("ksize", #"{"objp":"\#(plain["return"].text)"}"#)

        let line = "WARNING: CPU: 0 PID: 1 at drivers/base/devres.c devm_kfree"
        #expect(first["log"].elements.map(\.text).contains(line))
        #expect(first["detail"]["warnings"].elements.first?["owner"] == .null)
        #expect(second["detail"]["warnings"].elements.first?["owner"].text == "other")
        #expect(right["log"].elements.isEmpty && warnings(right) == [])
        #expect(still["return"] == .number(64))
    }

    @Test func `devm_krealloc keeps the place among the resources`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let first = try call("devm_kstrdup", #"{"dev":"sensor","s":"abc","gfp":"GFP_KERNEL"}"#)
        _ = try call("devm_kmalloc", #"{"dev":"sensor","size":64,"gfp":"GFP_KERNEL"}"#)
        let room = try call(
            "devm_krealloc",
            #"{"dev":"sensor","ptr":"\#(first["return"].text)","new_size":24,"gfp":"GFP_KERNEL"}"#
        )
        let moved = try call(
            "devm_krealloc",
            #"{"dev":"sensor","ptr":"\#(first["return"].text)","new_size":100,"gfp":"GFP_KERNEL"}"#
        )
        let text = try call("kernel_read", #"{"address":"\#(moved["return"].text)","length":4}"#)
        let shown = try device()["resources"].elements

        // 4 + 40 bytes lie in kmalloc-64, which has room for 24 + 40.
        #expect(room["return"].text == first["return"].text)
        #expect(moved["return"].text != first["return"].text)
        // 6.1 asks for 100 + 40, and for the node once more.
        #expect(moved["detail"]["requested"] == .number(180))
        #expect(text["detail"]["data"].text == "61626300")
        #expect(shown.map { $0["function"].text } == ["devm_krealloc", "devm_kmalloc"])
    }

    @Test func `a group is released as a whole, what is outside stays`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        func memory(_ size: Int) throws {
            _ = try call("devm_kmalloc", #"{"dev":"sensor","size":\#(size),"gfp":"GFP_KERNEL"}"#)
        }
        try memory(1)
        let opened = try call(
            "devres_open_group",
            #"{"dev":"sensor","id":null,"gfp":"GFP_KERNEL"}"#
        )
        try memory(2)
        let inner = try call("devres_open_group", #"{"dev":"sensor","id":7,"gfp":"GFP_KERNEL"}"#)
        try memory(3)
        _ = try call("devres_close_group", #"{"dev":"sensor","id":7}"#)
        _ = try call("devres_close_group", #"{"dev":"sensor","id":"\#(opened["return"].text)"}"#)
        try memory(4)
        let released = try call(
            "devres_release_group",
            #"{"dev":"sensor","id":"\#(opened["return"].text)"}"#
        )
        let shown = try device()["resources"].elements
        let missing = try call("devres_release_group", #"{"dev":"sensor","id":7}"#)

        #expect(inner["return"].text == "0x7")
        #expect(released["return"] == .number(2))
        #expect(
            released["detail"]["released"].elements.map { $0["size"] } == [.number(3), .number(2)]
        )
        #expect(shown.map { $0["size"] } == [.number(1), .number(4)])
        #expect(missing["return"] == .number(0) && !missing["log"].elements.isEmpty)
    }

    @Test func `callbacks are found by name and data, run once, or are taken back`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let own = try call("kmalloc", "size=32&flags=GFP_KERNEL")["return"].text
        let steps = #"[{"call":"kfree","objp":"$arg"}]"#
        for name in ["first", "second"] {
            _ = try call(
                "devm_add_action",
                #"{"dev":"sensor","action":"\#(name)","data":"\#(own)","steps":\#(steps)}"#
            )
        }
        let removed = try call(
            "devm_remove_action",
            #"{"dev":"sensor","action":"second","data":"\#(own)"}"#
        )
        let run = try call(
            "devm_release_action",
            #"{"dev":"sensor","action":"first","data":"\#(own)"}"#
        )
        let again = try call(
            "devm_release_action",
            #"{"dev":"sensor","action":"first","data":"\#(own)"}"#
        )
        let end = try call("device_unregister", #"{"dev":"sensor"}"#)

        #expect(removed["log"].elements.isEmpty)
        let step = run["detail"]["released"].elements.first?["steps"].elements.first
        #expect(step?["call"].text == "kfree")
        #expect(step?["arguments"]["objp"].text == own)
        #expect(!again["log"].elements.isEmpty)
        #expect(warnings(end) == [] && end["detail"]["freed"] == .boolean(true))
    }

    @Test func `a callback takes no callback, and knows only its argument`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        func refusal(_ steps: String) throws -> JSON {
            try call(
                "devm_add_action",
                #"{"dev":"sensor","action":"a","data":0,"steps":\#(steps)}"#
            )
        }
        let nested = try refusal(
            #"[{"call":"devm_add_action","dev":"sensor","action":"b","data":0,"steps":[]}]"#
        )
        let unknown = try refusal(#"[{"call":"kfree","objp":"$dev"}]"#)
        let runner = try refusal(#"[{"call":"device_unregister","dev":"sensor"}]"#)

        #expect(nested["status"] == .number(422))
        #expect(unknown["status"] == .number(422))
        #expect(runner["status"] == .number(422))
    }

    @Test func `a file that survives its device uses memory that is gone`() throws {
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let methods = #"""
            {"probe": [{"call": "devm_kzalloc", "dev": "$dev", "size": 64, "gfp": "GFP_KERNEL", "as": "state"}],
             "read": [{"call": "simple_read_from_buffer", "to": "$buf", "count": "$count", "ppos": "$ppos",
                       "from": "$state", "available": 64, "as": "n"}, {"return": "$n"}]}
            """#
        _ = try call("device_driver_attach", #"{"drv":"d","dev":"sensor"}"#)
        _ = try call(
            "chrdev_register",
            #"{"name":"sensor0","dev":"sensor","methods":\#(methods)}"#
        )
        let mapped = try call(
            "mmap",
            #"{"length":4096,"prot":"PROT_READ|PROT_WRITE","flags":"MAP_PRIVATE|MAP_ANONYMOUS"}"#
        )["return"].text
        _ = try call("sys_open", #"{"pathname":"/dev/sensor0"}"#)
        let sound = try call("sys_read", #"{"fd":3,"buf":"\#(mapped)","count":8}"#)
        _ = try call("chrdev_unregister", #"{"name":"sensor0"}"#)
        let gone = try call("device_unregister", #"{"dev":"sensor"}"#)
        let kept = try device()
        let read = try call("sys_read", #"{"fd":3,"buf":"\#(mapped)","count":8}"#)
        _ = try call("sys_close", #"{"fd":3}"#)
        let left = try service.send("GET", session + "/devices").json["bus_devices"].elements

        #expect(warnings(sound) == [])
        #expect(gone["detail"]["open_files"] == .number(1))
        #expect(gone["detail"]["kept_by"].elements.map(\.text) == ["/dev/sensor0"])
        #expect(gone["detail"]["freed"] == .boolean(false))
        #expect(kept["registered"] == .boolean(false) && kept["references"] == .number(1))
        #expect(kept["open_files"] == .number(1))
        #expect(read["return"] == .number(8) && warnings(read).contains("use_after_free"))
        #expect(left.isEmpty)
    }

    @Test func `no device is an error, and an address without memory an oops`() throws {
        let unknown = try call("devm_kmalloc", #"{"dev":"none","size":8,"gfp":"GFP_KERNEL"}"#)
        let null = try call("device_release_driver", #"{"dev":null}"#)
        _ = try call("device_register", #"{"name":"sensor"}"#)
        let other = try call("kmalloc", "size=64&flags=GFP_KERNEL")["return"].text
        let wrong = try call("devm_kfree", #"{"dev":"\#(other)","p":"0x1000"}"#)

        #expect(unknown["return"] == .null && unknown["errno"].text == "ENODEV")
        #expect(
            null["log"].elements.first?.text.hasPrefix("BUG: kernel NULL pointer dereference")
                == true
        )
        #expect(wrong["detail"]["refused"] != .null && wrong["log"].elements.isEmpty)
    }
}
