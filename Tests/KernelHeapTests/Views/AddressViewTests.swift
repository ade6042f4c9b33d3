import TestSupport
import Testing

@testable import KernelHeap

@Suite("Address space: what an address is")
struct AddressViewTests {
    @Test func `a byte of an object names its cache, place and owner`() throws {
        let machine = try CallMachine("slub_nomerge")
        let object = try machine.call("kmalloc", 192, 0xcc0)

        let view = machine.whatIs(object.word + 100)

        let place = try #require(view.object)
        #expect(place.cache == "kmalloc-192")
        #expect(place.offset == 100)
        #expect(place.isAllocated)
        #expect(view.region?.kind == .directMap)
        #expect(view.frame?.state == .slab)
        #expect(view.frame?.zone == .dma32)
        #expect(view.allocatedBy == AddressView.Owner(call: object.sequence, function: "kmalloc"))
        #expect(view.freedBy == nil)
    }

    @Test func `a free object names who freed it, and with a history who had it`() throws {
        var description = MachineDescription()
        description.objectHistory = 16
        let machine = try CallMachine(description)
        let object = try machine.call("kmalloc", 64, 0xcc0)
        let free = try machine.call("kfree", .word(object.word))

        let view = machine.whatIs(object.word)

        #expect(view.object?.isAllocated == false)
        #expect(view.allocatedBy?.call == object.sequence)
        #expect(view.freedBy == AddressView.Owner(call: free.sequence, function: "kfree"))
    }

    @Test func `bytes around a checked object are its red zones and padding`() throws {
        let machine = try CallMachine("slub_debug=FZPU")
        let object = try machine.call("kmalloc", 64, 0xcc0).word

        #expect(machine.whatIs(object).mark == nil)
        #expect(machine.whatIs(object + 64).mark == "Right Redzone")
        #expect(machine.whatIs(object - 1).mark == "Left Redzone")
        #expect(machine.whatIs(object - 1).object?.region == .padding)
    }

    @Test func `an area has pages, a guard page, and nothing after vfree`() throws {
        let machine = try CallMachine()
        let area = try machine.call("vmalloc", 8_192)
        let address = area.word

        let used = machine.whatIs(address + 4_100)
        let guardPage = machine.whatIs(address + 8_192)
        try machine.call("vfree", .word(address))
        let freed = machine.whatIs(address)

        #expect(used.area?.part == .usable)
        #expect(used.area?.offset == 4_100)
        #expect(used.area?.area?.call == area.sequence)
        #expect(used.area?.function == "vmalloc")
        #expect(used.frame?.state == .pages)
        #expect(guardPage.area?.part == .guardPage)
        #expect(guardPage.mapping == nil)
        #expect(freed.area?.part == .lazy)
        #expect(freed.mapping == nil)
        #expect(machine.whatIs(0xffff_c980_0000_0000).area?.part == .free)
    }

    @Test func `user memory has an area at once and a page after a touch`() throws {
        let machine = try CallMachine()
        try machine.call("mmap", 0x40_0000, 8_192, 3, 0x32)
        let before = machine.whatIs(0x40_0000)
        try machine.call("user_write", 0x40_0000, .bytes([1]))

        let after = machine.whatIs(0x40_0000)

        #expect(before.userArea?.rights == [.read, .write])
        #expect(before.mapping == nil)
        #expect(after.mapping?.isUser == true)
        #expect(after.frame?.state == .user)
        #expect(machine.whatIs(0x50_0000).userArea == nil)
        #expect(machine.whatIs(0x50_0000).region?.kind == .userSpace)
    }

    @Test func `a struct page names its frame`() throws {
        let machine = try CallMachine()
        let outcome = try machine.call("alloc_page", 0xcc0)
        guard case .pages(let pages) = outcome.result.detail else {
            Issue.record("no pages")
            return
        }

        let view = machine.whatIs(outcome.word + 8)

        #expect(view.region?.kind == .vmemmap)
        #expect(view.descriptor == pages.pfn)
        #expect(view.descriptorOffset == 8)
    }

    @Test func `the image's text is one memory at two addresses`() throws {
        let machine = try CallMachine()

        let text = machine.whatIs(0xffff_ffff_8100_0000)
        let alias = machine.whatIs(0xffff_8880_0100_0000)

        #expect(text.section == "text")
        #expect(alias.section == "text")
        #expect(text.mapping?.isExecutable == true)
        #expect(alias.mapping?.isExecutable == false)
        #expect(text.mapping?.physical == alias.mapping?.physical)
        #expect(machine.whatIs(0xffff_ffff_8200_0000).section == "rodata")
    }

    @Test func `pages are free, on a list, in use, tables, or reserved`() throws {
        let machine = try CallMachine()
        let block = try machine.call("__get_free_pages", 0xcc0, 4).word
        let single = try machine.call("__get_free_pages", 0xcc0, 0).word

        let used = try #require(machine.whatIs(block + 5 * 4_096).frame)
        try machine.call("free_pages", .word(block), 4)
        try machine.call("free_pages", .word(single), 0)
        let free = try #require(machine.whatIs(block).frame)
        let listed = try #require(machine.whatIs(single).frame)

        #expect(used.state == .pages)
        #expect(used.order == 4)
        #expect(used.block?.rawValue == (block - 0xffff_8880_0000_0000) >> 12)
        #expect(free.state == .free)
        #expect(listed.state == .perCPU)
        #expect(listed.cpu == 0)
        let root = machine.kernel.translationView(.null, pid: 1).cr3.rawValue
        #expect(machine.whatIs(0xffff_8880_0000_0000 + root).frame?.state == .pageTable)
        #expect(machine.whatIs(0xffff_8880_0000_1000).frame?.state == .reserved)
    }

    @Test("slots of the fixed maps are numbered as recorded", arguments: I386Machine.all)
    func slots(machine: I386Machine) throws {
        var constants: [String: UInt64] = [:]
        for row in try I386Recording.rows("\(machine.folder)/const") {
            if let name = row["name"]?.text { constants[name] = row["value"]?.number }
        }
        let calls = try CallMachine(machine.description)
        for name in ["FIX_KMAP_BEGIN", "FIX_KMAP_END"] {
            let address = try #require(constants["\(name)_addr"])
            let slot = try #require(calls.whatIs(address).slot, "\(name)")
            #expect(slot.window == "fixmap")
            #expect(slot.index == constants[name], "\(name)")
        }
        let window = try #require(constants["PKMAP_BASE"])
        #expect(calls.whatIs(window + 0x3010).slot?.index == 3)
    }

    @Test func `a mapped page of high memory names its slot and who mapped it`() throws {
        let machine = try CallMachine(I386Machine("686-1G").description)
        let page = try machine.call("alloc_page", .word(UInt64(GFPFlags.highUser.rawValue))).word
        let pfn = try machine.call("page_to_pfn", .word(page)).word
        let mapped = try machine.call("kmap", .word(page))

        let view = machine.whatIs(mapped.word + 12)
        try machine.call("kunmap", .word(page))
        let kept = machine.whatIs(mapped.word)
        let local = try machine.call("kmap_local_page", .word(page))
        let short = machine.whatIs(local.word)

        #expect(view.slot?.count == 2)
        #expect(view.slot?.owner == AddressView.Owner(call: mapped.sequence, function: "kmap"))
        #expect(view.frame?.pfn.rawValue == pfn)
        #expect(view.frame?.zone == .highMem)
        #expect(kept.slot?.count == 1)
        #expect(kept.sentence.contains("not flushed"))
        #expect(short.slot?.cpu == 0)
        #expect(short.frame?.pfn.rawValue == pfn)
    }

    @Test func `a number beyond 32 bits is no address of a 32-bit machine`() throws {
        let machine = try CallMachine(I386Machine("686-1G").description)

        let view = machine.whatIs(0x1_c000_0000)

        #expect(view.region == nil)
        #expect(!view.isCanonical)
        #expect(view.mapping == nil)
    }

    @Test("any number is answered, and maps what a walk maps", arguments: RegionTests.machines)
    func hostile(description: MachineDescription) throws {
        let machine = try CallMachine(description)
        try machine.call("vmalloc", 12_288)
        var numbers: [UInt64] = [.max, 1 << 63, 0x8000_0000_0000, 0x7fff_ffff_ffff, 0x10, 0]
        for region in machine.kernel.regionViews() {
            let (start, last) = (region.start.rawValue, region.last.rawValue)
            numbers += [start, start &+ 1, start &- 1, last, last &- 7, (last - start) / 2 + start]
        }
        for number in numbers {
            let view = machine.whatIs(number)
            let walk = machine.kernel.translationView(LinearAddress(rawValue: number), pid: 1)
            #expect(view.mapping?.physical == walk.physical, "\(number)")
            #expect(view.region?.contains(view.address) != false)
            #expect((view.region == nil) == (number > machine.kernel.layout.addressMask))
            #expect(view.frame == nil || view.mapping != nil)
            #expect(!view.sentence.isEmpty)
        }
    }
}

extension CallMachine {
    func whatIs(_ address: UInt64, pid: Int = 1) -> AddressView {
        kernel.whatIs(LinearAddress(rawValue: address), pid: pid)
    }
}
