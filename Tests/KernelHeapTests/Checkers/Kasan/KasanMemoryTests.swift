import Testing

@testable import KernelHeap

@Suite("KASAN: pages and vmalloc")
struct KasanMemoryTests {
    let machine: KasanMachine

    init() throws { machine = try KasanMachine() }

    @Test func `free pages may not be touched, and both users are named`() throws {
        let block = try machine.pointer("__get_free_pages", 0xcc0, 2)
        #expect(try machine.write(block, 4 * 4_096) == [])
        try machine.call("free_pages", .word(block), 2)

        let report = try #require(try machine.read(block + 5_000, 8).first)

        #expect(report.kind == .useAfterFree)
        #expect(report.page?.use == .free)
        #expect(report.allocation?.call == 1)
        #expect(report.release?.call == 3)
        #expect(report.shadow.allSatisfy { $0.bytes.allSatisfy { $0 == 0xff } })
    }

    @Test func `a page that another reference keeps may be touched`() throws {
        let page = try machine.pointer("__get_free_page", 0xcc0)
        let frame = (page - 0xffff_8880_0000_0000) >> 12
        let descriptor = 0xffff_ea00_0000_0000 + frame * 64
        try machine.call("get_page", .word(descriptor))
        try machine.call("put_page", .word(descriptor))

        #expect(try machine.read(page, 4_096) == [])
        try machine.call("put_page", .word(descriptor))
        #expect(try machine.read(page, 1).map(\.kind) == [.useAfterFree])
    }

    //   order 2   | 10000 bytes | redzone: 6384 bytes |
    @Test func `behind a large kmalloc is redzone to the end of its last page`() throws {
        let object = try machine.kmalloc(10_000)
        #expect(try machine.write(object, 10_000) == [])

        let behind = try machine.read(object + 9_999, 2)
        let last = try machine.read(object + 16_383, 1)
        let inside = try machine.kfree(object + 4_096)

        #expect(behind.map(\.firstBad.rawValue) == [object + 10_000])
        #expect(last.map(\.kind) == [.slabOutOfBounds])
        #expect(behind.first?.region == object..<object + 10_000)
        #expect(behind.first?.shadow[3].bytes.first == 0xfe)
        #expect(inside.map(\.kind) == [.invalidFree])
    }

    @Test func `a large object that is freed twice is reported twice over`() throws {
        let object = try machine.kmalloc(20_000)
        #expect(try machine.kfree(object) == [])

        #expect(try machine.kfree(object).map(\.kind) == [.doubleFree])
        #expect(try machine.read(object, 1).map(\.kind) == [.useAfterFree])
    }

    @Test func `a block that a large object had is whole for its next user`() throws {
        let object = try machine.kmalloc(9_000)
        #expect(try machine.kfree(object) == [])
        let block = try machine.pointer("__get_free_pages", 0x4_0cc0, 2)

        #expect(block == object)
        #expect(try machine.write(block, 16_384) == [])
    }

    @Test func `a vmalloc area ends with the bytes asked for`() throws {
        let area = try machine.pointer("vmalloc", 5_000)
        #expect(try machine.write(area, 5_000) == [])

        let behind = try machine.read(area + 4_999, 2)
        let guardPage = try machine.read(area + 8_192, 1)

        #expect(behind.map(\.kind) == [.vmallocOutOfBounds])
        #expect(behind.map(\.firstBad.rawValue) == [area + 5_000])
        #expect(behind.first?.allocation?.call == 1)
        #expect(guardPage.map(\.kind) == [.vmallocOutOfBounds])
    }

    @Test func `a freed vmalloc area may not be touched`() throws {
        let area = try machine.pointer("vmalloc", 8_192)
        let freed = try machine.call("vfree", .word(area))

        let outcome = try machine.call("kernel_write", .word(area + 16), .bytes([1, 2]))

        #expect(outcome.kasan.map(\.kind) == [.vmallocOutOfBounds])
        let report = try #require(outcome.kasan.first)
        #expect(report.region == area..<area + 8_192 && report.release?.call == freed.sequence)
        #expect(report.calls == [freed.sequence - 1, freed.sequence])
        // The kernel knows nothing of it any more.
        #expect(!report.text.contains { $0.contains("created by") || $0.hasPrefix("Freed by") })
        let fault = outcome.log.first { $0.hasPrefix("BUG: unable to handle page fault") }
        #expect(fault != nil)
    }

    @Test func `a mapping of ioremap and pages kept at boot are not complained of`() throws {
        let device = try machine.pointer("ioremap", 0xfed0_0000, 4_096)

        #expect(try machine.read(device, 4) == [])
        #expect(try machine.read(0xffff_8880_0000_0000, 64) == [])
    }

    @Test func `user copies are checked before they move a byte`() throws {
        let object = try machine.kmalloc(100)
        let user = try machine.call("mmap", 0, 4_096, 3, 0x22, 0, 0)
        guard case .pointer(let base) = user.result.value else { return }
        try machine.call("memset", .word(object), 7, 100)

        let out = try machine.call("copy_to_user", .word(base), .word(object), 110)
        let back = try machine.call("copy_from_user", .word(object), .word(base), 101)
        let sound = try machine.call("copy_to_user", .word(base), .word(object), 100)

        #expect(out.kasan.map(\.function) == ["_copy_to_user"])
        #expect(out.kasan.map(\.access) == [.read])
        #expect(back.kasan.map(\.function) == ["_copy_from_user"])
        #expect(back.kasan.map(\.access) == [.write])
        #expect(sound.kasan == [])
    }
}
