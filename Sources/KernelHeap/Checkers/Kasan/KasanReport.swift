/// A report of the address sanitizer, as the kernel prints it and as facts.
public struct KasanReport: Hashable, Sendable {
    /// The kernel's name of the bug.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case slabOutOfBounds = "slab-out-of-bounds"
        case vmallocOutOfBounds = "vmalloc-out-of-bounds"
        case useAfterFree = "use-after-free"
        case doubleFree = "double-free"
        case invalidFree = "invalid-free"
        case nullDereference = "null-ptr-deref"
        case userAccess = "user-memory-access"
        case wildAccess = "wild-memory-access"
        /// The range wraps around the end of the address space.
        case outOfBounds = "out-of-bounds"
    }

    public enum Access: String, Hashable, Sendable {
        case read, write, free
    }

    /// A row of shadow: sixteen bytes that describe 128 bytes of memory.
    public struct ShadowRow: Hashable, Sendable {
        /// Of the memory.
        public var address: LinearAddress
        public var bytes: [UInt8]
    }

    public var kind: Kind
    public var access: Access
    /// The function whose code made the access.
    public var function: String
    public var address: LinearAddress
    /// Bytes; 0 for a free.
    public var length: UInt64
    /// The first byte that may not be touched.
    public var firstBad: LinearAddress
    /// The object at the address, or the one nearest to it; nil outside slabs.
    public var place: SlabPlace?
    /// The block of pages at the address; nil in slabs.
    public var page: PagePlace?
    /// What the owner may touch, or could while there was one; nil where nobody knows.
    public var region: Range<UInt64>?
    public var allocation: MemoryTrack?
    public var release: MemoryTrack?
    /// The row of the bad byte, and two on either side; empty where no memory has a shadow.
    public var shadow: [ShadowRow] = []
    /// Where `bytes` begin.
    public var bytesAddress: LinearAddress
    /// What memory holds around the bad byte, as far as it can be read.
    public var bytes: [UInt8] = []
    /// Allocations and frees of the place, oldest first.
    public var biography: [ObjectEvent] = []
    /// The lines of dmesg.
    public var text: [String] = []
}

extension KasanReport {
    /// The stable name of the misuse.
    var name: String {
        switch kind {
        case .slabOutOfBounds, .vmallocOutOfBounds, .outOfBounds: "out_of_bounds"
        case .useAfterFree: "use_after_free"
        case .doubleFree: "double_free"
        case .invalidFree: "invalid_free"
        case .nullDereference, .userAccess, .wildAccess: "wild_access"
        }
    }

    /// The calls that allocated and freed the memory.
    var calls: [UInt64] { [allocation, release].compactMap { $0?.call } }

    var sentence: String {
        let what =
            access == .free
            ? "KASAN: \(kind.rawValue) of \(hexadecimal(address.rawValue)) by \(function)"
            : "KASAN: \(kind.rawValue): \(function) \(access == .read ? "loads" : "stores") "
                + "\(length) bytes at \(hexadecimal(address.rawValue)), and may not touch "
                + hexadecimal(firstBad.rawValue)
        let owners = [
            allocation.map { "call \($0.call) allocated the memory" },
            release.map { "call \($0.call) freed it" },
        ]
        return ([what] + owners.compactMap(\.self)).joined(separator: "; ") + "."
    }

    var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)), Fact("length", .count(length)),
            Fact("access", .text(access.rawValue)),
            Fact("place", place.map { .facts($0.facts) } ?? page.map { .facts($0.facts) } ?? .null),
            Fact("kasan", .facts(details)),
        ]
    }

    private var details: [Fact] {
        [
            Fact("bug", .text(kind.rawValue)), Fact("function", .text(function)),
            Fact("first_bad", .address(firstBad.rawValue)),
            Fact(
                "region",
                region.map { region in
                    .facts([
                        Fact("address", .address(region.lowerBound)),
                        Fact("length", .count(region.upperBound - region.lowerBound)),
                    ])
                } ?? .null
            ), Fact("allocated", allocation.map { .facts($0.facts) } ?? .null),
            Fact("freed", release.map { .facts($0.facts) } ?? .null),
            Fact(
                "shadow",
                .list(
                    shadow.map { row in
                        .facts([
                            Fact("address", .address(row.address.rawValue)),
                            Fact("bytes", .bytes(row.bytes)),
                        ])
                    }
                )
            ),
            Fact(
                "memory",
                .facts([
                    Fact("address", .address(bytesAddress.rawValue)), Fact("bytes", .bytes(bytes)),
                ])
            ), Fact("biography", .list(biography.map { .facts($0.biographyFacts) })),
        ]
    }
}

extension MemoryTrack {
    fileprivate var facts: [Fact] {
        [
            Fact("call", .count(call)), Fact("cpu", .number(Int64(cpu))),
            Fact("pid", .number(Int64(pid))),
        ]
    }
}

extension ObjectEvent {
    fileprivate var biographyFacts: [Fact] {
        [
            Fact("call", .count(call)), Fact("event", .text(isAllocation ? "allocated" : "freed")),
            Fact("requested", requested.map { .number(Int64($0)) } ?? .null),
            Fact("cpu", cpu.map { .number(Int64($0)) } ?? .null),
            Fact("pid", pid.map { .number(Int64($0)) } ?? .null),
        ]
    }
}
