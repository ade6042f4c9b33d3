import Testing

@testable import KernelHeap

/// Free pointers lie in the middle of a free object; whoever changes them steers the allocator.
@Suite("Slab: free pointers in the objects' bytes")
struct FreePointerTests {
    static let plain = "slab_freelist_hardened=0"
    /// Half of 64 bytes: where `kmalloc-64` keeps the pointer.
    static let offset: UInt64 = 32

    static func boot(_ options: String = plain) throws -> Kernel {
        var machine = MachineDescription()
        machine.bootOptions = options
        return try Kernel(machine)
    }

    static func word(_ kernel: borrowing Kernel, _ address: UInt64) -> UInt64 {
        kernel.kernelBytes(address, 8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func write(_ word: UInt64, at address: UInt64, _ kernel: inout Kernel) {
        kernel.writeKernel(address, (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) })
    }

    static func kmalloc(_ kernel: inout Kernel) -> UInt64 {
        kernel.kmalloc(size: 64, flags: .kernel).rawValue
    }

    static func kfree(_ address: UInt64, _ kernel: inout Kernel) {
        kernel.kfree(LinearAddress(rawValue: address))
    }

    @Test func `a new slab's objects point to each other in order, the last to nothing`() throws {
        var kernel = try Self.boot()
        let first = Self.kmalloc(&kernel)
        for index in 1..<63 as Range<UInt64> {
            let object = first + 64 * index
            #expect(Self.word(kernel, object + Self.offset) == object + 64)
        }
        #expect(Self.word(kernel, first + 64 * 63 + Self.offset) == 0)
    }

    @Test func `an allocated object keeps the stale pointer until its owner writes there`() throws {
        var kernel = try Self.boot()
        let object = Self.kmalloc(&kernel)
        #expect(Self.word(kernel, object + Self.offset) == object + 64)
        kernel.writeKernel(object + Self.offset + 2, [0xaa])
        let expected = (object + 64) & ~0xff_0000 | 0xaa_0000
        #expect(Self.word(kernel, object + Self.offset) == expected)
        kernel.fillKernel(object, 64, with: 0x11)
        #expect(Self.word(kernel, object + Self.offset) == 0x1111_1111_1111_1111)
        Self.kfree(object, &kernel)
        #expect(Self.word(kernel, object + Self.offset) == object + 64)
        #expect(Self.word(kernel, object) == 0x1111_1111_1111_1111)
    }

    @Test func `a cleared object holds no pointer`() throws {
        var kernel = try Self.boot()
        let object = kernel.kmalloc(size: 64, flags: [.kernel, .zero]).rawValue
        #expect(kernel.kernelBytes(object, 64) == [UInt8](repeating: 0, count: 64))
    }

    @Test func `a hardened pointer is mixed with its place and undone by it`() throws {
        var kernel = try Self.boot("")
        let first = Self.kmalloc(&kernel)
        let stored = (0..<63 as Range<UInt64>).map { index in
            let place = first + 64 * index + Self.offset
            return Self.word(kernel, place) ^ place.byteSwapped ^ (first + 64 * (index + 1))
        }
        #expect(Set(stored).count == 1, "one secret for the cache")
        #expect(stored[0] != 0)
        var machine = MachineDescription()
        machine.seed = 2
        var other = try Kernel(machine)
        #expect(Self.kmalloc(&other) == first)
        let place = first + Self.offset
        #expect(Self.word(other, place) != Self.word(kernel, place), "another seed, another secret")
    }

    @Test func `an overflow into a free neighbour decides what comes after it`() throws {
        var kernel = try Self.boot()
        let object = Self.kmalloc(&kernel)
        let victim = kernel.kmalloc(size: 192, flags: .kernel).rawValue
        Self.write(victim, at: object + 64 + Self.offset, &kernel)
        #expect(Self.kmalloc(&kernel) == object + 64)
        #expect(Self.kmalloc(&kernel) == victim, "the pointer that was written there")
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `a pointer out of memory faults at the next allocation but one`() throws {
        var kernel = try Self.boot()
        let object = Self.kmalloc(&kernel)
        Self.write(0xffff_c900_0000_0000, at: object + 64 + Self.offset, &kernel)
        #expect(Self.kmalloc(&kernel) == object + 64)
        #expect(Self.kmalloc(&kernel) == 0)
        #expect(
            kernel.log.lines.suffix(5).filter { !$0.hasPrefix("PGD ") } == [
                "BUG: unable to handle page fault for address: ffffc90000000020",
                "#PF: supervisor read access in kernel mode",
                "#PF: error_code(0x0000) - not-present page",
                "Oops: 0000 [#1] PREEMPT SMP NOPTI",
            ]
        )
        #expect(Self.kmalloc(&kernel) == 0, "the list still leads there")
    }

    @Test func `a hardened pointer written over leads to a general protection fault`() throws {
        var kernel = try Self.boot("")
        let object = Self.kmalloc(&kernel)
        let place = object + 64 + Self.offset
        let stored = Self.word(kernel, place)
        Self.write(0x4141_4141_4141_4141, at: place, &kernel)
        #expect(Self.kmalloc(&kernel) == object + 64)
        #expect(Self.kmalloc(&kernel) == 0)
        let target = (object + 128) ^ stored ^ 0x4141_4141_4141_4141
        let digits = String(target &+ Self.offset, radix: 16)
        #expect(
            kernel.log.lines.last == "general protection fault, probably for non-canonical address "
                + "0x\(digits): 0000 [#1] PREEMPT SMP NOPTI"
        )
    }

    @Test func `an address inside an object is handed out as it was freed`() throws {
        var kernel = try Self.boot("")
        let object = Self.kmalloc(&kernel)
        Self.kfree(object + 8, &kernel)
        #expect(kernel.log.lines.last?.contains("BUG") != true, "recorded: silent")
        #expect(Self.kmalloc(&kernel) == object + 8)
        #expect(Self.kmalloc(&kernel) == object + 64)
    }

    @Test(arguments: ["", plain])
    func `freed twice with another between, an object has two owners`(options: String) throws {
        var kernel = try Self.boot(options)
        let (first, second) = (Self.kmalloc(&kernel), Self.kmalloc(&kernel))
        Self.kfree(first, &kernel)
        Self.kfree(second, &kernel)
        Self.kfree(first, &kernel)
        let given = (0..<4).map { _ in Self.kmalloc(&kernel) }
        #expect(given == [first, second, first, second])
    }

    @Test func `freed twice in a row without hardening, it is given out for ever`() throws {
        var kernel = try Self.boot()
        let object = Self.kmalloc(&kernel)
        Self.kfree(object, &kernel)
        Self.kfree(object, &kernel)
        #expect(kernel.log.lines.last?.contains("BUG") != true)
        let given = (0..<3).map { _ in Self.kmalloc(&kernel) }
        #expect(given == [object, object, object])
    }

    @Test func `a use after free that restores the bytes changes nothing`() throws {
        var kernel = try Self.boot("")
        let objects = (0..<64).map { _ in Self.kmalloc(&kernel) }
        for object in objects { Self.kfree(object, &kernel) }
        let bytes = kernel.kernelBytes(objects[3], 64)
        kernel.writeKernel(objects[3], bytes)
        #expect(kernel.slab.byteLists.count == 1)
        let again = (0..<64).map { _ in Self.kmalloc(&kernel) }
        #expect(again == objects.reversed())
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `a slab linked by bytes lives and goes as any other`() throws {
        var kernel = try Self.boot("")
        let before = kernel.slab.view(kernel.slab.kmalloc.cache(size: 64, flags: .kernel)).slabs
        let objects = (0..<64 * 40).map { _ in Self.kmalloc(&kernel) }
        // One slab in two is turned over while it is full, partly full, or empty on a list.
        for object in objects.reversed() {
            Self.kfree(object, &kernel)
            if object % 8_192 == 64 * 5 { kernel.writeKernel(object, [1]) }
            if object % 8_192 == 64 * 9 {
                kernel.writeKernel(object, kernel.kernelBytes(object, 64))
            }
        }
        #expect(kernel.checkInvariants(misuse: true) == [])
        let again = Set((0..<64 * 40).map { _ in Self.kmalloc(&kernel) })
        #expect(again.count == 64 * 40, "no object twice")
        for object in again.sorted() { Self.kfree(object, &kernel) }
        #expect(kernel.checkInvariants(misuse: true) == [])
        let after = kernel.slab.view(kernel.slab.kmalloc.cache(size: 64, flags: .kernel)).slabs
        #expect(before == 0)
        #expect(after < 40, "empty slabs went back to the page allocator")
    }

    @Test func `what a fork's owner writes is the fork's alone`() throws {
        var kernel = try Self.boot()
        let object = Self.kmalloc(&kernel)
        var other = kernel.fork()
        Self.write(0, at: object + 64 + Self.offset, &other)
        #expect(Self.kmalloc(&other) == object + 64)
        #expect(Self.kmalloc(&other) != object + 128)
        #expect(Self.kmalloc(&kernel) == object + 64)
        #expect(Self.kmalloc(&kernel) == object + 128)
    }

    @Test func `with random freelists each slot comes once, in the seed's order`() throws {
        func slots(seed: UInt64) throws -> [[UInt64]] {
            var machine = MachineDescription()
            machine.bootOptions = "slab_freelist_random"
            machine.seed = seed
            var kernel = try Kernel(machine)
            return (0..<3).map { _ in (0..<64).map { _ in Self.kmalloc(&kernel) % 4_096 / 64 } }
        }
        let first = try slots(seed: 1)
        for slab in first { #expect(slab.sorted() == Array(0..<64)) }
        #expect(first[0] != Array(0..<64))
        #expect(first[0] != first[1], "each slab begins at another place")
        let start = try #require(first[0].firstIndex(of: first[1][0]))
        #expect(Array(first[0][start...] + first[0][..<start]) == first[1], "of one order")
        #expect(try slots(seed: 1) == first)
        #expect(try slots(seed: 2) != first)
    }
}
