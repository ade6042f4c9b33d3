import TestSupport
import Testing

@testable import KernelHeap

@Suite("Misuse warnings: conversions")
struct ConversionWarningTests {
    private static func kinds(_ outcome: CallOutcome) -> [String] { outcome.warnings.map(\.name) }

    private static func region(_ outcome: CallOutcome) -> String? {
        guard case .notDirectMapped(let wrong)? = outcome.warnings.first else { return nil }
        return wrong.region
    }

    @Test(
        "arithmetic of the direct map elsewhere names the region",
        arguments: [
            (0x40_0000, "user space"), (0xffff_c900_0000_0000, "vmalloc"),
            (0xffff_ffff_c000_0000, "modules"), (0xffff_ea00_0000_0000, "vmemmap"),
            (0xffff_ffff_ff5f_c000, "fixmap"), (0xffff_8000_0000_0000, "guard hole"),
            (0x8000_0000_0000, "non-canonical hole"), (0xffff_c000_0000_0000, "direct map"),
        ] as [(UInt64, String)]
    )
    func names(address: UInt64, region: String) throws {
        let machine = try CallMachine()
        for function in ["virt_to_phys", "virt_to_page", "virt_to_pfn"] {
            let outcome = try machine.call(function, .word(address))
            #expect(Self.kinds(outcome) == ["not_direct_mapped"])
            #expect(Self.region(outcome) == region)
        }
    }

    @Test func `right conversions carry no warning`() throws {
        let machine = try CallMachine()
        let object = try machine.call("kmalloc", 64, 0xcc0).word
        let page = try machine.call("virt_to_page", .word(object))
        let pfn = try machine.call("page_to_pfn", .word(page.word))
        let calls: [(String, UInt64)] = [
            ("virt_to_phys", object), ("virt_to_pfn", object), ("page_to_virt", page.word),
            ("page_address", page.word), ("pfn_to_page", pfn.word), ("pfn_to_kaddr", pfn.word),
            ("pfn_to_virt", pfn.word), ("phys_to_virt", pfn.word << 12),
            // The kernel's image has an offset of its own, which the function knows.
            ("virt_to_phys", 0xffff_ffff_8100_0000),
        ]

        #expect(page.warnings.isEmpty)
        #expect(pfn.warnings.isEmpty)
        for (function, value) in calls {
            #expect(try machine.call(function, .word(value)).warnings.isEmpty, "\(function)")
        }
    }

    @Test func `frames, physical addresses and descriptors that are none are named`() throws {
        let machine = try CallMachine()
        let beyond: UInt64 = 1 << 30
        let calls: [(String, UInt64, WrongConversion.Reason)] = [
            ("pfn_to_page", beyond, .noMemory), ("pfn_to_kaddr", beyond, .noMemory),
            ("pfn_to_virt", .max, .noMemory), ("phys_to_virt", 1 << 46, .noMemory),
            ("page_to_pfn", 0x1234, .noDescriptor), ("page_to_virt", 1, .noDescriptor),
            ("page_address", 0xffff_ea00_0000_0001, .noDescriptor),
        ]
        for (function, value, reason) in calls {
            let outcome = try machine.call(function, .word(value))
            guard case .wrongConversion(let wrong)? = outcome.warnings.first else {
                Issue.record("\(function) is silent")
                continue
            }
            #expect(wrong == WrongConversion(function: function, value: value, reason: reason))
        }
    }

    @Test func `the address of high memory is nobody's`() throws {
        let machine = try CallMachine(I386Machine("686-1G").description)
        let page = try machine.call("alloc_page", .word(UInt64(GFPFlags.highUser.rawValue))).word
        let pfn = try machine.call("page_to_pfn", .word(page)).word
        for (function, value) in [
            ("page_to_virt", page), ("pfn_to_kaddr", pfn), ("phys_to_virt", pfn << 12),
        ] {
            guard
                case .wrongConversion(let wrong)? = try machine.call(function, .word(value))
                    .warnings.first
            else {
                Issue.record("\(function) is silent")
                continue
            }
            #expect(wrong.reason == .highMemory)
        }
        // NULL is an answer, and the right one.
        #expect(try machine.call("page_address", .word(page)).warnings.isEmpty)
    }

    @Test(
        "recorded wrong addresses are warned about, right ones are not",
        arguments: [
            "686-1G", "pae-4G",
        ]
    )
    func recorded(folder: String) throws {
        let machine = try CallMachine(I386Machine(folder).description)
        for row in try I386Recording.rows("\(folder)/conv") {
            guard let name = row["va_of"]?.text, let address = row["va"]?.number else { continue }
            let outcome = try machine.call("virt_to_phys", .word(address))
            let isLow = address >= 0xc000_0000 && address < machine.kernel.layout.vmallocStart
            let isMemory = isLow && name != "high_memory"
            #expect(outcome.warnings.isEmpty == isMemory, "\(name)")
            #expect(outcome.word == row["virt_to_phys"]?.number, "\(name)")
        }
    }
}
