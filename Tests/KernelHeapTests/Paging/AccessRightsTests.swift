import Testing

@testable import KernelHeap

/// Every combination of entry bits, controls and accesses, beside the processor's manual.
@Suite("Paging: access rights")
struct AccessRightsTests {
    private static let accesses: [PageAccess] = [
        .kernelLoad, .kernelStore, .kernelFetch, .userLoad, .userStore, .userFetch, .copyLoad,
        .copyStore,
    ]

    // Volume 3, 4.6.1. The rules are written access by access, as they stand there.
    private func manualAllows(
        _ access: PageAccess,
        writable: Bool,
        user: Bool,
        executable: Bool,
        _ controls: AccessControls
    ) -> Bool {
        switch access {
        case .kernelLoad:
            if !user { return true }
            return controls.smap == false
        case .kernelStore:
            if user && controls.smap { return false }
            return controls.writeProtect ? writable : true
        case .kernelFetch:
            if user && controls.smep { return false }
            return executable
        case .userLoad: return user
        case .userStore: return user && writable
        case .userFetch: return user && executable
        // EFLAGS.AC is set: SMAP has no say.
        case .copyLoad: return true
        case .copyStore: return controls.writeProtect ? writable : true
        }
    }

    @Test func `all 512 combinations are as in the manual`() {
        var seen = 0
        for bits in 0..<64 {
            var controls = AccessControls()
            controls.writeProtect = bits & 1 != 0
            controls.smap = bits & 2 != 0
            controls.smep = bits & 4 != 0
            let (writable, user, executable) = (bits & 8 != 0, bits & 16 != 0, bits & 32 != 0)
            let rights = PageRights(
                isWritable: writable,
                isUser: user,
                isExecutable: executable,
                controls
            )
            for access in Self.accesses {
                let isAllowed = manualAllows(
                    access,
                    writable: writable,
                    user: user,
                    executable: executable,
                    controls
                )
                #expect(rights.contains(PageRights(access)) == isAllowed, "\(bits) \(access)")
                seen += 1
            }
        }
        #expect(seen == 512)
    }

    @Test(
        "a bit that one level lacks is lacking",
        arguments: [0, 1, 2, 3],
        [PageTableEntry.Flags.writable, .user]
    )
    func levels(level: Int, flag: PageTableEntry.Flags) throws {
        var kernel = try Kernel()
        let mapped = kernel.mmap(0, hint: 0x40_0000, length: 4_096, rights: .all, flags: 0x22)
        let address = try mapped.get()
        _ = kernel.userPage(0, at: address, for: .store, cpu: 0)
        let boot = kernel.bootTables()
        let walk = kernel.walk(address, root: kernel.root(of: 0, boot), boot)
        let step = walk.steps[level]

        let changed = PageTableEntry(rawValue: step.entry.rawValue & ~flag.rawValue)
        kernel.setTableEntry(step.table, step.index, changed)
        kernel.paging.flushAll()
        let result = kernel.translate(address, for: .userStore, process: 0)

        // P, W and U: the page is there, and refused.
        #expect(result == .failure(Self.fault(at: address, 7)))
    }

    private static func fault(at address: UInt64, _ code: UInt32) -> PageFault {
        var fault = PageFault(address: address, isGeneralProtection: false)
        fault.code = code
        return fault
    }

    @Test(
        "the command line turns SMAP and SMEP off",
        arguments: [
            ("", true, true), ("nosmap", false, true), ("nosmep quiet", true, false),
            ("clearcpuid=smap", false, true), ("clearcpuid=umip,smep,smap", false, false),
        ]
    )
    func options(line: String, smap: Bool, smep: Bool) throws {
        var description = MachineDescription()
        description.bootOptions = line
        let kernel = try Kernel(description)
        let controls = kernel.paging.controls

        #expect(controls.smap == smap)
        #expect(controls.smep == smep)
        #expect(controls.writeProtect)
    }

    @Test("the kernel reads user memory only where SMAP is off", arguments: ["", "nosmap"])
    func smap(line: String) throws {
        var description = MachineDescription()
        description.bootOptions = line
        var kernel = try Kernel(description)
        let mapped = kernel.mmap(0, hint: 0, length: 8_192, rights: [.read, .write], flags: 0x22)
        let address = try mapped.get()
        _ = kernel.userPage(0, at: address, for: .store, cpu: 0)

        let (bytes, fault) = kernel.loadKernel(address, 8_192, in: .standard)

        if line.isEmpty {
            #expect(bytes.isEmpty)
            #expect(fault == Self.fault(at: address, 1))
        } else {
            #expect(bytes == [UInt8](repeating: 0, count: 8_192))
            #expect(fault == nil)
        }
    }

    @Test func `an address with odd upper bits is a general protection fault`() throws {
        var kernel = try Kernel()
        let result = kernel.translate(0x8000_0000_0000, for: .kernelLoad, process: 0)

        let expected = PageFault(address: 0x8000_0000_0000, isGeneralProtection: true)
        #expect(result == .failure(expected))
        let cr2 = kernel.paging.cr2
        #expect(cr2 == 0)
    }
}

extension MemoryRights {
    fileprivate static let all: MemoryRights = [.read, .write, .execute]
}
