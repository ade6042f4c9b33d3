import Testing

@testable import KernelHeap

/// What drivers do wrong at the border, and what the machine says of it.
@Suite("User copies: wrong ways")
struct WrongWaysTests {
    private static let base: UInt64 = 0x1000_0000
    private static let context = CallContext.standard

    private func machine(history: Int = 0) throws -> ProcessMachine {
        var description = MachineDescription()
        description.objectHistory = history
        var machine = ProcessMachine(kernel: try Kernel(description))
        try machine.map(0, Self.base, pages: 1)
        return machine
    }

    private func call(
        _ machine: inout ProcessMachine,
        _ name: String,
        _ words: [UInt64],
        bytes: [UInt8]? = nil
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.all.first { $0.signature.name == name })
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        if let bytes { arguments.set(words.count, payload: .bytes(bytes)) }
        return machine.kernel.apply(descriptor, arguments, in: Self.context)
    }

    private func pointer(_ outcome: CallOutcome) throws -> UInt64 {
        guard case .pointer(let address) = outcome.result.value else {
            throw ProcessMachine.Missing(what: "pointer")
        }
        return address
    }

    private func facts(_ warning: MisuseWarning?, _ name: String) -> FactValue? {
        warning?.facts.first { $0.name == name }?.value
    }

    //   get_user(length) … another thread stores … copy_from_user(length)
    @Test func `a value that changes between two fetches is a double fetch`() throws {
        var machine = try machine()
        let buffer = try machine.kernelPage()
        _ = try call(&machine, "user_write", [Self.base], bytes: [4, 0, 0, 0])
        let race = try call(&machine, "user_race", [Self.base], bytes: [0xff, 0, 0, 0])

        let first = try call(&machine, "get_user", [Self.base, 4])
        let second = try call(&machine, "copy_from_user", [buffer, Self.base, 8])
        let third = try call(&machine, "copy_from_user", [buffer, Self.base, 8])

        #expect(race.result.errno == nil)
        #expect(first.warnings.isEmpty && third.warnings.isEmpty)
        #expect(second.warnings.map(\.name) == ["double_fetch"])
        #expect(second.warnings.first?.calls == [first.sequence])
        #expect(facts(second.warnings.first, "before") == .bytes([4, 0, 0, 0]))
        #expect(facts(second.warnings.first, "after") == .bytes([0xff, 0, 0, 0]))
        let bytes = machine.kernel.kernelBytes(buffer, 1)
        #expect(bytes == [0xff])
    }

    @Test func `one fetch alone loses no race`() throws {
        var machine = try machine()
        let buffer = try machine.kernelPage()
        _ = try call(&machine, "user_race", [Self.base], bytes: [9])

        let fetch = try call(&machine, "copy_from_user", [buffer, Self.base, 8])
        let elsewhere = try call(&machine, "copy_from_user", [buffer, Self.base + 8, 8])

        #expect(fetch.warnings.isEmpty && elsewhere.warnings.isEmpty)
        let bytes = machine.kernel.kernelBytes(buffer, 1)
        #expect(bytes == [0])
        let now = machine.load(0, Self.base)
        #expect(now == 9)
    }

    @Test func `bytes that a short copy did not bring are not used unseen`() throws {
        var machine = try machine()
        let buffer = try machine.kernelPage()
        let end = Self.base + 4_096 - 16

        let short = try call(&machine, "copy_from_user", [buffer, end, 32])
        let good = try call(&machine, "kernel_read", [buffer, 16])
        let bad = try call(&machine, "kernel_read", [buffer, 32])
        let again = try call(&machine, "copy_from_user", [buffer, end, 32])
        let checked = try call(&machine, "check_result", [again.sequence])
        let seen = try call(&machine, "kernel_read", [buffer, 32])

        #expect(short.result.value == .unsigned(16))
        #expect(good.warnings.isEmpty)
        #expect(bad.warnings.map(\.name) == ["unchecked_copy"])
        #expect(bad.warnings.first?.calls == [short.sequence])
        #expect(facts(bad.warnings.first, "address") == .address(buffer + 16))
        #expect(checked.result.value == .unsigned(16))
        #expect(seen.warnings.isEmpty)
    }

    @Test func `a process that reads what copy_to_user left out is warned about too`() throws {
        var machine = try machine()
        let buffer = try machine.kernelPage()
        let end = Self.base + 4_096 - 16

        let short = try call(&machine, "copy_to_user", [end, buffer, 32])
        try machine.map(0, Self.base + 4_096, pages: 1)
        let read = try call(&machine, "user_read", [end, 32])

        #expect(short.result.value == .unsigned(16))
        #expect(read.warnings.map(\.name) == ["unchecked_copy"])
    }

    //   kmalloc-64   | written 16 | left by the owner before: 48 |  → copy_to_user(64)
    @Test func `bytes of the last owner that go to user space are a leak`() throws {
        var machine = try machine(history: 64)
        let flags = UInt64(GFPFlags.kernel.rawValue)
        let first = try call(&machine, "kmalloc", [64, flags])
        let object = try pointer(first)
        _ = try call(&machine, "memset", [object, 0x5a, 64])
        _ = try call(&machine, "kfree", [object])
        let again = try pointer(try call(&machine, "kmalloc", [64, flags]))
        _ = try call(&machine, "memset", [again, 0, 16])

        let part = try call(&machine, "copy_to_user", [Self.base, again, 16])
        let whole = try call(&machine, "copy_to_user", [Self.base, again, 64])

        #expect(again == object)
        #expect(part.warnings.isEmpty)
        #expect(whole.warnings.map(\.name) == ["information_leak"])
        #expect(facts(whole.warnings.first, "length") == .number(48))
        #expect(facts(whole.warnings.first, "address") == .address(object + 16))
        guard case .facts(let owner)? = facts(whole.warnings.first, "left_by") else {
            Issue.record("nobody left it")
            return
        }
        #expect(owner.first?.value == .number(Int64(first.sequence)))
    }

    @Test("cleared and copied memory leaks nothing", arguments: ["kzalloc", "kmemdup"])
    func written(name: String) throws {
        var machine = try machine(history: 64)
        let flags = UInt64(GFPFlags.kernel.rawValue)
        let source = try machine.kernelPage()
        let words = name == "kzalloc" ? [64, flags] : [source, 64, flags]
        let object = try pointer(try call(&machine, name, words))

        let copy = try call(&machine, "copy_to_user", [Self.base, object, 64])

        #expect(copy.warnings.isEmpty)
    }

    @Test func `memory that is cleared when it is freed leaks nothing`() throws {
        let machine = try CallMachine(history: 64, "init_on_free=1")
        try machine.call("mmap", .word(Self.base), 4_096, 3, 0x32)
        let object = try machine.call("kmalloc", 64, 0xcc0).word

        let copy = try machine.call("copy_to_user", .word(Self.base), .word(object), 64)

        #expect(copy.word == 0)
        #expect(copy.warnings.isEmpty)
    }

    @Test func `what a constructor wrote may go to user space`() throws {
        let machine = try CallMachine(history: 64)
        try machine.call("mmap", .word(Self.base), 4_096, 3, 0x32)
        let pattern = [UInt8](repeating: 7, count: 64)
        let cache = try machine.call(
            "kmem_cache_create_usercopy",
            "built",
            64,
            0,
            0,
            0,
            64,
            .bytes(pattern)
        ).word
        let object = try machine.call("kmem_cache_alloc", .word(cache), 0xcc0).word

        let copy = try machine.call("copy_to_user", .word(Self.base), .word(object), 64)

        #expect(copy.word == 0)
        #expect(copy.warnings.isEmpty)
    }

    @Test func `each unwritten part of an object is counted`() {
        var written = WrittenBytes(capacity: 4)
        written.begin(0x1000, size: 1_024)
        let one = written.heldBytes
        for part in 0..<20 {
            let start = 0x1000 + UInt64(part) * 32 + 8
            written.write(0x1000, start..<start + 8)
        }
        let many = written.heldBytes
        written.end(0x1000)

        #expect(many - one == 20 * 16)
        #expect(written.heldBytes < one)
    }

    @Test func `the kernel's own load from user memory is an SMAP fault`() throws {
        var machine = try machine()
        _ = machine.store(0, Self.base, 1)

        let read = try call(&machine, "kernel_read", [Self.base, 4])
        let write = try call(&machine, "kernel_write", [Self.base], bytes: [1])

        #expect(read.result.value == .unsigned(0))
        #expect(
            read.log.contains { $0.contains("#PF: error_code(0x0001) - permissions violation") }
        )
        #expect(
            write.log.contains { $0.contains("#PF: error_code(0x0003) - permissions violation") }
        )
    }
}
