import Testing

@testable import KernelHeap

@Suite("Checkers: the biography of an object")
struct ObjectHistoryTests {
    private func machine(_ capacity: Int, _ options: String = "") throws -> CallMachine {
        var description = MachineDescription()
        description.objectHistory = capacity
        description.bootOptions = options
        description.cpus = 2
        return try CallMachine(description)
    }

    private func event(
        _ address: UInt64,
        _ call: UInt64,
        isAllocation: Bool = true
    ) -> ObjectEvent {
        ObjectEvent(
            address: LinearAddress(rawValue: address),
            isAllocation: isAllocation,
            call: call
        )
    }

    @Test func `every owner is kept, oldest first, with size, CPU and call`() throws {
        let machine = try machine(100)
        let object = try machine.call("kmalloc", 33, 0xcc0).word
        try machine.call("kfree", .word(object))
        try machine.call("kmalloc", 64, 0xcc0)
        try machine.call("kfree", .word(object), cpu: 1)
        let biography = machine.biography(object + 5)

        #expect(biography.events.map(\.call) == [1, 2, 3, 4])
        #expect(biography.events.map(\.isAllocation) == [true, false, true, false])
        #expect(biography.events.map(\.requested) == [33, nil, 64, nil])
        #expect(biography.events.map(\.cpu) == [0, 0, 0, 1])
        #expect(biography.events.map(\.pid) == [1, 1, 1, 1])
        #expect(biography.capacity == 100)
        #expect(biography.dropped == 0)
        #expect(biography.droppedOfAll == 0)
    }

    @Test func `a free that the kernel refused is no event, one that it took is`() throws {
        let machine = try machine(100)
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let other = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kfree", .word(object))
        // Refused: the hardened kernel sees the object at the head of the list.
        try machine.call("kfree", .word(object))
        try machine.call("kfree", .word(other))
        try machine.call("kfree", .word(object))

        #expect(machine.biography(object).events.map(\.call) == [1, 3, 6])
    }

    @Test func `checked caches keep one as well`() throws {
        let machine = try machine(100, "slub_debug=FZPU")
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kfree", .word(object))

        #expect(machine.biography(object).events.map(\.call) == [1, 2])
    }

    @Test func `without a history the last owner is known`() throws {
        let machine = try machine(0)
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("kfree", .word(object))
        let biography = machine.biography(object)

        #expect(biography.capacity == 0)
        #expect(biography.events.map(\.call) == [2])
        #expect(biography.events.map(\.isAllocation) == [false])
    }

    @Test func `a machine with a history gives the addresses of one without`() throws {
        let plain = try machine(0)
        let recording = try machine(1_000)
        var live: [UInt64] = []
        for step in 0..<200 as Range<UInt64> {
            let size = 1 + step * 37 % 500
            let expected = try plain.call("kmalloc", .word(size), 0xcc0).word
            #expect(try recording.call("kmalloc", .word(size), 0xcc0).word == expected)
            live.append(expected)
            guard step % 3 == 0 else { continue }
            let object = live.remove(at: Int(step * 7) % live.count)
            try plain.call("kfree", .word(object))
            try recording.call("kfree", .word(object))
        }
        #expect(recording.violations == [])
    }

    @Test func `one address keeps 64 events, the newest`() {
        var history = ObjectHistory(capacity: 1_000)
        for call in 1...100 as ClosedRange<UInt64> { history.note(event(0x1000, call)) }
        let (events, dropped) = history.events(at: 0x1000)

        #expect(events.map(\.call) == Array(37...100))
        #expect(dropped == 36)
        #expect(history.dropped == 36)
    }

    @Test("a full history conserves its events", arguments: UInt64(1)...20)
    func conserved(seed: UInt64) {
        var history = ObjectHistory(capacity: 97)
        var random = seed
        var model: [UInt64: [UInt64]] = [:]
        for call in 1...3_000 as ClosedRange<UInt64> {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let address = random >> 58
            history.note(event(address, call))
            model[address, default: []].append(call)
            guard call % 250 == 0 else { continue }
            var kept: UInt64 = 0
            for (address, calls) in model {
                let events = history.events(at: address).events.map(\.call)
                kept += UInt64(events.count)
                #expect(events == Array(calls.suffix(events.count)))
                #expect(events.count <= ObjectHistory.objectLimit)
            }
            #expect(kept + history.dropped == call, "seed \(seed)")
            #expect(kept == min(call, 97), "seed \(seed)")
        }
    }

    @Test func `a history of impossible size is refused`() {
        for capacity in [-1, ObjectHistory.limit + 1, .max] {
            var description = MachineDescription()
            description.objectHistory = capacity
            #expect(throws: MachineError.self) { _ = try Kernel(description) }
        }
    }

    @Test func `calls have their functions' names until they are too old`() {
        var calls = RecentCalls()
        let limit = UInt64(RecentCalls.limit)
        for call in 1...limit + 2 { calls.note(call % 2 == 0 ? 1 : 0, call: call) }
        let names = CallRegistry.all.prefix(2).map(\.signature.name)

        #expect(calls.function(of: limit + 2, newest: limit + 2) == names[1])
        #expect(calls.function(of: limit + 1, newest: limit + 2) == names[0])
        #expect(calls.function(of: 3, newest: limit + 2) == names[0])
        #expect(calls.function(of: 2, newest: limit + 2) == nil)
        #expect(calls.function(of: 0, newest: limit + 2) == nil)
        #expect(calls.function(of: limit + 3, newest: limit + 2) == nil)
    }
}
