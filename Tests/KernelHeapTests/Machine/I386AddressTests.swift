import TestSupport
import Testing

@testable import KernelHeap

@Suite("Addresses of 32-bit machines")
struct I386AddressTests {
    static let recorded = ["686-512M", "686-1G", "686-3G", "686-4G", "pae-1G", "pae-4G"]
        .map { I386Machine($0) }

    @Test("pages convert as recorded", arguments: recorded)
    func pages(machine: I386Machine) throws {
        let calls = try CallMachine(machine.description)
        var compared = 0
        for row in try I386Recording.rows("\(machine.folder)/conv") {
            guard let pfn = row["pfn"]?.number else { continue }
            let page = try #require(row["struct_page"]?.number)
            if row["page"]?.text == "the same, kmapped" {
                #expect(try calls.number("kmap", page) == row["page_address"]?.number)
            }
            #expect(try calls.number("pfn_to_page", pfn) == page)
            #expect(try calls.number("page_to_pfn", page) == pfn)
            #expect(try calls.number("page_address", page) == row["page_address"]?.number)
            #expect(try calls.number("page_to_virt", page) == row["lowmem_page_address"]?.number)
            if let own = row["page_address"]?.number, own != 0 {
                #expect(try calls.number("virt_to_phys", own) == row["virt_to_phys(va)"]?.number)
                let back = try calls.number("virt_to_page", own) == page
                #expect((back ? 1 : 0) == row["virt_to_page_back"]?.number)
            }
            let physical = try #require(row["page_to_phys"]?.number)
            #expect(physical == pfn << 12)
            // The macro wraps at 32 bits, whatever the frame is.
            let virtual = try #require(try calls.number("phys_to_virt", physical & 0xffff_ffff))
            #expect(virtual == (row["phys_to_virt(pa)"]?.number ?? 0) & 0xffff_ffff)
            #expect(
                try calls.number("virt_addr_valid", virtual)
                    == row["virt_addr_valid(phys_to_virt(pa))"]?.number
            )
            compared += 1
        }
        #expect(compared >= 6)
    }

    @Test("addresses convert as recorded", arguments: recorded)
    func addresses(machine: I386Machine) throws {
        let calls = try CallMachine(machine.description)
        var compared = 0
        for row in try I386Recording.rows("\(machine.folder)/conv") {
            guard let name = row["va_of"]?.text, let address = row["va"]?.number else { continue }
            #expect(try calls.number("virt_to_phys", address) == row["virt_to_phys"]?.number)
            #expect(
                try calls.number("virt_addr_valid", address) == row["virt_addr_valid"]?.number,
                "\(name)"
            )
            #expect(
                try calls.number("is_vmalloc_addr", address) == row["is_vmalloc_addr"]?.number,
                "\(name)"
            )
            compared += 1
        }
        #expect(compared >= 15)
    }

    @Test("mapped high memory has the recorded entries", arguments: recorded)
    func mapped(machine: I386Machine) throws {
        let calls = try CallMachine(machine.description)
        let rows = try I386Recording.rows("\(machine.folder)/conv")
        guard let row = rows.first(where: { $0["page"]?.text == "the same, kmapped" }),
            let page = row["struct_page"]?.number
        else {
            let hasHighMemory = calls.kernel.pages.hasHighZone
            #expect(!hasHighMemory)
            return
        }
        for (call, name) in [("kmap", "kmap()"), ("kmap_local_page", "kmap_local_page()")] {
            let recorded = try #require(rows.first { $0["va_of"]?.text == name })
            let address = try #require(try calls.number(call, page))
            let boot = calls.kernel.bootTables()
            let entry = calls.kernel.walk(address, root: boot.root, boot).last.entry.rawValue
            // The recording has the low half, on one machine with global pages.
            let mask: UInt64 = machine.folder == "pae-4G" ? ~0x100 : .max
            #expect(address == recorded["va"]?.number)
            #expect(entry & 0xffff_ffff == (recorded["pte"]?.number ?? 0) & mask)
        }
    }

    @Test func `high memory has no address and cannot be loaded from`() throws {
        let calls = try CallMachine(I386Machine("686-1G").description)
        let outcome = try calls.call("alloc_page", .word(UInt64(GFPFlags.highUser.rawValue)))
        guard case .pages(let detail) = outcome.result.detail else {
            Issue.record("no pages")
            return
        }

        #expect(detail.zone == .highMem)
        #expect(detail.virtual == 0)
        #expect(try calls.read(0xc000_0000 + detail.pfn.rawValue << 12, 4).isEmpty)
    }

    @Test func `addresses in reports have eight digits`() throws {
        let calls = try CallMachine(I386Machine("686-1G").description)

        let null = try calls.call("kernel_read", 0x10, 4)
        let hole = try calls.call("kernel_read", 0xff00_0000, 4)

        #expect(null.log.first == "BUG: kernel NULL pointer dereference, address: 00000010")
        #expect(hole.log.first == "BUG: unable to handle page fault for address: ff000000")
    }
}

extension CallMachine {
    /// A call with one word, and its return value as a number.
    func number(_ name: String, _ word: UInt64) throws -> UInt64? {
        switch try call(name, .word(word)).result.value {
        case .pointer(let value), .unsigned(let value): value
        case .integer(let value): UInt64(truncatingIfNeeded: value)
        case .boolean(let value): value ? 1 : 0
        default: nil
        }
    }
}
