import Testing

@testable import KernelHeap

@Suite("Drivers: files of processes")
struct DeviceFileTests {
    @Test func `what a driver's release opens is closed with the process`() throws {
        var machine = try ProcessMachine()
        let memfd = try #require(CallRegistry.byName["memfd_create"])
        var arguments = CallArguments()
        arguments.set(0, payload: .text("left"))
        var script = DriverScript()
        script[.release] = [MethodStep(.call(memfd.index, arguments, [], result: nil))]
        let made = machine.kernel.registerDevice("last", script, in: .standard)
        let child = try machine.create()
        let context = CallContext(pid: machine.kernel.processes[child].pid)
        let opened = machine.kernel.openFile("/dev/last", flags: 0, in: context)

        machine.exit(child)

        #expect(made.value == 254)
        #expect(opened.value == 3)
        #expect(machine.kernel.files.count == 0)
        #expect(machine.violations() == [])
    }
}
