import Testing

@testable import KernelHeap

/// The files under `/sys/kernel/debug` and `/proc` that force failures.
@Suite("Fault injection: files")
struct FaultFileTests {
    let machine: CallMachine

    init() throws { machine = try CallMachine() }

    private func write(_ path: String, _ value: String) throws -> CallOutcome {
        try machine.call("write_fault_knob", .text(path), .text(value))
    }

    private func names(near path: String) throws -> [FactValue] {
        let outcome = try write(path, "1")
        #expect(outcome.result.errno == .ENOENT, "\(path)")
        guard case .list(let names)? = outcome.fact("near") else { return [] }
        return names
    }

    @Test("a knob by either form of its path", arguments: ["", "/sys/kernel/debug/"])
    func paths(start: String) throws {
        let outcome = try write(start + "failslab/probability", "25")

        #expect(outcome.word == 0)
        #expect(machine.kernel.faultAttribute(.slab).probability == 25)
    }

    @Test("the next place of a process", arguments: ["/proc/1/fail-nth", "/proc/self/fail-nth"])
    func failNth(path: String) throws {
        // Now there is a slab, and each object is one place.
        try machine.call("kmalloc", 64, 0xcc0)
        let written = try write(path, "2")
        let waiting = machine.kernel.failNth(of: 1)
        let first = try machine.call("kmalloc", 64, 0xcc0)
        let second = try machine.call("kmalloc", 64, 0xcc0)

        #expect(written.word == 0 && waiting == 2)
        #expect(machine.kernel.failNth(of: 7) == 0)
        #expect(first.word != 0)
        #expect(second.word == 0)
        #expect(machine.kernel.failNth(of: 1) == 0)
    }

    @Test func `a process is marked by its file`() throws {
        let marked = try write("/proc/1/make-it-fail", "1")
        let isMarked = machine.kernel.isMadeToFail(1)
        let cleared = try write("/proc/1/make-it-fail", "0")

        #expect(marked.word == 0 && isMarked)
        #expect(cleared.word == 0 && !machine.kernel.isMadeToFail(1))
    }

    @Test(
        "what the files do not take",
        arguments: [
            ("/proc/1/make-it-fail", "2"), ("/proc/1/make-it-fail", "-1"),
            ("/proc/1/fail-nth", "4294967296"), ("/proc/1/fail-nth", "-1"),
            ("/proc/1/fail-nth", ""),
        ]
    )
    func refusals(path: String, value: String) throws {
        #expect(try write(path, value).result.errno == .EINVAL)
        #expect(machine.kernel.failNth(of: 1) == 0 && !machine.kernel.isMadeToFail(1))
    }

    @Test func `a path that no file has is answered with those near it`() throws {
        let probability = FactValue.text("failslab/probability")
        let whole = FactValue.text("/sys/kernel/debug/failslab/times")

        #expect(try names(near: "failslab/probabilty") == [probability])
        #expect(try names(near: "failslap/probability") == [probability])
        #expect(try names(near: "/sys/kernel/debug/failslab/tims") == [whole])
        #expect(try names(near: "/proc/1/fail-nht") == [.text("/proc/1/fail-nth")])
        #expect(try names(near: "/proc/9/fail-nth") == [.text("/proc/1/fail-nth")])
        #expect(try names(near: "failslab/x").count == FaultKnob.knobs(of: .slab).count)
        #expect(try names(near: "somewhere else").contains(probability))
        for hostile in ["", "/", "/proc/", "/proc/self/", "/proc/99999999999999999999/fail-nth"] {
            #expect(try !names(near: hostile).isEmpty)
        }
    }
}
