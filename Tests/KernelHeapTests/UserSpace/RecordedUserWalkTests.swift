import TestSupport
import Testing

@testable import KernelHeap

/// The life of a user page, entry by entry, beside the recorded one.
@Suite("Paging: recorded user pages")
struct RecordedUserWalkTests {
    /// A machine with one page mapped where the recording has it.
    struct UserPage: ~Copyable {
        var kernel: Kernel
        let address: UInt64
        let walks: [String: PageWalkRecording.Line]
        // The recorded program was linked so that what it may read it may also execute.
        let open: MemoryRights = [.read, .write, .execute]

        static func boot(_ machine: PagingMachine.Recorded) throws -> UserPage {
            let walks = try PageWalkRecording.walks(machine.name, "uwalk")
            let address = try #require(walks["after a write"]).address
            let kernel = try PagingMachine.boot(machine)
            var page = UserPage(kernel: kernel, address: address, walks: walks)
            let flags = MapFlags.private | MapFlags.anonymous | MapFlags.fixed
            let rights = page.open
            let mapped = page.kernel.mmap(
                0,
                hint: address,
                length: 8_192,
                rights: rights,
                flags: flags
            )
            #expect(try mapped.get() == address)
            return page
        }

        mutating func touch(_ access: Kernel.UserAccess) -> UserFault.Reason? {
            switch kernel.userPage(0, at: address, for: access, cpu: 0) {
            case .success: nil
            case .failure(let stop): stop.reason
            }
        }

        mutating func protect(_ rights: MemoryRights) -> Errno? {
            kernel.mprotect(0, address, 4_096, rights)
        }

        /// The entries have the bits that the recording's step has.
        func expect(_ step: String) throws {
            let recorded = try #require(walks[step])
            #expect(kernel.bits(address) == recorded.levels, "\(step)")
        }
    }

    @Test("reads, writes and mprotect leave the recorded bits", arguments: PagingMachine.recorded)
    func bits(machine: PagingMachine.Recorded) throws {
        var page = try UserPage.boot(machine)
        #expect(page.kernel.bits(page.address).last == "")

        var refusal = page.touch(.load)
        #expect(refusal == nil)
        try page.expect("after a read (zero page)")

        refusal = page.touch(.store)
        #expect(refusal == nil)
        try page.expect("after a write")

        var errno = page.protect([.read, .execute])
        #expect(errno == nil)
        try page.expect("after mprotect(PROT_READ)")

        refusal = page.touch(.store)
        #expect(refusal == .readOnly)
        try page.expect("after the refused write")

        errno = page.protect(page.open)
        #expect(errno == nil)
        try page.expect("after mprotect(PROT_READ|PROT_WRITE)")

        errno = page.protect([])
        #expect(errno == nil)
        try page.expect("after mprotect(PROT_NONE)")

        errno = page.protect(page.open)
        #expect(errno == nil)
        try page.expect("after PROT_NONE -> RW, untouched")

        errno = page.kernel.madvise(0, page.address, 4_096, MemoryAdvice.dontNeed.rawValue)
        #expect(errno == nil)
        try page.expect("after MADV_DONTNEED")

        refusal = page.touch(.store)
        #expect(refusal == nil)
        try page.expect("written once more")
    }

    // 686: 0x3fcfd067 becomes 0x3fcfd160; PAE: 0x3fcef067 becomes 0x000fffffc0310160.
    @Test("a page without rights keeps its frame, inverted in wide entries")
    func frames() throws {
        for machine in PagingMachine.recorded {
            let walks = try PageWalkRecording.walks(machine.name, "uwalk")
            let written = try #require(walks["after a write"]?.pte?.dropFirst(2))
            let without = try #require(walks["after mprotect(PROT_NONE)"]?.pte?.dropFirst(2))
            let entry = PageTableEntry(rawValue: try #require(UInt64(written, radix: 16)))
            let kept = entry.flags.intersection(.keptByProtection)

            let closed = machine.format.entry(entry, with: kept.union([.accessed, .noRights]))

            #expect(closed.rawValue == UInt64(without, radix: 16), "\(machine.name)")
            #expect(machine.format.storedFrame(of: closed) == machine.format.frame(of: entry))
        }
    }

    @Test("refused accesses push the recorded error codes", arguments: PagingMachine.recorded)
    func codes(machine: PagingMachine.Recorded) throws {
        let faults = try PageWalkRecording.faults(machine.name)
        var page = try UserPage.boot(machine)
        _ = page.touch(.store)
        let top = BootLayout.lowMemoryStart
        let cases: [(String, UInt64, MemoryRights, PageAccess)] = [
            ("write to PROT_READ page", page.address, [.read], .userStore),
            ("read of PROT_NONE page", page.address, [], .userLoad),
            ("write of PROT_NONE page", page.address, [], .userStore),
            ("read of unmapped page", page.address + 8_192, [.read], .userLoad),
            ("write of unmapped page", page.address + 8_192, [.read], .userStore),
            ("read of kernel page at CPL3", top + 0x10_0000, [.read], .userLoad),
            ("write of kernel page at CPL3", top + 0x10_0000, [.read], .userStore),
            ("read of 0xC0000000", top, [.read], .userLoad),
            ("read of NULL", 0, [.read], .userLoad), ("write of NULL", 0, [.read], .userStore),
            ("jump to NULL", 0, [.read], .userFetch),
        ]
        for (name, address, rights, access) in cases {
            let recorded = try #require(faults[name])
            let errno = page.protect(rights)
            #expect(errno == nil)

            let result = page.kernel.translate(address, for: access, process: 0)

            guard case .failure(let fault) = result else {
                Issue.record("\(name) is not refused")
                continue
            }
            #expect(fault.code == recorded.errorCode, "\(name)")
            let cr2 = page.kernel.paging.cr2
            #expect(cr2 == address, "\(name)")
        }
    }

    @Test("signals say what the recorded ones say", arguments: PagingMachine.recorded)
    func signals(machine: PagingMachine.Recorded) throws {
        let faults = try PageWalkRecording.faults(machine.name)
        var page = try UserPage.boot(machine)
        _ = page.touch(.store)
        let reasons: [(String, UInt64, MemoryRights, Kernel.UserAccess)] = [
            ("write to PROT_READ page", page.address, [.read], .store),
            ("read of PROT_NONE page", page.address, [], .load),
            ("read of unmapped page", page.address + 8_192, [.read], .load),
            ("read of kernel page at CPL3", 0xc010_0000, [.read], .load),
            ("read of 0xfffff000", 0xffff_f000, [.read], .load),
        ]
        for (name, address, rights, access) in reasons {
            let recorded = try #require(faults[name])
            _ = page.protect(rights)
            let result = page.kernel.userPage(0, at: address, for: access, cpu: 0)
            guard case .failure(let stop) = result else {
                Issue.record("\(name) is not refused")
                continue
            }
            // SEGV_MAPERR is 1, SEGV_ACCERR 2; kernel addresses always look present.
            #expect((stop.reason == .notMapped ? 1 : 2) == recorded.siCode, "\(name)")
            let hidden: UInt32 = address >= page.kernel.userEnd ? 1 : 0
            #expect(stop.code | hidden == recorded.errorCode, "\(name)")
        }
    }
}
