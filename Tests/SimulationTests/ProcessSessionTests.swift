import TestSupport
import Testing

@testable import KernelHeap

@Suite("Simulation: processes against a model of bytes")
struct ProcessSessionTests {
    /// A window of 48 pages in each process: small, so that operations meet.
    private static let first: UInt64 = 0x1_0000
    private static let window: UInt64 = 48

    struct Run: ~Copyable {
        var kernel: Kernel
        var model = ProcessModel()
        var random: SeededRandom
        let buffer: UInt64

        init(seed: UInt64, profile: String) throws {
            var description = MachineDescription()
            description.profile = profile
            description.memoryBytes = 256 << 20
            kernel = try Kernel(description)
            random = SeededRandom(seed: seed)
            let frame = kernel.allocPages(order: 0, flags: .kernel)
            buffer = kernel.layout.virtual(UInt32(frame?.rawValue ?? 0))
        }

        mutating func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

        mutating func pages() -> Range<UInt64> {
            let start = ProcessSessionTests.first + below(ProcessSessionTests.window)
            return start..<start + 1 + below(8)
        }

        mutating func step() throws {
            let process = Array(model.processes.keys.sorted())
            let chosen = process[Int(below(UInt64(process.count)))]
            let range = pages()
            let (address, length) = (range.lowerBound << 12, UInt64(range.count) << 12)
            switch below(12) {
            case 0: try map(chosen, range)
            case 1:
                _ = kernel.munmap(chosen, address, length)
                model.unmap(chosen, range)
            case 2:
                let rights = MemoryRights(rawValue: below(4))
                _ = kernel.mprotect(chosen, address, length, rights)
                model.protect(chosen, range, rights)
            case 3:
                _ = kernel.madvise(chosen, address, length, MemoryAdvice.dontNeed.rawValue)
                model.forget(chosen, range)
            case 4 where process.count < 6:
                let pid = try kernel.forkProcess(chosen, cpu: 0).get()
                if let child = kernel.process(pid) { model.fork(chosen, child) }
            case 5 where chosen != 0:
                kernel.exitProcess(chosen, code: 0, cpu: 0)
                model.exit(chosen)
            case 6: try move(chosen, range)
            case 7: load(chosen, range.lowerBound)
            case 8: copy(chosen, range.lowerBound)
            default: store(chosen, range.lowerBound)
            }
        }

        private mutating func map(_ process: Int, _ range: Range<UInt64>) throws {
            let isShared = below(3) == 0
            let type = isShared ? MapFlags.shared : MapFlags.private
            let rights = MemoryRights(rawValue: below(4))
            let mapped = kernel.mmap(
                process,
                hint: range.lowerBound << 12,
                length: UInt64(range.count) << 12,
                rights: rights,
                flags: type | MapFlags.anonymous | MapFlags.fixed
            )
            #expect(try mapped.get() == range.lowerBound << 12)
            model.map(process, range, rights, isShared: isShared)
        }

        /// Moves pages of one area out of the window's way and back in somewhere.
        private mutating func move(_ process: Int, _ range: Range<UInt64>) throws {
            let target = pages().lowerBound
            let request = Kernel.Remapping(
                address: range.lowerBound << 12,
                oldLength: UInt64(range.count) << 12,
                newLength: UInt64(range.count) << 12,
                flags: RemapFlags.mayMove | RemapFlags.fixed,
                target: target << 12
            )
            let area = kernel.processes[process].space.area(at: request.address)
            let moved = kernel.mremap(process, request, cpu: 0)
            let end = target + UInt64(range.count)
            if area == nil {
                #expect(throws: Errno.EFAULT) { try moved.get() }
            } else if target < range.upperBound && end > range.lowerBound {
                #expect(throws: Errno.EINVAL) { try moved.get() }
            } else if let start = try? moved.get() {
                #expect(start == request.target)
                model.unmap(process, target..<end)
                model.move(process, range, to: target)
            } else {
                // The target is cleared before the range is found to leave its area.
                model.unmap(process, target..<end)
            }
        }

        private mutating func load(_ process: Int, _ page: UInt64) {
            let expected = model.byte(process, page)
            #expect(byte(process, page) == expected)
        }

        mutating func byte(_ process: Int, _ page: UInt64) -> UInt8? {
            var bytes: [UInt8] = []
            _ = kernel.walkUser(process, page << 12, 1, for: .load, cpu: 0) { kernel, pfn, at, _ in
                guard let pfn else { return bytes.append(0) }
                kernel.readFrame(pfn, offset: at, count: 1, into: &bytes)
            }
            return bytes.first
        }

        private mutating func store(_ process: Int, _ page: UInt64) {
            let value = UInt8(truncatingIfNeeded: random.next())
            let fault = kernel.walkUser(process, page << 12, 1, for: .store, cpu: 0) {
                kernel,
                pfn,
                offset,
                _ in
                if let pfn { kernel.writeFrame(pfn, offset: offset, [value]) }
            }.fault
            #expect((fault == nil) == model.store(process, page, value))
        }

        private mutating func copy(_ process: Int, _ page: UInt64) {
            let value = UInt8(truncatingIfNeeded: random.next())
            kernel.writeKernel(buffer, [value])
            let copy = kernel.copyToUser(
                process,
                to: page << 12,
                from: buffer,
                count: 1,
                in: CallContext(pid: kernel.processes[process].pid)
            )
            #expect((copy.notCopied == 0) == model.store(process, page, value))
        }
    }

    @Test(
        "bytes, map counts and free pages agree with the model",
        arguments: UInt64(1)...8,
        ["linux-6.1-x86_64", "linux-6.1-i386"]
    )
    func agreement(seed: UInt64, profile: String) throws {
        var run = try Run(seed: seed, profile: profile)
        let before = run.kernel.pages.ownPages()
        for step in 0..<600 {
            try run.step()
            guard step % 20 == 19 else { continue }
            let violations = run.kernel.checkInvariants(misuse: false)
            try #require(violations == [], "seed \(seed), \(profile), step \(step)")
        }
        for process in run.model.processes.keys.sorted() {
            for page in Self.first..<Self.first + Self.window {
                let expected = run.model.byte(process, page)
                let found = run.byte(process, page)
                #expect(found == expected, "seed \(seed), \(profile), process \(process)")
            }
        }
        for process in run.model.processes.keys.sorted() where process != 0 {
            run.kernel.exitProcess(process, code: 0, cpu: 0)
        }
        run.kernel.releaseUserSpace(0, cpu: 0)
        let after = run.kernel.pages.ownPages()
        let violations = run.kernel.checkInvariants(misuse: false)
        #expect(after == before, "seed \(seed), \(profile)")
        #expect(violations == [], "seed \(seed), \(profile)")
        #expect(run.kernel.files.count == 0)
    }
}
