/// Who had a page last: `struct page_owner`, `mm/page_owner.c`, 6.1.
///
/// Zero bytes are a page that nobody was ever seen to allocate. Calls and functions stand where the
/// kernel keeps stacks.
struct PageOwner: ColumnElement, Hashable {
    /// Time since boot, in nanoseconds: `ts_nsec` and `free_ts_nsec`.
    private(set) var allocatedAt: UInt64 = 0
    /// Of the last free of the page; while the page is allocated, of an earlier owner's.
    private(set) var freedAt: UInt64 = 0
    private(set) var command = CommandName()
    /// Low halves of the numbers of calls; 0 for the boot.
    private(set) var allocatingCall: UInt32 = 0
    private(set) var freeingCall: UInt32 = 0
    /// `gfp_mask`, in the engine's bits.
    private var mask: UInt32 = 0
    private(set) var pid: Int32 = 0
    /// Places in the registry of calls, one up; 0 for the boot.
    private var allocatingPlace: UInt16 = 0
    private var freeingPlace: UInt16 = 0
    private var storedOrder: UInt8 = 0
    private var state: UInt8 = 0
    private var unused: UInt16 = 0
    /// Owners that the page had before this one.
    var earlierCount: UInt32 = 0

    /// `PAGE_EXT_OWNER`.
    private static let known: UInt8 = 1
    /// `PAGE_EXT_OWNER_ALLOCATED`.
    private static let allocated: UInt8 = 2
    private static let freed: UInt8 = 4
    private static let migrated: UInt8 = 8

    init() {}

    init(order: Int, _ flags: GFPFlags, by caller: Caller) {
        storedOrder = UInt8(truncatingIfNeeded: order)
        mask = flags.rawValue
        pid = caller.pid
        command = caller.command
        allocatingCall = caller.call
        allocatingPlace = caller.place
        allocatedAt = caller.now
        state = Self.known | Self.allocated
    }

    /// Whether anybody was seen to allocate the page.
    var isKnown: Bool { state & Self.known != 0 }
    var isAllocated: Bool { state & Self.allocated != 0 }
    /// Whether a free of the page was seen since boot: `free_handle`.
    var hasFree: Bool { state & Self.freed != 0 }
    /// Whether compaction has moved what is in the page here: `last_migrate_reason`.
    var isMigrated: Bool { state & Self.migrated != 0 }
    var flags: GFPFlags { GFPFlags(rawValue: mask) }
    /// Of the block that was allocated; 0 after `split_page()`.
    var order: Int { Int(storedOrder) }
    var allocatingFunction: String? { Self.function(allocatingPlace) }
    var freeingFunction: String? { Self.function(freeingPlace) }

    /// The page is given back: `__reset_page_owner()`.
    mutating func free(by caller: Caller) {
        state = state & ~Self.allocated | Self.freed
        freedAt = caller.now
        freeingCall = caller.call
        freeingPlace = caller.place
    }

    /// Who freed the page last stays known while somebody else has it.
    mutating func keepFree(of old: PageOwner) {
        state |= old.state & Self.freed
        freedAt = old.freedAt
        freeingCall = old.freeingCall
        freeingPlace = old.freeingPlace
    }

    /// The page heads no larger block any more: `__split_page_owner()`.
    mutating func split() { storedOrder = 0 }

    /// What was in another page is here now: `__folio_copy_owner()` and
    /// `__set_page_owner_migrate_reason()`.
    ///
    /// 6.1 puts the time of the allocation where that of a free would be.
    mutating func move(from old: PageOwner) {
        var moved = old
        moved.keepFree(of: self)
        moved.state = state & Self.freed | Self.known | Self.allocated | Self.migrated
        moved.freedAt = old.allocatedAt
        moved.earlierCount = earlierCount
        self = moved
    }

    private static func function(_ place: UInt16) -> String? {
        let index = Int(place) - 1
        return CallRegistry.all.indices.contains(index)
            ? CallRegistry.all[index].signature.name : nil
    }

    /// Who runs: what an allocation or a free notes.
    struct Caller: Hashable {
        var call: UInt32 = 0
        /// In the registry of calls, one up; 0 for the boot.
        var place: UInt16 = 0
        var pid: Int32 = 0
        var command = CommandName()
        /// Time since boot, in nanoseconds.
        var now: UInt64 = 0
    }
}

/// The name of a task in 16 bytes: `comm`.
struct CommandName: BitwiseCopyable, Hashable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init() {}

    /// Keeps the first 15 bytes.
    init(_ name: String) {
        for (place, byte) in name.utf8.prefix(15).enumerated() {
            let shift = UInt64(place % 8 * 8)
            if place < 8 { low |= UInt64(byte) << shift } else { high |= UInt64(byte) << shift }
        }
    }

    var text: String {
        let bytes = (0..<16).map { place in
            UInt8(truncatingIfNeeded: (place < 8 ? low : high) >> UInt64(place % 8 * 8))
        }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
