import TestSupport
import Testing

@testable import KernelHeap

@Suite("Requests on 32-bit machines")
struct I386RequestTests {
    static let recorded = ["686-512M", "686-1G", "686-3G", "686-4G", "pae-1G", "pae-4G"]
        .map { I386Machine($0) }

    @Test func `flags have the recorded numbers, texts, zones and classes`() throws {
        let profile = MachineProfile.linux61I386
        var compared = 0
        for row in try I386Recording.rows("686-1G/gfp") {
            let name = row["name"]?.text
            let number =
                row["value"]?.number ?? row["zonebits"]?.number
                ?? row["bit"]?.number.map { 1 << $0 }
            let flags = profile.gfp.flags(number: UInt32(try #require(number)))
            #expect(profile.gfp.text(of: flags) == row["text"]?.text)
            if let zone = row["zone"]?.text { #expect(GFPZones.i386[flags].name == zone) }
            if let type = row["migratetype"]?.number, type < 3, flags.rawValue & 0x18 != 0x18 {
                #expect(UInt64(flags.migrateType.rawValue) == type, "\(name ?? "")")
            }
            if let name, !name.contains("|"), name != "0", name != "GFP_ZONEMASK" {
                #expect(profile.gfp.value(of: name).map(UInt64.init) == number, "\(name)")
            }
            compared += 1
        }
        #expect(compared > 100)
    }

    @Test("a mask is served by the recorded zone", arguments: recorded)
    func serving(machine: I386Machine) throws {
        var kernel = try machine.boot()
        var compared = 0
        for row in try I386Recording.rows("\(machine.folder)/serve") {
            guard let mask = row["gfp"]?.text, let order = row["order"]?.number else { continue }
            let flags = Self.flags(mask)
            let pfn = kernel.allocPages(order: Int(order), flags: flags)
            let block = try #require(pfn)
            let zone = kernel.detail(of: UInt32(block.rawValue)).zone
            #expect(zone.name == row["zone"]?.text, "\(mask) \(order)")
            let isMapped = kernel.layout.isMapped(block.rawValue)
            #expect(isMapped == (row["page_address"]?.number != 0))
            kernel.freePages(block, order: Int(order))
            compared += 1
        }
        #expect(compared == 39)
    }

    @Test func `__get_free_pages never returns high memory`() throws {
        let calls = try CallMachine(I386Machine("686-1G").description)
        let high = UInt64(GFPFlags.highUser.rawValue)

        let outcome = try calls.call("__get_free_pages", .word(high), 0)

        guard case .pages(let detail) = outcome.result.detail else {
            Issue.record("no pages")
            return
        }
        #expect(detail.zone == .normal)
    }

    // kmalloc.jsonl: sizes in ranges, then single large ones up to the limit of 32 bits.
    @Test("kmalloc gives what was recorded", arguments: recorded)
    func kmalloc(machine: I386Machine) throws {
        var kernel = try machine.boot()
        for row in try I386SlabTable.kmalloc("i386/\(machine.folder)") {
            let isLarge = row.kind == "large"
            guard let size = isLarge ? row.size : row.to, size > 0,
                row.kind != "kvmalloc", row.kind != "align"
            else { continue }
            let flags = isLarge ? GFPFlags.kernel.union(.noWarn) : Self.flags(row.kind)
            let address = kernel.kmalloc(size: size, flags: flags)
            #expect((address == .null) == (row.ksize == nil), "\(row.kind) \(size)")
            if address == .null { continue }
            #expect(kernel.ksize(address) == row.ksize, "\(row.kind) \(size)")
            #expect(kernel.layout.isMapped((address.rawValue - 0xc000_0000) >> 12))
            if let align = row.ksize.map({ $0 & (0 &- $0) }) {
                #expect(address.rawValue % min(align, 4_096) == 0)
            }
            kernel.kfree(address)
        }
        let violations = kernel.checkInvariants(misuse: false)
        #expect(violations.isEmpty)
    }

    @Test func `kmalloc warns of high memory only when it needs pages`() throws {
        var kernel = try I386Machine("686-1G").boot()
        let bad = GFPFlags.kernel.union(.highMem)
        let line =
            "Unexpected gfp: 0x2 (__GFP_HIGHMEM). Fixing up to gfp: 0xcc0 (GFP_KERNEL). "
            + "Fix your code!"
        _ = kernel.kmalloc(size: 64, flags: .kernel)

        let silent = kernel.kmalloc(size: 64, flags: bad)
        let before = kernel.log.lines
        let large = kernel.kmalloc(size: 16_384, flags: bad)
        let after = kernel.log.lines
        _ = kernel.kmalloc(size: 512, flags: bad)
        let last = kernel.log.lines

        #expect(silent != .null && before.isEmpty)
        #expect(after.first == line)
        #expect(kernel.layout.isMapped((large.rawValue - 0xc000_0000) >> 12))
        #expect(last.filter { $0 == line }.count == 2)
    }

    static func flags(_ text: String) -> GFPFlags {
        text.split(separator: "|").reduce(into: GFPFlags()) { flags, name in
            flags.formUnion(GFPFlags(rawValue: GFPTable.linux61.value(of: name) ?? 0))
        }
    }
}
