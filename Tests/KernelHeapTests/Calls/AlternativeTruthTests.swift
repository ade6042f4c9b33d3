import Testing

@testable import KernelHeap

/// A failed call and how its machine came there.
struct FailedCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let flags: GFPFlags
    let order: Int
    /// Orders of the blocks that fill the machine, one after the other.
    let filling: [Int]
    /// One in so many blocks, by address, is given back; 0 for none.
    var holes: UInt64 = 0
    var fillingFlags = GFPFlags.kernel

    static let all = [
        FailedCall(testDescription: "one page", flags: .kernel, order: 0, filling: [10, 3, 0]),
        FailedCall(testDescription: "GFP_NOWAIT", flags: .noWait, order: 0, filling: [0]),
        FailedCall(
            testDescription: "GFP_ATOMIC at its end",
            flags: .atomic,
            order: 0,
            filling: [0],
            fillingFlags: .atomic
        ),
        FailedCall(
            testDescription: "order 1, holes",
            flags: .kernel,
            order: 1,
            filling: [0],
            holes: 2,
            fillingFlags: [.kernel, .memAlloc]
        ),
        FailedCall(
            testDescription: "order 4, holes",
            flags: .kernel,
            order: 4,
            filling: [2],
            holes: 2,
            fillingFlags: [.kernel, .memAlloc]
        ),
        FailedCall(testDescription: "order 9", flags: .kernel, order: 9, filling: [5, 0]),
        FailedCall(testDescription: "order 10", flags: .kernel, order: 10, filling: [8]),
        FailedCall(
            testDescription: "GFP_DMA",
            flags: [.kernel, .dma],
            order: 0,
            filling: [0],
            fillingFlags: [.kernel, .dma]
        ),
    ]
}

@Suite("Explanations: every alternative holds, and asking changes nothing")
struct AlternativeTruthTests {
    private func machine(_ failed: FailedCall) throws -> AlternativeMachine {
        var machine = try AlternativeMachine()
        for order in failed.filling {
            let taken = try machine.exhaust(order: order, failed.fillingFlags)
            guard failed.holes > 0 else { continue }
            for address in taken where address >> UInt64(12 + order) % failed.holes == 0 {
                try machine.call("free_pages", address, UInt64(order))
            }
        }
        return machine
    }

    @Test("what is said to succeed does, by kernel calls alone", arguments: FailedCall.all)
    func holds(failed: FailedCall) throws {
        var machine = try machine(failed)
        let nothing = try machine.call(
            "alloc_pages",
            UInt64(failed.flags.rawValue),
            UInt64(failed.order),
            explaining: true
        )

        let isNull = nothing.isNull
        try #require(isNull)
        #expect(nothing.alternatives.count > 0)
        for alternative in nothing.alternatives {
            // No call empties the per-CPU lists and does nothing else.
            if case .free(let freed) = alternative, freed.drainedPages > 0 { continue }
            var flags = failed.flags
            var order = failed.order
            if case .flags(_, let varied) = alternative { flags = varied }
            if case .order(let smaller, _) = alternative { order = smaller }
            var other = AlternativeMachine(forkOf: &machine)
            try other.apply(alternative)
            let again = try other.call("alloc_pages", UInt64(flags.rawValue), UInt64(order))
            #expect(!again.isNull, "\(alternative)")
        }
    }

    @Test("an asked machine and an unasked one stay alike", arguments: FailedCall.all)
    func changesNothing(failed: FailedCall) throws {
        var asked = try machine(failed)
        var unasked = try machine(failed)
        for step in 0..<40 {
            let flags = UInt64((step % 3 == 2 ? GFPFlags.atomic : failed.flags).rawValue)
            let order = UInt64(step % 5 == 4 ? 0 : failed.order)
            let first = try asked.call("alloc_pages", flags, order, explaining: true)
            let second = try unasked.call("alloc_pages", flags, order)

            try #require(first.result.value == second.result.value, "step \(step)")
            try #require(Array(first.log) == Array(second.log), "step \(step)")
        }
        let isAlike = asked.looksLike(unasked)
        #expect(isAlike)
        #expect(asked.kernel.checkInvariants(misuse: false) == [])
    }

    @Test func `two machines in the same state get the same alternatives`() throws {
        var first = try machine(FailedCall.all[4])
        var second = try machine(FailedCall.all[4])

        let one = try first.call("alloc_pages", 0xcc0, 4, explaining: true)
        let other = try second.call("alloc_pages", 0xcc0, 4, explaining: true)

        #expect(one.explanation == other.explanation)
        #expect(one.alternatives.count > 1)
    }

    @Test("a search makes no more forks than its limit", arguments: FailedCall.all)
    func isBounded(failed: FailedCall) throws {
        var machine = try machine(failed)
        var search = AlternativeSearch(
            .pages(order: failed.order, flags: failed.flags, isMapped: false),
            .standard,
            on: machine.kernel
        )
        search.run(on: &machine.kernel)

        #expect(search.forksLeft >= 0)
        for case .free(let freed) in search.found {
            #expect(freed.allocations.count <= AlternativeSearch.freedLimit)
        }
    }
}
