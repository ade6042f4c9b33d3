import KernelHeap
import TestSupport
import Testing

/// Hardened usercopy against the recorded cases `bad-ucopy`; those on stacks apart.
@Suite("User copies: what kernel memory may take part")
struct UsercopyCheckTests {
    /// One recorded case: what is copied, and in which direction.
    struct Case: Sendable, CustomTestStringConvertible {
        let number: Int
        let memory: Memory
        var offset: UInt64 = 0
        let count: UInt64
        var toUser = true

        var testDescription: String { "case \(number)" }
    }

    /// The kernel's side of a copy.
    enum Memory: Sendable {
        case kmalloc(UInt64)
        case freedKmalloc(UInt64)
        case object(cache: String)
        case pages(order: UInt64, flags: UInt64)
        case address(UInt64)
        case vmalloc(UInt64)
        case vmapOfOnePage
    }

    private static let text: UInt64 = 0xffff_ffff_8100_0000
    static let cases = [
        Case(number: 1, memory: .kmalloc(64), count: 64),
        Case(number: 2, memory: .kmalloc(64), count: 65),
        Case(number: 3, memory: .kmalloc(64), offset: 32, count: 33),
        Case(number: 4, memory: .kmalloc(50), count: 64),
        Case(number: 5, memory: .kmalloc(64), count: 65, toUser: false),
        Case(number: 6, memory: .object(cache: "lab-plain"), count: 16),
        Case(number: 8, memory: .object(cache: "lab-usercopy"), offset: 31, count: 10),
        Case(
            number: 10,
            memory: .object(cache: "lab-usercopy"),
            offset: 96,
            count: 1,
            toUser: false
        ),
        Case(number: 11, memory: .pages(order: 1, flags: 0x4_0cc0), offset: 4_000, count: 5_000),
        Case(number: 12, memory: .pages(order: 1, flags: 0xcc0), offset: 4_000, count: 4_000),
        Case(number: 13, memory: .pages(order: 0, flags: 0xcc0), offset: 4_000, count: 200),
        Case(number: 14, memory: .kmalloc(20_000), count: 32_768),
        Case(number: 15, memory: .kmalloc(20_000), count: 32_769),
        Case(number: 16, memory: .vmalloc(10_000), count: 12_288),
        Case(number: 17, memory: .vmalloc(10_000), count: 12_289),
        Case(number: 19, memory: .address(text), count: 100),
        Case(number: 20, memory: .address(text + 14_687_530), count: 8),
        Case(number: 21, memory: .address(text + 14_687_530), count: 16),
        Case(number: 29, memory: .address(0), count: 16),
        Case(number: 30, memory: .address(16), count: 1),
        Case(number: 31, memory: .address(16), count: 0),
        Case(number: 32, memory: .address(0 &- 88), count: 89),
        Case(number: 33, memory: .kmalloc(64), count: 0x7fff_ffff),
        Case(number: 34, memory: .kmalloc(64), count: 0x8000_0000),
        Case(number: 35, memory: .kmalloc(64), count: .max, toUser: false),
        Case(number: 36, memory: .freedKmalloc(64), count: 64),
        Case(number: 37, memory: .kmalloc(64), offset: 0 &- 8, count: 8),
        Case(number: 40, memory: .vmapOfOnePage, count: 4_097),
    ]

    @Test("the copy goes as recorded", arguments: cases)
    func isRecorded(recorded: Case) throws {
        let lines = try Recording.text("ucopytexts/case-\(recorded.number).txt")
            .split(separator: "\n").map(String.init)
        let machine = try Self.machine()

        let outcome = try Self.copy(recorded, on: machine)

        let log = Array(outcome.log)
        let wanted = lines.filter { $0.contains("usercopy: ") || $0.contains("kernel BUG") }
            .map { String($0.drop { $0 != "]" }.dropFirst(2)) }
        #expect(log.filter { $0.hasPrefix("usercopy: ") || $0.hasPrefix("kernel BUG") } == wanted)
        let returned = lines.first { $0.contains("returned r=") }
            .flatMap { Int64($0.drop { $0 != "=" }.dropFirst()) }
        if let returned {
            // The recorder's r is an int64_t of the unsigned count.
            #expect(outcome.word == UInt64(bitPattern: returned))
        } else {
            #expect(!wanted.isEmpty)
            #expect(outcome.word == recorded.count)
        }
        let warnings = lines.filter { $0.contains("WARNING: ") }.count
        #expect(log.filter { $0.hasPrefix("WARNING: ") }.count == warnings)
    }

    @Test func `a refused copy moves nothing, on either side`() throws {
        let machine = try Self.machine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        try machine.call("memset", .word(object), 0x11, 64)

        try machine.call("copy_to_user", .word(Self.user), .word(object), 65)
        try machine.call("copy_from_user", .word(object), .word(Self.user), 65)

        let user = try machine.call("user_read", .word(Self.user), 65)
        #expect(user.fact("data") == .bytes([UInt8](repeating: 0x55, count: 65)))
        #expect(try machine.read(object, 64) == [UInt8](repeating: 0x11, count: 64))
    }

    @Test func `without the check the neighbour is copied as well`() throws {
        let machine = try Self.machine("hardened_usercopy=off")
        let object = try machine.call("kmalloc", 64, 0xcc0).word

        let outcome = try machine.call("copy_to_user", .word(Self.user), .word(object), 65)

        #expect(outcome.word == 0)
        #expect(outcome.log.isEmpty)
    }

    @Test func `each BUG of a boot has the next number`() throws {
        let machine = try Self.machine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        for number in 1...3 {
            let outcome = try machine.call("copy_to_user", .word(Self.user), .word(object), 65)
            #expect(outcome.log.contains("invalid opcode: 0000 [#\(number)] PREEMPT SMP NOPTI"))
        }
    }

    // Case 18: the check passes, for the guard page is the area's; the store there is an oops.
    @Test func `a copy into a guard page dies as recorded`() throws {
        let machine = try Self.machine()
        let area = try machine.call("vmalloc", 10_000).word

        let outcome = try machine.call(
            "copy_from_user",
            .word(area),
            .word(Self.user),
            12_289
        )

        let recorded = try Recording.text("ucopytexts/case-18.txt").split(separator: "\n")
            .map { String($0.drop { $0 != "]" }.dropFirst(2)) }
            .filter { line in
                ["BUG:", "#PF:", "PGD", "Oops:"].contains { line.hasPrefix($0) }
            }
        let address = String(area + 12_288, radix: 16)
        let wanted = recorded.map { line in
            line.replacing("ffffc900005b0000", with: address).replacing("[#10]", with: "[#1]")
        }
        #expect(outcome.log.count == wanted.count)
        for (line, expected) in zip(outcome.log, wanted) {
            guard line.hasPrefix("PGD") else {
                #expect(line == expected)
                continue
            }
            // Where tables are is another machine's; their bits are the same.
            #expect(Self.bits(line) == Self.bits(expected))
        }
    }

    private static func bits(_ line: String) -> [String] {
        line.split(separator: " ").map { $0.count > 3 ? String($0.suffix(3)) : String($0) }
    }

    @Test func `a vmalloc address of no area, and a copy that leaves its area, are refused`()
        throws
    {
        let machine = try Self.machine()
        let area = try machine.call("vmalloc", 4_096).word

        let none = try machine.call(
            "copy_to_user",
            .word(Self.user),
            .word(0xffff_c980_0000_0000),
            8
        )
        let long = try machine.call("copy_to_user", .word(Self.user), .word(area + 16), 8_192)
        try machine.call("pagefault_disable")
        let quiet = try machine.call("copy_to_user", .word(Self.user), .word(area + 16), 8_192)

        #expect(
            none.log.first == "usercopy: Kernel memory exposure attempt detected from vmalloc "
                + "'no area' (offset 0, size 8)!"
        )
        #expect(
            long.log.first == "usercopy: Kernel memory exposure attempt detected from vmalloc "
                + "(offset 16, size 8192)!"
        )
        // The lock of the areas may be held where faults are disabled: they are not looked at.
        #expect(!quiet.log.contains { $0.hasPrefix("usercopy: ") })
    }

    @Test(
        "a 32-bit kernel refuses and dies as recorded",
        arguments: ["686-512M", "686-1G", "686-3G", "686-4G", "pae-1G"]
    )
    func isRecorded(folder: String) throws {
        let machine = try CallMachine(I386Machine(folder).description)
        try machine.call("mmap", .word(Self.user), 65_536, 3, 0x32)
        let object = try machine.call("kmalloc", 64, 0xcc0).word

        let allowed = try machine.call("copy_to_user", .word(Self.user), .word(object), 64)
        let refused = try machine.call("copy_to_user", .word(Self.user), .word(object), 65)

        let recorded = try Recording.text("i386/\(folder)/hardened.txt").split(separator: "\n")
            .map { String($0.drop { $0 != "]" }.dropFirst(2)) }
        let heads = ["usercopy: ", "kernel BUG", "invalid opcode", "EIP: usercopy"]
        func isHead(_ line: String) -> Bool { heads.contains { line.hasPrefix($0) } }
        #expect(allowed.word == 0)
        #expect(allowed.log.isEmpty)
        // The head's last line stands a second time at the block's end.
        #expect(refused.log.filter(isHead) == Array(recorded.filter(isHead).prefix(4)))
    }

    @Test func `a mapped page of a 32-bit machine ends with the page`() throws {
        let machine = try CallMachine(I386Machine("686-1G").description)
        try machine.call("mmap", .word(Self.user), 65_536, 3, 0x32)
        for window: UInt64 in [0xfec0_1000, 0xfffb_a000] {
            let inside = try machine.call(
                "copy_to_user",
                .word(Self.user),
                .word(window + 96),
                4_000
            )
            let beyond = try machine.call(
                "copy_to_user",
                .word(Self.user),
                .word(window + 96),
                4_001
            )
            #expect(!inside.log.contains { $0.hasPrefix("usercopy: ") })
            #expect(
                beyond.log.first == "usercopy: Kernel memory exposure attempt detected from kmap "
                    + "(offset 96, size 4001)!"
            )
        }
    }

    private static let user: UInt64 = 0x40_0000

    /// A machine with a user buffer of 64 KiB, and the recorder's caches.
    private static func machine(_ options: String = "slub_nomerge") throws -> CallMachine {
        let machine = try CallMachine(options)
        try machine.call("mmap", .word(user), 65_536, 3, 0x32)
        try machine.call("user_write", .word(user), .bytes([UInt8](repeating: 0x55, count: 4_096)))
        try machine.call("kmem_cache_create", "lab-plain", 200, 0, 0)
        try machine.call("kmem_cache_create_usercopy", "lab-usercopy", 200, 0, 0, 32, 64)
        return machine
    }

    private static func copy(_ recorded: Case, on machine: CallMachine) throws -> CallOutcome {
        let address: UInt64
        switch recorded.memory {
        case .kmalloc(let size):
            // With neighbours on both sides, as on a machine that runs for a while.
            try machine.call("kmalloc", .word(size), 0xcc0)
            address = try machine.call("kmalloc", .word(size), 0xcc0).word
            try machine.call("kmalloc", .word(size), 0xcc0)
        case .freedKmalloc(let size):
            address = try machine.call("kmalloc", .word(size), 0xcc0).word
            try machine.call("kfree", .word(address))
        case .object(let cache):
            address = try machine.call("kmem_cache_alloc", .text(cache), 0xcc0).word
        case .pages(let order, let flags):
            address = try machine.call("__get_free_pages", .word(flags), .word(order)).word
        case .address(let fixed): address = fixed
        case .vmalloc(let size): address = try machine.call("vmalloc", .word(size)).word
        case .vmapOfOnePage:
            let page = try machine.call("alloc_page", 0xcc0).word
            address = try machine.call("vmap", .words([page])).word
        }
        let kernel = CallMachine.Argument.word(address &+ recorded.offset)
        let count = CallMachine.Argument.word(recorded.count)
        return recorded.toUser
            ? try machine.call("copy_to_user", .word(user), kernel, count)
            : try machine.call("copy_from_user", kernel, .word(user), count)
    }
}
