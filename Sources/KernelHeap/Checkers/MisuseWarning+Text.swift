/// What JSON and people see of a warning.
extension MisuseWarning {
    /// The stable name of the misuse.
    public var name: String {
        switch self {
        case .doubleFree: "double_free"
        case .invalidFree: "invalid_free"
        case .wrongMemory: "wrong_memory"
        case .wrongPageFree(_, .isFree): "double_free"
        case .wrongPageFree(_, .isInside): "invalid_free"
        case .wrongPageFree(_, .order): "wrong_order"
        case .wrongCache: "wrong_cache"
        case .strayAllocation: "stray_allocation"
        case .sharedObject: "shared_object"
        case .useAfterFree, .freePages: "use_after_free"
        case .outOfBounds: "out_of_bounds"
        case .notDirectMapped: "not_direct_mapped"
        case .wrongConversion: "wrong_conversion"
        case .doubleFetch: "double_fetch"
        case .uncheckedCopy: "unchecked_copy"
        case .informationLeak: "information_leak"
        case .uninitializedValue: "uninitialized_value"
        case .wrongContext: "wrong_context"
        case .managedMemory: "managed_memory"
        case .dmaMisuse: "dma_misuse"
        case .kasan(let report): report.name
        }
    }

    public var facts: [Fact] {
        switch self {
        case .doubleFree(let place), .invalidFree(let place), .sharedObject(let place):
            [Fact("address", .address(place.address.rawValue)), Fact("place", .facts(place.facts))]
        case .strayAllocation(let address, let cache, let place):
            [
                Fact("address", .address(address.rawValue)), Fact("cache", .text(cache)),
                Fact("place", place.map { .facts($0.facts) } ?? .null),
            ]
        case .wrongMemory(let place), .wrongPageFree(let place, .isFree),
            .wrongPageFree(let place, .isInside):
            [Fact("address", .address(place.address.rawValue)), Fact("place", .facts(place.facts))]
        case .wrongPageFree(let place, .order(let given)):
            [
                Fact("address", .address(place.address.rawValue)),
                Fact("order", .number(Int64(given))), Fact("place", .facts(place.facts)),
            ]
        case .wrongCache(let place, let given):
            [
                Fact("address", .address(place.address.rawValue)), Fact("cache", .text(given)),
                Fact("place", .facts(place.facts)),
            ]
        case .useAfterFree(let place, let access):
            access.facts(at: place.address) + [Fact("place", .facts(place.facts))]
        case .freePages(let place, let access):
            access.facts(at: place.address) + [Fact("place", .facts(place.facts))]
        case .outOfBounds(let place, let access, let overrun):
            access.facts(at: place.address) + [
                Fact("place", .facts(place.facts)),
                Fact(
                    "beyond",
                    .facts([
                        Fact("address", .address(overrun.address.rawValue)),
                        Fact("length", .count(overrun.length)),
                        Fact("objects", .count(UInt64(overrun.objects))),
                        Fact("leaves_slab", .boolean(overrun.leavesSlab)),
                        Fact("hit", overrun.hit.map { .facts($0.facts) } ?? .null),
                    ])
                ),
            ]
        case .notDirectMapped(let wrong):
            [
                Fact("address", .address(wrong.address.rawValue)),
                Fact("function", .text(wrong.function)),
                Fact("region", wrong.region.map { .text($0) } ?? .null),
                Fact("pfn", wrong.frame.map { .count($0.rawValue) } ?? .null),
                Fact("place", .null),
            ]
        case .wrongConversion(let wrong):
            [
                Fact("address", .address(wrong.value)), Fact("function", .text(wrong.function)),
                Fact("reason", .text(wrong.reason.rawValue)), Fact("place", .null),
            ]
        case .doubleFetch(let fetch): fetch.facts
        case .uncheckedCopy(let address, let length, _):
            [
                Fact("address", .address(address.rawValue)), Fact("length", .count(length)),
                Fact("place", .null),
            ]
        case .informationLeak(let leak), .uninitializedValue(let leak): leak.facts
        case .wrongContext(let wrong): wrong.facts
        case .managedMemory(let memory): memory.facts
        case .dmaMisuse(let misuse): misuse.facts
        case .kasan(let report): report.facts
        }
    }

    /// The calls that the objects concerned were last allocated or freed by, each once.
    public var calls: [UInt64] {
        let places: [SlabPlace?] =
            switch self {
            case .doubleFree(let place), .invalidFree(let place), .sharedObject(let place),
                .wrongCache(let place, _), .useAfterFree(let place, _):
                [place]
            case .strayAllocation(_, _, let place): [place]
            case .outOfBounds(let place, _, let overrun): [place, overrun.hit]
            case .wrongMemory, .wrongPageFree, .freePages, .notDirectMapped, .wrongConversion,
                .doubleFetch,
                .uncheckedCopy, .wrongContext, .managedMemory, .dmaMisuse, .kasan, .informationLeak,
                .uninitializedValue:
                []
            }
        switch self {
        case .wrongMemory(let place), .wrongPageFree(let place, _), .freePages(let place, _):
            return place.call.map { [$0] } ?? []
        case .informationLeak(let leak), .uninitializedValue(let leak):
            return leak.place.call.map { [$0] } ?? []
        default: break
        }
        if case .doubleFetch(let fetch) = self { return [fetch.firstCall] }
        if case .uncheckedCopy(_, _, let call) = self { return [call] }
        if case .wrongContext(let wrong) = self { return wrong.locks.map(\.call) }
        if case .managedMemory(let memory) = self { return memory.call.map { [$0] } ?? [] }
        if case .dmaMisuse(let misuse) = self { return misuse.call.map { [$0] } ?? [] }
        if case .kasan(let report) = self { return report.calls }
        var calls: [UInt64] = []
        for case let call? in places.map({ $0?.call }) where !calls.contains(call) {
            calls.append(call)
        }
        return calls
    }

    /// The warning in one sentence.
    public var sentence: String {
        switch self {
        case .doubleFree(let place):
            "\(place.phrase) is free already: \(place.history); its freelist now holds it twice."
        case .invalidFree(let place):
            "No object begins there: \(place.position). The address is linked into the freelist."
        case .wrongMemory(let place): "What was freed is no object of a slab: \(place.phrase)."
        case .wrongPageFree(let place, .isFree):
            "\(place.phrase) was freed again: its reference count falls below zero, which nobody "
                + "sees before it leaves its list."
        case .wrongPageFree(let place, .isInside):
            "\(place.phrase) was freed, which is not the first page of its block: it loses a "
                + "reference, and nothing goes back."
        case .wrongPageFree(let place, .order(let given)):
            "\(place.phrase) was freed as a block of order \(given), and has order "
                + "\(place.order ?? 0): "
                + (given < place.order ?? 0
                    ? "its other pages are nobody's from now on, and never come back."
                    : "the kernel reports the pages behind it, and keeps the block.")
        case .wrongCache(let place, let given):
            "\(place.phrase) was freed to \(CacheName.escaped(given)); it goes back to its own cache."
        case .strayAllocation(_, let cache, let place):
            "A broken freelist of \(cache) led to an address at which no object of it begins: "
                + (place?.position ?? "no slab is there") + "."
        case .sharedObject(let place):
            "\(place.phrase) has two owners now: \(place.history), and it was never freed since."
        case .useAfterFree(let place, let access):
            "\(access.phrase) touch \(place.phrase), which is free: \(place.history)."
        case .freePages(let place, let access): "\(access.phrase) touch \(place.phrase)."
        case .outOfBounds(let place, let access, let overrun):
            place.region == .object
                ? "\(access.phrase) go \(overrun.length) bytes beyond \(place.phrase), which has"
                    + " \(place.size): \(overrun.phrase)."
                : "\(access.phrase) begin in no object: \(place.position)."
        case .notDirectMapped(let wrong): wrong.sentence
        case .wrongConversion(let wrong): wrong.sentence
        case .doubleFetch(let fetch):
            "Another thread changed \(fetch.after.count) bytes between two fetches: what call "
                + "\(fetch.firstCall) checked is not what this one uses."
        case .uncheckedCopy(_, let length, let call):
            "\(length) bytes that call \(call) did not copy are used, and nobody has looked at its "
                + "result."
        case .informationLeak(let leak):
            "\(leak.count) bytes of \(leak.place.phrase) went to user space that nobody has written "
                + "since \(leak.place.history): \(leak.origin)."
        case .uninitializedValue(let leak):
            "\(leak.count) bytes of \(leak.place.phrase) decide something, and nobody has written "
                + "them since \(leak.place.history): \(leak.origin)."
        case .wrongContext(let wrong): wrong.sentence
        case .managedMemory(let memory): memory.sentence
        case .dmaMisuse(let misuse): misuse.text
        case .kasan(let report): report.sentence
        }
    }
}

extension WrongAddress {
    fileprivate var sentence: String {
        let place = region.map { "this address lies in the region \"\($0)\"" }
        let page =
            frame.map { "the page behind it is PFN \($0.rawValue)" } ?? "no page is behind it"
        return "\(function) only does the direct map's arithmetic; "
            + (place.map { "\($0), and \(page)." } ?? "this is no address of the machine.")
    }
}

extension WrongConversion {
    fileprivate var sentence: String {
        switch reason {
        case .highMemory:
            "\(function) gives an address at which the page is not mapped: high memory has none."
        case .noMemory: "\(function) was given what no memory of this machine is behind."
        case .noDescriptor: "\(function) was given a number that is no page descriptor's address."
        }
    }
}

extension DoubleFetch {
    fileprivate var facts: [Fact] {
        [
            Fact("address", .address(address.rawValue)),
            Fact("length", .count(UInt64(after.count))),
            Fact("before", .bytes(Array(before.prefix(16)))),
            Fact("after", .bytes(Array(after.prefix(16)))), Fact("place", .null),
        ]
    }
}

extension InformationLeak {
    fileprivate var count: UInt64 { ranges.reduce(0) { $0 &+ UInt64($1.count) } }

    fileprivate var origin: String {
        guard case .object = place else { return "they are what the pages held before" }
        guard let owner = previousOwner else { return "they are what the page held before" }
        return "the owner that call \(owner.call) gave it to left them"
    }

    fileprivate var facts: [Fact] {
        [
            Fact("address", .address(ranges.first?.lowerBound ?? 0)), Fact("length", .count(count)),
            Fact(
                "ranges",
                .list(
                    ranges.map { range in
                        .facts([
                            Fact("address", .address(range.lowerBound)),
                            Fact("length", .count(UInt64(range.count))),
                        ])
                    }
                )
            ),
            Fact("left_by", previousOwner.map { .facts($0.ownerFacts) } ?? .null),
            Fact("place", .facts(place.facts)),
        ]
    }
}

extension ObjectEvent {
    fileprivate var ownerFacts: [Fact] {
        [
            Fact("call", .count(call)), Fact("pid", pid.map { .number(Int64($0)) } ?? .null),
            Fact("requested", requested.map { .number(Int64($0)) } ?? .null),
        ]
    }
}

extension MemoryAccess {
    fileprivate func facts(at address: LinearAddress) -> [Fact] {
        [
            Fact("address", .address(address.rawValue)), Fact("length", .count(length)),
            Fact("access", .text(isWrite ? "write" : "read")),
        ]
    }

    fileprivate var phrase: String { "\(length) bytes \(isWrite ? "stored" : "loaded")" }
}

extension Overrun {
    fileprivate var phrase: String {
        guard let hit else { return leavesSlab ? "they leave the slab" : "into padding" }
        return "into \(hit.phrase), \(hit.isAllocated ? "in use" : "free"), \(hit.history)"
    }
}

extension MemoryPlace {
    fileprivate var facts: [Fact] {
        switch self {
        case .object(let place): place.facts
        case .page(let place): place.facts
        }
    }

    fileprivate var phrase: String {
        switch self {
        case .object(let place): place.phrase
        case .page(let place): place.phrase
        }
    }

    fileprivate var history: String {
        switch self {
        case .object(let place): place.history
        case .page: "its allocation"
        }
    }
}

extension SlabPlace {
    /// The place for JSON.
    public var facts: [Fact] {
        [
            Fact("cache", .text(cache)), Fact("slab", .count(slab.rawValue)),
            Fact("region", .text(region.rawValue)),
            Fact("index", index.map { .count(UInt64($0)) } ?? .null),
            Fact("object", index == nil ? .null : .address(begin.rawValue)),
            Fact("offset", .number(offset)), Fact("size", .count(size)),
            Fact("state", index == nil ? .null : .text(isAllocated ? "allocated" : "free")),
            Fact("requested", requested.map { .count($0) } ?? .null),
            Fact("call", call.map { .count($0) } ?? .null),
            Fact("function", function.map { .text($0) } ?? .null),
        ]
    }

    /// `object 3 of kmalloc-64 (slab at PFN 4096)`.
    fileprivate var phrase: String {
        guard let index else { return "the tail of a slab of \(shownCache)" }
        return "object \(index) of \(shownCache) (slab at PFN \(slab.rawValue))"
    }

    fileprivate var position: String {
        switch region {
        case .object: "byte \(offset) of \(phrase)"
        case .padding: "padding beside \(phrase)"
        case .tail: phrase
        }
    }

    fileprivate var history: String {
        guard let call else { return "no call has used it" }
        let name = function.map { ", \($0)," } ?? ""
        return "call \(call)\(name) \(isAllocated ? "allocated" : "freed") it"
    }

    private var shownCache: String { CacheName.escaped(cache) }
}

extension PagePlace {
    var facts: [Fact] {
        [
            Fact("region", .text(use.rawValue)),
            Fact("pfn", block.map { .count($0.rawValue) } ?? .null),
            Fact("order", order.map { .number(Int64($0)) } ?? .null),
            Fact("offset", offset.map { .count($0) } ?? .null),
            Fact("call", call.map { .count($0) } ?? .null),
            Fact("function", function.map { .text($0) } ?? .null),
        ]
    }

    fileprivate var phrase: String {
        let maker = call.map { " of \(function ?? "a call"), call \($0)" } ?? ""
        return switch use {
        case .unmapped: "no memory is mapped there"
        case .highMap: "an address that shows high memory for a while"
        case .reserved: "a page kept at boot"
        case .free: "a free page"
        case .pages: "a page of the page allocator\(maker)"
        case .compound: "byte \(offset ?? 0) of a compound block of order \(order ?? 0)\(maker)"
        }
    }
}

extension FactValue {
    /// A count; beyond 2^63 the largest number there is.
    static func count(_ count: UInt64) -> FactValue { .number(Int64(clamping: count)) }
}
