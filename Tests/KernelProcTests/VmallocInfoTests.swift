import KernelHeap
import KernelProc
import TestSupport
import Testing

@Suite("/proc: vmallocinfo")
struct VmallocInfoTests {
    private func machine() throws -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = 1 << 30
        return try Kernel(description)
    }

    private func lines(_ kernel: borrowing Kernel) -> [Substring] {
        (ProcFiles.text(path: "vmallocinfo", of: kernel) ?? "").split(separator: "\n")
    }

    @Test func `a fresh machine's file is the recorded one, line by line`() throws {
        let kernel = try machine()
        let recorded = try Recording.text("vmalloc/vmallocinfo-smp1.txt").split(separator: "\n")

        let found = lines(kernel)

        #expect(recorded.count == 69)
        for (line, expected) in zip(found, recorded) { #expect(line == expected) }
        #expect(found.count == recorded.count)
    }

    @Test func `meminfo counts the pages behind areas as the recorded boot does`() throws {
        var kernel = try machine()
        let recorded = try Recording.text("boot/1G/meminfo").split(separator: "\n").filter {
            $0.hasPrefix("Vmalloc")
        }
        let fresh = (ProcFiles.text(path: "meminfo", of: kernel) ?? "").split(separator: "\n")
        let address = kernel.vmalloc(size: 40_960)
        let used = kernel.memInfoView()[.vmallocUsed]
        kernel.vfree(address)
        let after = kernel.memInfoView()[.vmallocUsed]

        #expect(fresh.filter { $0.hasPrefix("Vmalloc") } == recorded)
        #expect(used == 7_452 + 40)
        #expect(after == 7_452)
    }

    @Test func `areas show their maker, pages and kind; what waits for a purge stands last`() throws
    {
        var kernel = try machine()
        let large = kernel.vmalloc(size: 3 << 20)
        let small = kernel.vmalloc(size: 4_096)
        let end = "0xffffc9000004d000-0xffffc90000050000"
        let before = lines(kernel)
        kernel.vfree(small)
        let after = lines(kernel)

        #expect(
            before.contains {
                $0.hasPrefix("0x" + String(large.rawValue, radix: 16))
                    && $0.hasSuffix(" 3149824 call_0 pages=768 vmalloc vpages N0=768")
            }
        )
        // The array of its pages: two pages and the guard page.
        #expect(before.contains("\(end)   12288 call_0 pages=2 vmalloc N0=2"))
        #expect(after.count == before.count)
        #expect(after.last?.hasSuffix("   8192 unpurged vm_area") == true)
    }

    @Test(
        "a fresh 32-bit machine has the recorded areas",
        arguments: ["686-512M", "686-1G", "686-1G-nothp", "686-3G", "686-4G", "pae-1G", "pae-4G"]
    )
    func narrow(folder: String) throws {
        var description = MachineDescription()
        description.profile = "linux-6.1-i386"
        let parts = folder.split(separator: "-")
        description.pae = parts[0] == "pae"
        description.memoryBytes = try #require(BootOptions.bytes(parts[1]))
        let kernel = try Kernel(description)
        let recorded = try Recording.text("i386/\(folder)/vmallocinfo").split(separator: "\n")

        let found = lines(kernel)

        // The recorded file hides addresses. On the larger PC a driver's pool has an area more.
        let expected = recorded.map { $0.drop { $0 != " " } }.filter { !$0.contains("gen_pool") }
        #expect(found.map { $0.drop { $0 != " " } } == expected)
        #expect(found.allSatisfy { $0.prefix { $0 != " " }.count == 21 })
        let meminfo = (ProcFiles.text(path: "meminfo", of: kernel) ?? "").split(separator: "\n")
        let own = try Recording.text("i386/\(folder)/meminfo").split(separator: "\n")
        let names = folder == "pae-4G" ? ["VmallocTotal", "VmallocChunk"] : ["Vmalloc"]
        for name in names {
            let line = meminfo.filter { $0.hasPrefix(name) }
            #expect(line == own.filter { $0.hasPrefix(name) })
        }
    }
}
