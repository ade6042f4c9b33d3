import Testing

@testable import KernelHeap

@Suite("Paging: the kernel's half in processes")
struct ProcessRootTests {
    private static let machines = [
        I386Machine("686-1G").description, I386Machine("pae-1G").description,
        MachineDescription(),
    ]

    /// A machine with a second process of its own root.
    private static func boot(_ description: MachineDescription) throws -> Kernel {
        var kernel = try Kernel(description)
        var second = Process(pid: 2, name: "second")
        second.space.end = kernel.layout.userEnd
        kernel.processes.append(second)
        let isMade = kernel.makeRoot(1, cpu: 0)
        #expect(isMade)
        return kernel
    }

    /// Pages that nobody holds, those on the CPUs' lists included.
    private static func free(_ kernel: borrowing Kernel) -> UInt64 {
        kernel.zoneViews().reduce(0) { sum, zone in
            zone.pageSets.reduce(sum + zone.free) { $0 + $1.count }
        }
    }

    private static func walk(
        _ kernel: borrowing Kernel,
        _ address: UInt64,
        pid: Int
    ) -> TranslationView {
        kernel.translationView(LinearAddress(rawValue: address), pid: pid)
    }

    @Test("what vmalloc maps, every process has at once", arguments: machines)
    func mappingsReachAll(description: MachineDescription) throws {
        var kernel = try Self.boot(description)

        // Enough for more than one table of the lowest level.
        let address = kernel.vmalloc(size: 6 << 20).rawValue

        #expect(address != 0)
        for offset in stride(from: UInt64(0), to: 6 << 20, by: 4_096) {
            let first = Self.walk(kernel, address + offset, pid: 1).physical
            let second = Self.walk(kernel, address + offset, pid: 2).physical
            #expect(first != nil)
            #expect(first == second)
        }
    }

    // Recorded under PAE: CR3 0x23c6000 has PMD 0x2d15000, the next process's root another one.
    @Test("under PAE each process has a PMD of its own, elsewhere they share", arguments: machines)
    func tables(description: MachineDescription) throws {
        var kernel = try Self.boot(description)
        let low = kernel.layout.pageOffset + 0x500_0000

        let first = Self.walk(kernel, low, pid: 1)
        let second = Self.walk(kernel, low, pid: 2)
        let boot = kernel.keptBootTables()
        let own = kernel.walk(low, root: boot.root, boot)

        #expect(first.physical == second.physical)
        #expect(first.levels[0].table != second.levels[0].table)
        // With two levels the root's entry maps the page.
        guard first.levels.count > 1, second.levels.count > 1 else {
            #expect(first.levels.map(\.entry) == second.levels.map(\.entry))
            return
        }
        let tables = Set([first.levels[1].table.rawValue, second.levels[1].table.rawValue])
        if description.pae {
            #expect(tables.union([own.steps[1].table]).count == 3)
            #expect(first.levels.last?.entry == second.levels.last?.entry)
        } else {
            #expect(tables == [own.steps[1].table])
        }
    }

    @Test("a process's end gives all its tables back", arguments: machines)
    func ends(description: MachineDescription) throws {
        var kernel = try Kernel(description)
        kernel.processes.append(Process(pid: 2, name: "second"))
        let before = kernel.memInfoView()[.pageTables]
        let free = Self.free(kernel)
        _ = kernel.makeRoot(1, cpu: 0)
        let held = free - Self.free(kernel)

        kernel.releaseUserSpace(1, cpu: 0)
        kernel.processes.removeLast()
        let after = kernel.memInfoView()[.pageTables]
        let freed = Self.free(kernel)

        #expect(held == (description.pae ? 2 : 1))
        #expect(after == before)
        #expect(freed == free)
        let violations = kernel.checkInvariants(misuse: false)
        #expect(violations == [])
    }
}
