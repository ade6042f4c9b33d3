/// Following which bytes of objects are written, and who uses those that are not.
extension Kernel {
    /// Objects that may be partly written at a time, where nothing else sets a limit.
    static let partlyWrittenLimit = 65_536
    /// Unwritten parts that a report lists, at most.
    private static let toldRangeLimit = 64

    /// What was done with bytes that nobody had written.
    enum UnwrittenUse {
        /// They went to user space, to this address.
        case copied(to: UInt64)
        /// Something was decided by them, in a function's code.
        case decided(by: StaticString)
    }

    /// Notes what a store does to the bytes of an object.
    mutating func noteWrite(_ address: UInt64, _ length: UInt64) {
        guard isSanitized || !written.isEmpty, length > 0, let place = slabPlace(at: address)
        else { return }
        let (end, overflow) = address.addingReportingOverflow(length)
        guard !overflow, place.isAllocated else { return }
        let begin = place.begin.rawValue
        if isSanitized, let index = sanitizedIndex(of: begin) {
            guard slab.sanitized[index].writes != .all else { return }
            if address <= begin, end >= begin &+ place.size {
                return noteWholeWritten(begin)
            }
            if slab.sanitized[index].writes == .none {
                let isKept = written.begin(begin, size: place.size)
                slab.sanitized[index].writes = isKept ? .some : .all
            }
        }
        written.write(begin, address..<end)
    }

    /// Notes that every byte of an object was written.
    mutating func noteWholeWritten(_ object: UInt64) {
        written.end(object)
        guard isSanitized, let index = sanitizedIndex(of: object) else { return }
        slab.sanitized[index].writes = .all
    }

    /// Where the sanitizer's part of the object that begins at an address is.
    func sanitizedIndex(of object: UInt64) -> Int? {
        guard let frame = frame(ofDirectMapped: object) else { return nil }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else { return nil }
        let owner = slab.slabs[Int(page.slabNumber)]
        let physical = object &- layout.pageOffset
        return slab.exactIndex(ofPhysical: physical, in: owner).map {
            Int(owner.states) &+ Int($0)
        }
    }

    /// The unwritten parts of a range that begins in an object.
    func unwritten(_ range: Range<UInt64>, of place: SlabPlace) -> [Range<UInt64>] {
        let begin = place.begin.rawValue
        if isSanitized, let index = sanitizedIndex(of: begin) {
            switch slab.sanitized[index].writes {
            case .all: return []
            case .none:
                let rest = range.clamped(to: begin..<begin &+ place.size)
                return rest.isEmpty ? [] : [rest]
            case .some: break
            }
        }
        return written.unwritten(begin, range)
    }

    /// Warns where bytes that nobody has written go to user space, or decide something.
    ///
    /// - Returns: whether there is nothing to warn of.
    @discardableResult
    mutating func checkUse(
        _ address: UInt64,
        _ length: UInt64,
        _ use: UnwrittenUse,
        in context: CallContext
    ) -> Bool {
        let parts = unwrittenParts(address, length)
        guard let first = parts.first, let last = parts.last else { return true }
        var leak = InformationLeak(
            place: place(of: address, firstUnwritten: address + first.lowerBound),
            ranges: parts.prefix(Self.toldRangeLimit).map {
                address + $0.lowerBound..<address + $0.upperBound
            }
        )
        if case .object(let object) = leak.place {
            let events = history?.events(at: object.begin.rawValue).events
            leak.previousOwner = events?.filter(\.isAllocation).dropLast().last
        }
        if isSanitized, misuse.hasRoom {
            let bytes = first.lowerBound...last.upperBound - 1
            leak.text = lines(of: leak, bytes: bytes, of: length, at: address, use, context)
            for line in leak.text { log.append(line) }
            log.taint.insert(.badPage)
            log.appendOnce("Disabling lock debugging due to kernel taint")
        }
        switch use {
        case .copied: misuse.add(.informationLeak(leak))
        case .decided: misuse.add(.uninitializedValue(leak))
        }
        return false
    }

    /// Where an access begins in an object, or where its first unwritten byte lies in pages.
    private mutating func place(
        of access: UInt64,
        firstUnwritten address: UInt64
    ) -> MemoryPlace {
        if let object = slabPlace(at: access) { return .object(object) }
        let unmapped = PagePlace(address: LinearAddress(rawValue: address), use: .unmapped)
        guard let frame = followedFrame(address) else { return .page(unmapped) }
        var place = pagePlace(at: layout.virtual(frame) &+ address % 4096) ?? unmapped
        place.address = LinearAddress(rawValue: address)
        return .page(place)
    }

    /// The report of a kernel with KMSAN: `kmsan_report()`, `mm/kmsan/report.c`, 6.1.
    ///
    /// - Parameters:
    ///   - leak: whose bytes they are.
    ///   - bytes: the first and the last unwritten one, from the access's start.
    ///   - length: of the access.
    ///   - address: of the access.
    ///   - use: what was done.
    ///   - context: of the caller.
    /// - Returns: for dmesg.
    private func lines(
        of leak: InformationLeak,
        bytes: ClosedRange<UInt64>,
        of length: UInt64,
        at address: UInt64,
        _ use: UnwrittenUse,
        _ context: CallContext
    ) -> [String] {
        let line = String(repeating: "=", count: 53)
        let (bug, function) =
            switch use {
            case .copied: ("kernel-infoleak", "_copy_to_user")
            case .decided(let code): ("uninit-value", "\(code)")
            }
        var lines = [line, "BUG: KMSAN: \(bug) in \(symbol(function))", " \(symbol(function))"]
        lines += [" call_\(sequence)", "", "Uninit was created at:"]
        lines += leak.place.call.map { stackLines(ofCall: $0) } ?? []
        let isOne = bytes.lowerBound == bytes.upperBound
        lines += [
            "",
            isOne
                ? "Byte \(bytes.lowerBound) of \(length) is uninitialized"
                : "Bytes \(bytes.lowerBound)-\(bytes.upperBound) of \(length) are uninitialized",
            "Memory access of size \(length) starts at \(pointer(address))",
        ]
        if case .copied(let target) = use {
            lines.append("Data copied to user address \(pointer(target))")
        }
        return lines + ["", processLine(context), line]
    }
}
