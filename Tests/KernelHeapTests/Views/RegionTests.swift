import TestSupport
import Testing

@testable import KernelHeap

@Suite("Address space: regions")
struct RegionTests {
    /// A machine of each kind, with and without high memory.
    static let machines: [MachineDescription] = {
        var machines = I386Machine.all.map(\.description)
        for memory: UInt64 in [96, 1_024, 8_192] {
            var description = MachineDescription()
            description.memoryBytes = memory << 20
            machines.append(description)
        }
        for memory: UInt64 in [512, 896, 2_048] {
            for pae in [false, true] {
                var description = MachineDescription()
                description.profile = "linux-2.6-i386"
                description.memoryBytes = memory << 20
                description.pae = pae
                machines.append(description)
            }
        }
        return machines
    }()

    @Test("regions cover every address exactly once", arguments: machines)
    func tile(description: MachineDescription) throws {
        let kernel = try Kernel(description)

        let regions = kernel.regionViews()

        #expect(regions.first?.start == .null)
        #expect(regions.last?.last.rawValue == kernel.layout.addressMask)
        for (lower, upper) in zip(regions, regions.dropFirst()) {
            #expect(lower.last.rawValue &+ 1 == upper.start.rawValue)
            #expect(lower.start <= lower.last)
        }
        #expect(!regions.contains { ($0.usedBytes ?? 0) > $0.size })
    }

    /// First and last address of what `mm.rst`, 6.1, lists for four levels of page tables.
    @Test func `64-bit regions lie where the kernel's documentation has them`() throws {
        let regions = try Kernel().regionViews()
        let bounds: [String: (UInt64, UInt64)] = [
            "non-canonical hole": (0x8000_0000_0000, 0xffff_7fff_ffff_ffff),
            "guard hole": (0xffff_8000_0000_0000, 0xffff_87ff_ffff_ffff),
            "LDT remap": (0xffff_8800_0000_0000, 0xffff_887f_ffff_ffff),
            "direct map": (0xffff_8880_0000_0000, 0xffff_c87f_ffff_ffff),
            "vmalloc": (0xffff_c900_0000_0000, 0xffff_e8ff_ffff_ffff),
            "vmemmap": (0xffff_ea00_0000_0000, 0xffff_eaff_ffff_ffff),
            "KASAN shadow": (0xffff_ec00_0000_0000, 0xffff_fbff_ffff_ffff),
            "cpu entry area": (0xffff_fe00_0000_0000, 0xffff_fe7f_ffff_ffff),
            "ESP fixup stacks": (0xffff_ff00_0000_0000, 0xffff_ff7f_ffff_ffff),
            "EFI": (0xffff_ffef_0000_0000, 0xffff_fffe_ffff_ffff),
            "vsyscall": (0xffff_ffff_ff60_0000, 0xffff_ffff_ff60_0fff),
        ]
        for (name, (start, last)) in bounds {
            let region = try #require(regions.first { $0.name == name }, "\(name)")
            #expect(region.start.rawValue == start, "\(name)")
            #expect(region.last.rawValue == last, "\(name)")
        }
    }

    @Test("32-bit regions begin and end at the recorded constants", arguments: I386Machine.all)
    func isRecorded(machine: I386Machine) throws {
        var constants: [String: UInt64] = [:]
        for row in try I386Recording.rows("\(machine.folder)/const") {
            if let name = row["name"]?.text { constants[name] = row["value"]?.number }
        }
        let regions = try machine.boot().regionViews()
        let bounds = [
            ("direct map", "PAGE_OFFSET", "high_memory"),
            ("vmalloc gap", "high_memory", "VMALLOC_START"),
            ("vmalloc", "VMALLOC_START", "VMALLOC_END"), ("pkmap", "PKMAP_BASE", "PKMAP_END"),
            ("ldt", "LDT_BASE_ADDR", "LDT_END_ADDR"),
            ("boot fixmap", "FIXADDR_TOT_START", "FIXADDR_START"),
            ("fixmap", "FIXADDR_START", "FIXADDR_TOP"),
        ]
        for (name, start, end) in bounds {
            let region = try #require(regions.first { $0.name == name }, "\(name)")
            #expect(region.start.rawValue == constants[start], "\(name)")
            #expect(region.last.rawValue + 1 == constants[end], "\(name)")
        }
        let entry = try #require(regions.first { $0.kind == .cpuEntryArea })
        #expect(entry.start.rawValue == constants["CPU_ENTRY_AREA_BASE"])
        #expect(entry.size == constants["CPU_ENTRY_AREA_PAGES"].map { $0 << 12 })
    }
}
