/// The bytes at an address, and the parts of the range that no memory is behind.
public struct MemoryView: Hashable, Sendable {
    /// Bytes that could be read, from one address on.
    public struct Piece: Hashable, Sendable {
        public var address: LinearAddress
        public var bytes: [UInt8]
    }

    /// A part of the range that could not be read.
    public struct Gap: Hashable, Sendable {
        public enum Reason: String, Hashable, Sendable {
            case notMapped = "not_mapped"
            /// A user area with `PROT_NONE`.
            case noAccess = "no_access"
            /// No address of the architecture: bits 48 to 63 differ.
            case nonCanonical = "non_canonical"
        }

        public var address: LinearAddress
        /// Bytes.
        public var length: UInt64
        public var reason: Reason
    }

    /// Ascending; neighbours are joined.
    public internal(set) var pieces: [Piece] = []
    public internal(set) var gaps: [Gap] = []

    mutating func append(_ address: UInt64, _ bytes: [UInt8]) {
        if let last = pieces.last, last.address.rawValue &+ UInt64(last.bytes.count) == address {
            pieces[pieces.count - 1].bytes += bytes
        } else {
            pieces.append(Piece(address: LinearAddress(rawValue: address), bytes: bytes))
        }
    }

    mutating func append(_ address: UInt64, _ length: UInt64, missing reason: Gap.Reason) {
        if let last = gaps.last, last.reason == reason,
            last.address.rawValue &+ last.length == address
        {
            gaps[gaps.count - 1].length += length
        } else {
            let place = LinearAddress(rawValue: address)
            gaps.append(Gap(address: place, length: length, reason: reason))
        }
    }
}

extension Kernel {
    /// Bytes of kernel or user memory as they stand; nothing is faulted in.
    ///
    /// A user page that nobody has touched reads as zeros, as a load of it would.
    ///
    /// - Parameters:
    ///   - address: where to begin.
    ///   - length: bytes; the range is cut at the end of the address space.
    ///   - pid: whose user space is meant.
    /// - Returns: what is there and what is not.
    public func memoryView(at address: LinearAddress, length: Int, pid: Int) -> MemoryView {
        var view = MemoryView()
        var place = address.rawValue
        // The last byte of the address space is never mapped: leaving it out keeps sums in range.
        var rest = min(UInt64(max(length, 0)), UInt64.max - place)
        let boot = bootTables()
        while rest > 0 {
            let offset = place % 4096
            let count = min(rest, 4096 - offset)
            switch page(at: place, pid: pid, boot) {
            case .success(let pfn):
                var bytes: [UInt8] = []
                if let pfn {
                    readFrame(pfn, offset: Int(offset), count: Int(count), into: &bytes)
                } else {
                    bytes = [UInt8](repeating: 0, count: Int(count))
                }
                view.append(place, bytes)
            case .failure(let missing): view.append(place, count, missing: missing.reason)
            }
            place += count
            rest -= count
        }
        return view
    }

    private struct Missing: Error { let reason: MemoryView.Gap.Reason }

    /// The frame behind an address as the page tables have it; nil for a user page that nobody has
    /// touched, and for the zero page where it is no memory.
    private func page(
        at address: UInt64,
        pid: Int,
        _ boot: BootTables
    ) -> Result<UInt32?, Missing> {
        guard paging.format.isCanonical(address) else {
            return .failure(Missing(reason: .nonCanonical))
        }
        let process = process(pid)
        let walk = walk(address, root: root(of: process ?? 0, boot), boot)
        if address < userEnd {
            guard let process, let area = processes[process].space.area(at: address) else {
                return .failure(Missing(reason: .notMapped))
            }
            if area.rights.isEmpty { return .failure(Missing(reason: .noAccess)) }
            return .success(walk.end == .mapped ? memoryFrame(walk.frame) : nil)
        }
        guard walk.end == .mapped, isMemory(walk.frame), let frame = memoryFrame(walk.frame) else {
            return .failure(Missing(reason: .notMapped))
        }
        return .success(frame)
    }
}
