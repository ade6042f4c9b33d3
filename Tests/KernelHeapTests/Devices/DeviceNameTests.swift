import Testing

@testable import KernelHeap

/// After `kobject_set_name_vargs()` and `kobject_add_internal()`, `lib/kobject.c`, 6.1.
@Suite("Devices: names")
struct DeviceNameTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine() }

    @Test func `a slash becomes an exclamation mark, and either finds the device`() throws {
        let made = try machine.call("device_register", "a/b")
        let twice = try machine.call("device_register", "a!b")
        let gone = try machine.call("device_unregister", "a/b")

        #expect(made.word == 0)
        #expect(made.fact("name") == .text("a!b"))
        #expect(made.fact("path") == .text("/devices/platform/a!b"))
        #expect(twice.result.errno == .EEXIST)
        #expect(gone.result.errno == nil)
    }

    @Test(
        "names that no device gets",
        arguments: [
            ("", "the name is empty"),
            (String(repeating: "n", count: 64), "the name has 64 bytes; a device's has 63 at most"),
            ("a b", "the name has a character that is not printable ASCII, or a space"),
        ]
    )
    func refusals(name: String, reason: String) throws {
        let outcome = try machine.call("device_register", .text(name))

        #expect(outcome.result.errno == .EINVAL)
        #expect(outcome.fact("refused") == .text(reason))
        let warned = outcome.log.contains {
            $0 == "kobject: (____ptrval____): attempted to be registered with empty name!"
        }
        #expect(warned == name.isEmpty)
    }

    @Test func `a second device of a name has the lines of sysfs and of kobjects`() throws {
        try machine.call("device_register", "dev0")
        let outcome = try machine.call("device_register", "dev0")
        let lines = Array(outcome.log)

        #expect(outcome.result.errno == .EEXIST)
        #expect(
            outcome.fact("refused") == .text("a device of this name is registered since call 1")
        )
        try #require(lines.count == 3)
        #expect(lines[0] == "sysfs: cannot create duplicate filename '/devices/platform/dev0'")
        #expect(lines[1].hasPrefix("CPU: 0 PID: 1 Comm: init Not tainted 6.1."))
        #expect(
            lines[2]
                == "kobject: kobject_add_internal failed for dev0 with -EEXIST, don't try to "
                + "register things with the same name in the same directory."
        )
    }
}
