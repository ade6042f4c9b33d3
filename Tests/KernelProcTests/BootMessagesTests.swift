import KernelHeap
import KernelProc
import TestSupport
import Testing

@Suite("dmesg")
struct BootMessagesTests {
    static let boots = ((try? BootTable.boots()) ?? [:]).keys.sorted()

    /// Lines of the recordings that come from drivers and the firmware's tables, and the two numbers
    /// that docs/fidelity.md names: a page of three boots, and what a machine without
    /// `init_on_alloc` does.
    private func isOutOfScope(_ line: String, boot: String) -> Bool {
        line.hasPrefix("hpet:") || line.hasPrefix("pci_bus") || line.hasPrefix("NUMA: Node")
            || (boot == "default-1G" && line.hasPrefix("mem auto-init"))
    }

    @Test("a booting machine prints the recorded lines", arguments: boots)
    func bootLines(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        var machine = MachineDescription()
        machine.memoryBytes = boot.memoryBytes
        machine.cpus = boot.smp
        machine.nodes = Set(boot.zones.map(\.node)).count
        machine.bootOptions = boot.bootParameters
        let recorded = try Recording.text("boot/\(name)/dmesg.txt").split(separator: "\n")
            .compactMap { $0.split(separator: "] ", maxSplits: 1).last.map(String.init) }
            .filter { !isOutOfScope($0, boot: name) }

        let kernel = try Kernel(machine)
        let printed = BootMessages.lines(kernel.bootView())
            // The recordings keep lines by their first words; this one's were not among them.
            .filter { !$0.hasPrefix("  Node ") && !isOutOfScope($0, boot: name) }

        try #require(printed.count == recorded.count)
        for (line, expected) in zip(printed, recorded) {
            let isMemory = expected.hasPrefix("Memory:")
            guard isMemory, ["3G", "5G", "kernelcore-6G"].contains(name) else {
                #expect(line == expected)
                continue
            }
            let kept = try numbers(line)
            let expectedKept = try numbers(expected)
            #expect(kept.dropLast(2) == expectedKept.dropLast(2))
            #expect(expectedKept[7] - kept[7] == 4)
        }
    }

    private func numbers(_ line: String) throws -> [Int] {
        let words = line.split { !$0.isNumber }.compactMap { Int($0) }
        try #require(words.count == 9)
        return words
    }

    @Test func `a machine with a movable zone says where it begins`() throws {
        var machine = MachineDescription()
        machine.bootOptions = "movablecore=256M"

        let lines = try BootMessages.lines(Kernel(machine).bootView())

        let place = try #require(lines.firstIndex(of: "Movable zone start for each node"))
        #expect(lines[place + 1] == "  Node 0: 0x0000000030000000")
    }

    @Test func `a line carries the microsecond of the call that logged it`() throws {
        var kernel = try Kernel()
        let kfree = try #require(CallRegistry.byName["kfree"])
        let write = try #require(CallRegistry.byName["kernel_read"])
        var null = CallArguments()
        null.set(0, word: 0)
        var wild = CallArguments()
        wild.set(0, word: 0xffff_c900_0000_0000)
        wild.set(1, word: 8)

        _ = kernel.apply(kfree, null, in: CallContext())
        _ = kernel.apply(kfree, null, in: CallContext())
        let outcome = kernel.apply(write, wild, in: CallContext())
        let text = DmesgText.text(of: kernel).split(separator: "\n")

        let first = "[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"
        #expect(text.first.map(String.init) == first)
        #expect(outcome.log.count == 5)
        #expect(text.suffix(5).allSatisfy { $0.hasPrefix("[    0.000003] ") })
        #expect(text.dropLast(5).allSatisfy { $0.hasPrefix("[    0.000000] ") })
    }

    @Test func `the largest machine with every node and CPU has its lines`() throws {
        var machine = MachineDescription()
        machine.memoryBytes = 8 << 40
        machine.cpus = 64
        machine.nodes = 4

        let lines = try BootMessages.lines(Kernel(machine).bootView())

        #expect(lines.count { $0.hasPrefix("Initmem setup node ") } == 4)
        #expect(lines.contains("SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=64, Nodes=4"))
    }
}
