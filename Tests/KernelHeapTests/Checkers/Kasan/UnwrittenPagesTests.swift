import TestSupport
import Testing

@testable import KernelHeap

@Suite("KASAN: pages and areas that nobody wrote")
struct UnwrittenPagesTests {
    static let user: UInt64 = 0x1000_0000

    let machine: KasanMachine

    init() throws {
        machine = try KasanMachine()
        try machine.call("mmap", .word(Self.user), 65_536, 3, 0x32, 0, 0)
    }

    /// What `copy_to_user()` is told of so many bytes at an address.
    private func leak(_ address: UInt64, _ length: UInt64) throws -> [String] {
        let target = CallMachine.Argument.word(Self.user)
        let outcome = try machine.call("copy_to_user", target, .word(address), .word(length))
        return outcome.log.filter { $0.hasPrefix("Byte") }
    }

    /// Memory of each allocator that gives whole pages, and as it gives it cleared.
    private func memory(_ function: String) throws -> UInt64 {
        switch function {
        case "kmalloc", "kzalloc", "kvmalloc":
            try machine.pointer(function, 20_000, 0xcc0)
        case "__get_free_pages": try machine.pointer(function, 0xcc0, 3)
        case "get_zeroed_page": try machine.pointer(function, 0xcc0)
        case "alloc_pages_exact": try machine.pointer(function, 20_000, 0xcc0)
        default: try machine.pointer(function, 20_000)
        }
    }

    @Test(arguments: ["kmalloc", "__get_free_pages", "alloc_pages_exact", "vmalloc"])
    func `what nobody wrote of whole pages is reported to the byte`(function: String) throws {
        let memory = try memory(function)
        #expect(try machine.write(memory, 4_000) == [])
        #expect(try machine.write(memory + 4_200, 3_996) == [])

        #expect(try leak(memory, 4_000) == [])
        #expect(try leak(memory, 4_001) == ["Byte 4000 of 4001 is uninitialized"])
        #expect(try leak(memory + 4_090, 200) == ["Bytes 0-109 of 200 are uninitialized"])
        #expect(try leak(memory + 4_200, 3_996) == [])
        #expect(try leak(memory + 8_000, 12_000) == ["Bytes 196-11999 of 12000 are uninitialized"])
    }

    @Test(arguments: ["kzalloc", "get_zeroed_page", "vzalloc"])
    func `cleared pages are written`(function: String) throws {
        #expect(try leak(memory(function), 4_096) == [])
    }

    @Test(
        arguments: ["kmalloc", "__get_free_pages", "vmalloc"],
        ["kernel_write", "memset", "memcpy", "copy_from_user"]
    )
    func `each way of writing makes bytes written`(function: String, way: String) throws {
        let memory = try memory(function) + 4_000
        let source = try machine.pointer("kzalloc", 300, 0xcc0)
        let target = CallMachine.Argument.word(memory)
        switch way {
        case "kernel_write":
            try machine.call(way, target, .bytes([UInt8](repeating: 1, count: 300)))
        case "memset": try machine.call(way, target, 0, 300)
        case "memcpy": try machine.call(way, target, .word(source), 300)
        default: try machine.call(way, target, .word(Self.user), 300)
        }

        #expect(try leak(memory, 300) == [])
        #expect(try leak(memory, 301) == ["Byte 300 of 301 is uninitialized"])
    }

    @Test(arguments: ["kmalloc", "__get_free_pages", "vmalloc"])
    func `copies carry what is known between pages and objects`(function: String) throws {
        let pages = try memory(function)
        let object = try machine.pointer("kzalloc", 256, 0xcc0)
        #expect(try machine.write(pages + 4_090, 20) == [])

        try machine.call("memcpy", .word(object), .word(pages + 4_080), 100)
        #expect(try leak(object, 10) == ["Bytes 0-9 of 10 are uninitialized"])
        #expect(try leak(object + 10, 20) == [])
        #expect(try leak(object + 30, 226) == ["Bytes 0-69 of 226 are uninitialized"])

        try machine.call("memset", .word(pages), 0, 12_000)
        try machine.call("memcpy", .word(pages + 8_180), .word(object), 100)
        #expect(try leak(pages, 8_180) == [])
        #expect(try leak(pages + 8_190, 20) == [])
        #expect(try leak(pages + 8_180, 100) == ["Bytes 0-99 of 100 are uninitialized"])
        #expect(try leak(pages + 8_280, 3_000) == [])
    }

    //   frame   ← its address in the direct map, and the one that vmap() gives
    @Test func `a page is the same under all its addresses`() throws {
        let page = try machine.pointer("__get_free_page", 0xcc0)
        let descriptor = try machine.pointer("virt_to_page", .word(page))
        let alias = try machine.pointer("vmap", .words([descriptor]), 1)

        #expect(try machine.write(alias + 100, 50) == [])
        #expect(try leak(page + 100, 50) == [])
        #expect(try leak(page + 99, 50) == ["Byte 0 of 50 is uninitialized"])
        #expect(try machine.write(page + 200, 8) == [])
        #expect(try leak(alias + 200, 8) == [])
        #expect(try leak(alias + 200, 9) == ["Byte 8 of 9 is uninitialized"])
    }

    @Test func `a report names the call that allocated the pages`() throws {
        let page = try machine.pointer("__get_free_page", 0xcc0)
        let call = machine.calls.kernel.sequence
        let outcome = try machine.call("kernel_read", .word(page + 16), 8, 1)

        #expect(outcome.warnings.map(\.name) == ["uninitialized_value"])
        guard case .uninitializedValue(let leak) = outcome.warnings.first,
            case .page(let place) = leak.place
        else {
            Issue.record("no report of a page")
            return
        }
        #expect(place.call == call)
        #expect(place.offset == 16)
        #expect(leak.ranges == [page + 16..<page + 24])
        #expect(outcome.warnings.first?.calls == [call])
        let head = outcome.log.firstIndex(of: "Uninit was created at:")
        let stack = head.map { Array(outcome.log[($0 + 1)...($0 + 2)]) }
        #expect(stack == [" __get_free_page+0x0/0x0", " call_\(call)"])
    }

    @Test func `pages that change hands are as their new owner got them`() throws {
        let page = try machine.pointer("__get_free_page", 0xcc0)
        #expect(try machine.write(page, 4_096) == [])
        try machine.call("free_page", .word(page))
        let again = try machine.pointer("__get_free_page", 0xcc0)
        #expect(again == page)
        #expect(try leak(again, 4_096) == ["Bytes 0-4095 of 4096 are uninitialized"])

        try machine.call("free_page", .word(again))
        let cleared = try machine.pointer("get_zeroed_page", 0xcc0)
        #expect(cleared == page)
        #expect(try leak(cleared, 4_096) == [])
    }

    @Test func `what a device may store to is written from the mapping on`() throws {
        try machine.call("device_register", "d")
        let buffer = try machine.pointer("__get_free_page", 0xcc0)
        let sent = try machine.pointer("__get_free_page", 0xcc0)
        let small = try machine.kmalloc(64)
        // DMA_FROM_DEVICE is 2, DMA_TO_DEVICE is 1.
        try machine.call("dma_map_single", "d", .word(buffer), 512, 2)
        try machine.call("dma_map_single", "d", .word(small), 64, 2)
        try machine.call("dma_map_single", "d", .word(sent), 512, 1)

        #expect(try leak(buffer, 512) == [])
        #expect(try leak(buffer, 513) == ["Byte 512 of 513 is uninitialized"])
        #expect(try leak(small, 64) == [])
        #expect(try leak(sent, 512) == ["Bytes 0-511 of 512 are uninitialized"])
    }

    @Test func `a fork knows what its origin knew, and goes its own way`() throws {
        let page = try machine.pointer("__get_free_page", 0xcc0)
        #expect(try machine.write(page, 100) == [])
        let fork = machine.calls.fork()
        try fork.call("memset", .word(page), 0, 4_096)

        let there = try fork.call("kernel_read", .word(page), 4_096, 1)
        let here = try machine.call("kernel_read", .word(page), 4_096, 1)

        #expect(there.warnings == [])
        #expect(here.log.contains("Bytes 100-4095 of 4096 are uninitialized"))
    }

    @Test("reports say what a model of every byte says", arguments: UInt64(1)...4)
    func pagesFollowTheModel(seed: UInt64) throws {
        var model = try UnwrittenModel(seed: seed, unit: 61)
        try model.addAliasedPage()
        for _ in 0..<400 {
            if model.regions.count < 8 {
                switch model.random.below(5) {
                case 0: try model.addPages(order: UInt64(model.random.below(3)))
                case 1: try model.addArea(5_000 + model.random.below(8_000))
                case 2: try model.addObject(8_193 + model.random.below(9_000))
                default: try model.addObject(1 + model.random.below(2_000))
                }
            } else if model.random.oneIn(12) {
                try model.freeOne()
            }
            try model.step()
        }

        #expect(model.reports > 50)
        #expect(model.machine.calls.violations == [])
    }
}
