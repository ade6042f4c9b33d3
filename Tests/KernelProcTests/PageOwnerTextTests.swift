import KernelProc
import Testing

@testable import KernelHeap

/// The layout of `print_page_owner()`, `mm/page_owner.c`, 6.1, put together by hand: no kernel with
/// `page_owner=on` was recorded.
@Suite("/sys/kernel/debug/page_owner")
struct PageOwnerTextTests {
    private static let path = "kernel/debug/page_owner"

    private func run(
        _ kernel: inout Kernel,
        _ name: String,
        _ words: UInt64...
    ) throws
        -> CallOutcome
    {
        let call = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        for (index, word) in words.enumerated() { arguments.set(index, word: word) }
        return kernel.apply(call, arguments, in: .standard)
    }

    private func machine(_ options: String) throws -> Kernel {
        var description = MachineDescription()
        description.bootOptions = options
        return try Kernel(description)
    }

    private func text(_ kernel: borrowing Kernel) throws -> String {
        let text = SysFiles.text(path: Self.path, of: kernel)
        return try #require(text)
    }

    private func pfn(_ outcome: CallOutcome) -> UInt64 {
        guard case .pages(let detail) = outcome.result.detail else { return 0 }
        return detail.pfn.rawValue
    }

    @Test func `a block, a compound page and a slab are three blocks of text`() throws {
        var kernel = try machine("page_owner=on")
        let block = pfn(try run(&kernel, "alloc_pages", 0xcc0, 2))
        // __GFP_COMP and __GFP_ZERO: 8 pages are cleared in 250 ns each.
        let compound = pfn(try run(&kernel, "alloc_pages", 0x4_0dc0, 3))
        let freed = try run(&kernel, "alloc_page", 0xcc0)
        guard case .pointer(let page) = freed.result.value else { return }
        _ = try run(&kernel, "__free_pages", page, 0)
        let again = pfn(try run(&kernel, "alloc_page", 0xcc0))
        let text = try self.text(kernel)

        let blocks = [
            (
                block,
                """
                Page allocated via order 2, mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (init), \
                ts 1000 ns, free_ts 0 ns
                PFN \(block) type Unmovable Block \(block / 512) type Unmovable \
                Flags 0xfffffc0000000(node=0|zone=1|lastcpupid=0x1fffff)
                 alloc_pages+0x0/0x0
                 call_1


                """
            ),
            (
                compound,
                """
                Page allocated via order 3, mask 0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), \
                pid 1, tgid 1 (init), ts 2000 ns, free_ts 0 ns
                PFN \(compound) type Unmovable Block \(compound / 512) type Unmovable \
                Flags 0xfffffc0010000(head|node=0|zone=1|lastcpupid=0x1fffff)
                 alloc_pages+0x0/0x0
                 call_2


                """
            ),
            (
                again,
                """
                Page allocated via order 0, mask 0xcc0(GFP_KERNEL), pid 1, tgid 1 (init), \
                ts 7000 ns, free_ts 6000 ns
                PFN \(again) type Unmovable Block \(again / 512) type Unmovable \
                Flags 0xfffffc0000000(node=0|zone=1|lastcpupid=0x1fffff)
                 alloc_page+0x0/0x0
                 call_5


                """
            ),
        ]
        #expect(text == blocks.sorted { $0.0 < $1.0 }.map(\.1).joined())
    }

    @Test func `a page that was moved says so, and why`() throws {
        var kernel = try machine("page_owner=on")
        let old = pfn(try run(&kernel, "alloc_page", 0x10_0cca))
        let new = pfn(try run(&kernel, "alloc_page", 0x10_0cca))
        kernel.pages.owners.move(from: UInt32(old), to: UInt32(new))
        let text = try self.text(kernel)
        let moved = text.split(separator: "\n\n").filter { $0.contains("PFN \(new) ") }

        // What 6.1 copies to free_ts is the time of the allocation.
        #expect(moved.first?.contains("ts 1000 ns, free_ts 1000 ns\n") == true)
        #expect(
            moved.first?.hasSuffix(
                " call_1\nPage has been migrated, last migrate reason: compaction"
            ) == true
        )
    }

    @Test func `pages of a group name it`() throws {
        var kernel = try machine("page_owner=on")
        let make = try #require(CallRegistry.byName["cgroup_mkdir"])
        var path = CallArguments()
        path.set(0, payload: .text("/jobs"))
        _ = kernel.apply(make, path, in: .standard)
        let write = try #require(CallRegistry.byName["cgroup_write"])
        var member = CallArguments()
        member.set(0, payload: .text("/jobs/cgroup.procs"))
        member.set(1, payload: .text("1"))
        _ = kernel.apply(write, member, in: .standard)
        let page = pfn(try run(&kernel, "alloc_page", 0x40_0cc0))
        let text = try self.text(kernel)
        let charged = text.split(separator: "\n\n").filter { $0.contains("PFN \(page) ") }

        #expect(charged.first?.hasSuffix("\nCharged (via objcg) to memcg jobs") == true)
    }

    @Test func `the file has ten thousand blocks at most`() throws {
        var kernel = try machine("page_owner=on")
        for _ in 0..<10_050 { _ = try run(&kernel, "alloc_page", 0xcc0) }
        let text = try self.text(kernel)
        let lines = text.split(separator: "\n")

        #expect(lines.count { $0.hasPrefix("PFN ") } == 10_000)
    }

    @Test func `a machine that was booted without owners has no such file`() throws {
        let plain = try machine("")
        let off = try machine("page_owner=off")
        let texts = [
            SysFiles.text(path: Self.path, of: plain), SysFiles.text(path: Self.path, of: off),
        ]

        #expect(texts == [nil, nil])
    }
}
