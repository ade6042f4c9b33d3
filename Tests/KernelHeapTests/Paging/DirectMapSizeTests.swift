import TestSupport
import Testing

@testable import KernelHeap

@Suite("Paging: sizes of the direct map's pages")
struct DirectMapSizeTests {
    // On the machine without high memory a module's pages are low, and break up one page more.
    @Test(
        "32-bit machines break up as much as recorded",
        arguments: I386Machine.all.filter { $0.folder != "686-512M" }
    )
    func isRecorded(machine: I386Machine) throws {
        let recorded = try ProcParser.memInfo(Recording.text("i386/\(machine.folder)/meminfo"))

        let view = try machine.boot().memInfoView()

        for counter in [MemInfoCounter.directMap4K, .directMap2M, .directMap4M]
        where recorded.counters.contains(counter) {
            #expect(view[counter] == recorded[counter], "\(counter.rawValue)")
        }
    }

    @Test("64-bit machines map as much as recorded", arguments: ["96M", "128M", "1G", "3G", "4G"])
    func addsUp(boot: String) throws {
        let recorded = try ProcParser.memInfo(Recording.text("boot/\(boot)/meminfo"))
        var description = MachineDescription()
        description.memoryBytes = BootOptions.bytes(boot[...]) ?? 0

        let view = try Kernel(description).memInfoView()

        #expect(
            view[.directMap4K] + view[.directMap2M]
                == recorded[.directMap4K] + recorded[.directMap2M]
        )
        #expect(!view.counters.contains(.directMap1G))
    }

    @Test("each size counts what a walk finds", arguments: ["", "gbpages"])
    func agreesWithWalks(options: String) throws {
        var description = MachineDescription()
        description.memoryBytes = 3 << 30
        description.bootOptions = options
        var kernel = try Kernel(description)
        _ = kernel.keptBootTables()
        let sizes = kernel.directMapSizes()

        // Every walk ends at a page of one of three sizes; the next one begins behind it.
        var found: [UInt64: UInt64] = [:]
        var address = kernel.layout.pageOffset
        let end = address + kernel.pages.endPFN << 12
        while address < end {
            let view = kernel.translationView(LinearAddress(rawValue: address), pid: 1)
            found[view.pageBytes, default: 0] += view.pageBytes
            address += max(view.pageBytes, 4_096)
        }

        #expect(found[4_096] == sizes.small)
        #expect(found[2 << 20] == sizes.large)
        #expect(found[1 << 30] == sizes.gigabyte)
    }

    @Test("however much vmalloc reserves, low memory is mapped", arguments: [false, true])
    func reserves(pae: Bool) throws {
        for mebibytes in stride(from: 128, through: 1_024, by: 32) {
            var description = MachineDescription()
            description.profile = "linux-6.1-i386"
            description.memoryBytes = 1 << 30
            description.pae = pae
            description.bootOptions = "vmalloc=\(mebibytes)M"
            // Some leave the kernel too little; that is refused, and no machine.
            guard let kernel = try? Kernel(description) else { continue }
            let sizes = kernel.directMapSizes()
            #expect(sizes.small + sizes.large == kernel.layout.directMapEndPFN << 12)
        }
    }
}
