import Testing

@testable import KernelHeap

@Suite("Pages: references dropped too often or kept too long")
struct BadPageTests {
    @Test
    func `a page freed twice is reported when it leaves the per-CPU list, and not used again`()
        throws
    {
        var kernel = try BadPageRecording.machine()
        let page = try kernel.take(order: 0, .kernel)

        kernel.freePages(page, order: 0)
        kernel.freePages(page, order: 0)
        let silent = kernel.log.lines
        kernel.drain()

        #expect(silent == [])
        #expect(
            BadPageRecording.normal(kernel.log.lines, page)
                == (try BadPageRecording.lines(of: "114"))
        )
        #expect(kernel.kind(page) == .inner)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `a block freed while a further page has a reference is reported and kept`() throws {
        var kernel = try BadPageRecording.machine()
        let block = try kernel.take(order: 4, .kernel)
        let third = PFN(rawValue: block.rawValue + 2)

        kernel.getPage(UInt32(third.rawValue))
        kernel.freePages(block, order: 4)

        #expect(
            BadPageRecording.normal(kernel.log.lines, third)
                == (try BadPageRecording.lines(of: "118"))
        )
        #expect(kernel.kind(block) == .inner)
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test(arguments: [4, 10])
    func `a large block freed twice is silent until it is to be used again`(order: Int) throws {
        var kernel = try BadPageRecording.machine()
        let block = try kernel.take(order: order, .kernel)

        kernel.freePages(block, order: order)
        kernel.freePages(block, order: order)
        let silent = kernel.log.lines
        let next = kernel.allocPages(order: order, flags: .kernel)
        kernel.logBadPages(.standard)

        #expect(silent == [])
        #expect(next != block)
        #expect(kernel.log.lines.contains("page dumped because: nonzero _refcount"))
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    //   order 3:  | 0 | 1 | 2 : 3 | 4 : 5 : 6 : 7 |    the first page is held, the rest goes back
    @Test func `a block freed while its head is held goes back but for the head`() throws {
        var kernel = try BadPageRecording.machine()
        let block = try kernel.take(order: 3, .kernel)

        kernel.getPage(UInt32(block.rawValue))
        kernel.freePages(block, order: 3)
        let kinds = (0..<8).map { kernel.kind(PFN(rawValue: block.rawValue + $0)) }
        kernel.putPage(UInt32(block.rawValue), in: .standard)

        #expect(kinds == [.allocated, .perCPU, .perCPU, .inner, .perCPU, .inner, .inner, .inner])
        #expect(kernel.kind(block) == .perCPU)
        #expect(kernel.log.lines == [])
        #expect(kernel.checkInvariants(misuse: false) == [])
    }

    @Test func `any page of a compound page counts and frees for the whole`() throws {
        var kernel = try BadPageRecording.machine()
        let flags: GFPFlags = [.kernel, .compound]
        let block = try kernel.take(order: 4, flags)
        let inner = UInt32(block.rawValue + 5)

        kernel.getPage(inner)
        kernel.freePages(block, order: 4)
        let held = kernel.kind(block)
        kernel.putPage(inner, in: .standard)

        #expect(held == .allocated)
        #expect(kernel.kind(block) != .allocated)
        #expect(kernel.log.lines == [])
        #expect(kernel.checkInvariants(misuse: false) == [])
    }

    @Test func `a further page freed alone is silent, the block then is not`() throws {
        var kernel = try BadPageRecording.machine()
        let block = try kernel.take(order: 1, .kernel)

        kernel.freePages(PFN(rawValue: block.rawValue + 1), order: 0)
        let silent = kernel.log.lines
        kernel.freePages(block, order: 1)

        #expect(silent == [])
        #expect(kernel.log.lines.contains { $0.hasPrefix("page:(____ptrval____) refcount:-1 ") })
        #expect(kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `a reserved page is not freed until it is given back`() throws {
        var kernel = try BadPageRecording.machine()
        let page = try kernel.take(order: 0, .kernel)
        let managed = kernel.pages.zones[1].managed

        kernel.markPageReserved(UInt32(page.rawValue))
        let fewer = kernel.pages.zones[1].managed
        kernel.freePages(page, order: 0)
        let kept = kernel.kind(page)
        kernel.freeReservedPage(UInt32(page.rawValue), in: .standard)

        #expect(fewer == managed - 1)
        #expect(kept == .allocated)
        #expect(kernel.kind(page) == .perCPU)
        #expect(kernel.pages.zones[1].managed == managed)
    }

    // `print_hex_dump()` by words of an `unsigned long`, 32 bytes a line; 40 bytes a descriptor.
    @Test func `on 32 bits the descriptor's words have 4 bytes, and flags the zone alone`() throws {
        var description = MachineDescription()
        description.profile = "linux-6.1-i386"
        let kernel = try Kernel(description)
        var page = BadPage(frame: 0x1234, reason: .references, references: -1, place: .list)
        page.layout = kernel.layout

        #expect(
            page.lines(process: "init", zone: .normal, node: 0) == [
                "BUG: Bad page state in process init  pfn:01234",
                "page:(____ptrval____) refcount:-1 mapcount:0 mapping:00000000 index:0x0 pfn:0x1234",
                "flags: 0x40000000(zone=1)",
                "raw: 40000000 00000100 00000122 00000000 00000000 00000000 ffffffff ffffffff",
                "raw: 00000000 00000000",
                "page dumped because: nonzero _refcount",
            ]
        )
    }
}
