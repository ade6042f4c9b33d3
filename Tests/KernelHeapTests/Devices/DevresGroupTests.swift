import Testing

@testable import KernelHeap

/// Groups of managed resources, also where their memory was freed behind their back.
@Suite("Devices: groups of resources")
struct DevresGroupTests {
    private static let kernelFlags: CallMachine.Argument = 0xcc0

    let machine: CallMachine

    init() throws {
        machine = try CallMachine()
        try machine.call("device_register", "d")
    }

    private func open(_ id: UInt64) throws {
        try machine.call("devres_open_group", "d", .word(id), Self.kernelFlags)
    }

    private func close(_ id: UInt64) throws -> CallOutcome {
        try machine.call("devres_close_group", "d", .word(id))
    }

    private var nodes: [DevresNode] {
        machine.kernel.driverModel.devices.first?.resources ?? []
    }

    private var kinds: [String] { nodes.map(\.kindName) }

    @Test(
        "a group in memory of another one has no end before its beginning",
        arguments: ["devres_release_group", "devres_remove_group"]
    )
    func reusedGroup(function: String) throws {
        try open(1)
        _ = try close(1)
        try machine.call("kfree", .word(#require(nodes.first).address))
        try open(2)
        try machine.call("devm_kmalloc", "d", 32, Self.kernelFlags)
        let before = nodes
        try machine.call(function, "d", 2)

        #expect(before.map(\.kindName) == ["group_open", "group_close", "group_open", "memory"])
        #expect(before.first?.address == before[2].address)
        let keeps = function == "devres_remove_group"
        #expect(kinds == ["group_open", "group_close"] + (keeps ? ["memory"] : []))
    }

    @Test func `both groups in one piece of memory are found, the newer one first`() throws {
        try open(1)
        _ = try close(1)
        try machine.call("kfree", .word(#require(nodes.first).address))
        try open(1)
        try machine.call("devm_kmalloc", "d", 32, Self.kernelFlags)
        let closed = try close(1)
        let both = kinds
        let newer = try machine.call("devres_release_group", "d", 1)
        let one = kinds
        let older = try machine.call("devres_release_group", "d", 1)

        #expect(closed.log.isEmpty)
        #expect(both == ["group_open", "group_close", "group_open", "memory", "group_close"])
        #expect(newer.word == 1 && one == ["group_open", "group_close"])
        #expect(older.word == 0 && kinds.isEmpty)
    }

    @Test func `a group is closed once, and NULL means the newest that is open`() throws {
        for id in UInt64(1)...3 { try open(id) }
        _ = try close(3)
        let again = try close(3)
        _ = try close(0)
        _ = try close(0)
        let none = try close(0)

        #expect(again.log.contains { $0.contains("devres.c") })
        #expect(
            kinds == [
                "group_open", "group_open", "group_open", "group_close", "group_close",
                "group_close",
            ]
        )
        // The ends of 3, 2 and 1, in the order of the calls.
        #expect(nodes.map(\.address).suffix(3) == nodes.map(\.address).prefix(3).reversed()[...])
        #expect(none.log.contains { $0.contains("devres_close_group") })
    }
}
