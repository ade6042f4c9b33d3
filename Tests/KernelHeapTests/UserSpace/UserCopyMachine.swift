import Foundation
import TestSupport

@testable import KernelHeap

/// A machine with the recorder's pages mapped in its first process.
///
/// Bytes are `Data`, which compares them at once where an array takes them one by one.
struct UserCopyMachine: ~Copyable {
    struct Refused: Error { let page: UInt64 }

    /// What the kernel buffer holds: values that no user page has.
    private static let pattern = Data((0..<16_384).map { UInt8(128 + $0 % 127) })

    var kernel: Kernel
    /// The kernel buffer's address: four pages.
    let buffer: UInt64
    let bufferBytes = Self.pattern
    /// What user pages hold, by address; a page that nobody wrote holds zeros.
    let userBytes: [UInt64: Data]

    static func boot(
        _ table: UserCopyTable,
        options: String = ""
    ) throws -> UserCopyMachine {
        var description = MachineDescription()
        description.bootOptions = options
        let pages = table.window.map { (table.start + $0.page * 4_096, $0.kind) }
        return try boot(pages + [(table.topPage, .written)], description)
    }

    /// A machine with pages of given kinds.
    static func boot(
        _ pages: [(address: UInt64, kind: UserCopyTable.PageKind)],
        _ description: MachineDescription
    ) throws -> UserCopyMachine {
        var kernel = try Kernel(description)
        guard let frames = kernel.allocPages(order: 2, flags: .kernel) else {
            throw Refused(page: 0)
        }
        let buffer = kernel.layout.virtual(UInt32(frames.rawValue))
        var userBytes: [UInt64: Data] = [:]
        for (address, kind) in pages {
            userBytes[address] = try map(address, kind, from: buffer, in: &kernel)
        }
        kernel.writeKernel(buffer, [UInt8](pattern))
        return UserCopyMachine(kernel: kernel, buffer: buffer, userBytes: userBytes)
    }

    private init(kernel: consuming Kernel, buffer: UInt64, userBytes: [UInt64: Data]) {
        self.kernel = kernel
        self.buffer = buffer
        self.userBytes = userBytes
    }

    /// Maps one page, and fills it unless it is to stay untouched.
    ///
    /// - Returns: what the page holds.
    private static func map(
        _ address: UInt64,
        _ kind: UserCopyTable.PageKind,
        from buffer: UInt64,
        in kernel: inout Kernel
    ) throws -> Data {
        let flags = MapFlags.private | MapFlags.anonymous | MapFlags.fixed
        let rights: MemoryRights = [.read, .write]
        let mapped = kernel.mmap(0, hint: address, length: 4_096, rights: rights, flags: flags)
        guard try mapped.get() == address else { throw Refused(page: address) }
        if kind == .untouched { return Data(count: 4_096) }
        var bytes = (0..<4_096).map { UInt8(1 + (address / 4_096 * 5 + $0) % 127) }
        // The recorder's strings end here: "hello", the empty one, 20 and 200 characters, a far one.
        if kind == .strings { for end in [5, 10, 120, 500, 2_000] { bytes[end] = 0 } }
        kernel.writeKernel(buffer, bytes)
        let context = CallContext()
        let copy = kernel.copyToUser(0, to: address, from: buffer, count: 4_096, in: context)
        guard copy.notCopied == 0 else { throw Refused(page: address) }
        let kept: MemoryRights? =
            switch kind {
            case .readOnly: .read
            case .none: []
            default: nil
            }
        if let kept, let errno = kernel.mprotect(0, address, 4_096, kept) { throw errno }
        return Data(bytes)
    }

    /// What the kernel buffer of a fork holds.
    func bufferBytes(in kernel: borrowing Kernel) -> Data {
        Data(kernel.kernelBytes(buffer, bufferBytes.count))
    }

    /// What every user page of a fork holds, read through its frame.
    func userBytes(in kernel: borrowing Kernel) -> [UInt64: Data] {
        var pages: [UInt64: Data] = [:]
        for address in userBytes.keys {
            if let leaf = kernel.userLeaves(0, address..<address + 4_096).found.first {
                let frame = UInt32(kernel.paging.format.storedFrame(of: leaf.entry))
                var bytes: [UInt8] = []
                kernel.readFrame(frame, offset: 0, count: 4_096, into: &bytes)
                pages[address] = Data(bytes)
            } else {
                pages[address] = Data(count: 4_096)
            }
        }
        return pages
    }

    /// What user pages hold after bytes were stored at an address; all of them fall on pages.
    func userBytes(storing bytes: Data, at address: UInt64) -> [UInt64: Data] {
        var pages = userBytes
        var done = 0
        while done < bytes.count {
            let (page, part) = place(address + UInt64(done), bytes.count - done)
            pages[page]?.replaceSubrange(part, with: bytes[done..<done + part.count])
            done += part.count
        }
        return pages
    }

    /// What user pages hold in a range of mapped addresses; shorter where a page is not mapped.
    func userBytes(_ address: UInt64, _ count: Int) -> Data {
        var bytes = Data()
        while bytes.count < count {
            let (page, part) = place(address + UInt64(bytes.count), count - bytes.count)
            guard let source = userBytes[page] else { return bytes }
            bytes += source[part]
        }
        return bytes
    }

    /// The page of an address, and the part of it that a range of `count` bytes covers.
    private func place(_ address: UInt64, _ count: Int) -> (page: UInt64, part: Range<Int>) {
        let offset = Int(address % 4_096)
        return (address - UInt64(offset), offset..<min(offset + count, 4_096))
    }
}
