import KernelProc
import Testing

@testable import KernelHeap

/// The files of a process, in the kernel's columns.
@Suite("/proc: files of processes")
struct ProcessFileTests {
    private func machine(_ profile: String = "linux-6.1-x86_64") throws -> Kernel {
        var description = MachineDescription()
        description.profile = profile
        var kernel = try Kernel(description)
        let pid = try kernel.createProcess(named: "sh\\ell", parent: 1, cpu: 0).get()
        let place = kernel.process(pid)
        let process = try #require(place)
        let start = kernel.setBreak(process, to: 0, cpu: 0)
        _ = kernel.setBreak(process, to: start + 0x2000, cpu: 0)
        let file = try kernel.createFile(process, named: "data").get()
        _ = kernel.truncate(process, file, to: 0x3000, cpu: 0)
        let shared = kernel.mmap(
            process,
            hint: 0x1000_0000,
            length: 0x2000,
            rights: [.read, .write],
            flags: MapFlags.shared | MapFlags.fixed,
            descriptor: file,
            offset: 0x1000
        )
        #expect(try shared.get() == 0x1000_0000)
        _ = kernel.mmap(
            process,
            hint: 0x2000_0000,
            length: 0x1000,
            rights: [.read, .execute],
            flags: MapFlags.private | MapFlags.anonymous | MapFlags.fixed
        )
        return kernel
    }

    private func text(_ path: String, _ kernel: borrowing Kernel) -> String {
        ProcFiles.text(path: path, of: kernel) ?? ""
    }

    // show_map_vma(): names begin at column 73 with 8 bytes a pointer, at 49 with 4.
    @Test func `maps has a line for each area, and names in their column`() throws {
        let kernel = try machine()
        let small = try machine("linux-6.1-i386")

        let maps = text("2/maps", kernel)
        let smallMaps = text("2/maps", small).split(separator: "\n")

        #expect(
            maps == """
                10000000-10002000 rw-s 00001000 00:01 1024                               /memfd:data (deleted)
                20000000-20001000 r-xp 00000000 00:00 0\u{20}
                555555559000-55555555b000 rw-p 00000000 00:00 0                          [heap]
                7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]

                """
        )
        #expect(smallMaps.last == "bffdf000-c0000000 rw-p 00000000 00:00 0          [stack]")
    }

    // task_mem(): numbers in eight columns.
    @Test func `status has the Vm lines`() throws {
        var kernel = try machine()
        let place = kernel.process(2)
        let process = try #require(place)
        let errno = kernel.lock(process, 0x1000_0000, 0x1000, cpu: 0)

        let status = text("2/status", kernel)

        #expect(errno == nil)
        #expect(
            status.hasPrefix(
                "Name:\tsh\\\\ell\nState:\tS (sleeping)\nTgid:\t2\nPid:\t2\nPPid:\t1\n"
            )
        )
        let lines = status.split(separator: "\n").filter {
            $0.hasPrefix("Vm") || $0.hasPrefix("Rss")
        }
        #expect(
            lines == [
                "VmPeak:\t     152 kB", "VmSize:\t     152 kB", "VmLck:\t       4 kB",
                "VmPin:\t       0 kB", "VmHWM:\t       4 kB", "VmRSS:\t       4 kB",
                "RssAnon:\t       0 kB", "RssFile:\t       0 kB", "RssShmem:\t       4 kB",
                "VmData:\t       8 kB", "VmStk:\t     132 kB", "VmExe:\t       0 kB",
                "VmLib:\t       4 kB", "VmPTE:\t      12 kB", "VmSwap:\t       0 kB",
            ]
        )
    }

    @Test func `smaps counts what is shared, private, dirty`() throws {
        var kernel = try machine()
        let place = kernel.process(2)
        let process = try #require(place)
        let heap: UInt64 = 0x5555_5555_9000
        for address in [heap, heap + 0x1000] {
            _ = kernel.userPage(process, at: address, for: .store, cpu: 0)
        }
        let child = try kernel.forkProcess(process, cpu: 0).get()
        _ = kernel.userPage(process, at: heap, for: .store, cpu: 0)

        let smaps = text("2/smaps", kernel)
        let lines = smaps.split(separator: "\n").map(String.init)
        let first = try #require(lines.firstIndex { $0.hasSuffix("[heap]") })

        #expect(child == 3)
        #expect(
            Array(lines[first + 1...first + 22]) == [
                "Size:                  8 kB", "KernelPageSize:        4 kB",
                "MMUPageSize:           4 kB", "Rss:                   8 kB",
                "Pss:                   6 kB", "Pss_Dirty:             6 kB",
                "Shared_Clean:          0 kB", "Shared_Dirty:          4 kB",
                "Private_Clean:         0 kB", "Private_Dirty:         4 kB",
                "Referenced:            8 kB", "Anonymous:             8 kB",
                "LazyFree:              0 kB", "AnonHugePages:         0 kB",
                "ShmemPmdMapped:        0 kB", "FilePmdMapped:         0 kB",
                "Shared_Hugetlb:        0 kB", "Private_Hugetlb:       0 kB",
                "Swap:                  0 kB", "SwapPss:               0 kB",
                "Locked:                0 kB", "THPeligible:    0",
            ]
        )
        #expect(lines[first + 23] == "VmFlags: rd wr mr mw me ac ")
    }

    @Test(
        "other paths are no files",
        arguments: ["2/map", "9/maps", "02/maps", "2", "2/maps/", "/maps"]
    )
    func missing(path: String) throws {
        let kernel = try machine()
        let text = ProcFiles.text(path: path, of: kernel)
        #expect(text == nil)
    }
}
