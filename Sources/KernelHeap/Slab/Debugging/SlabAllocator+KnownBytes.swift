/// The marks of checked slabs, which are known without being stored.
///
///     intact    marks made up from the objects' states when somebody loads them; a check would
///        |      find nothing, so none is made
///        | a store that reaches a mark, a free of what is no allocated object
///        v
///     spelled   every mark stands in its bytes, and every check reads them, until the slab goes
///
/// The bytes of an allocated object are its owner's: storing there changes no mark. Its first store
/// only puts the poison there that the rest of the object still shows.
extension SlabAllocator {
    /// Where the parts of a cache's slots lie.
    func checkedLayout(ofCache cache: Int) -> CheckedLayout {
        CheckedLayout(catalog.geometries[cache], wordBytes: pointers.wordBytes)
    }

    /// Bytes of a slab, with their distance from its start.
    private struct KnownPart {
        var place: UInt64
        var bytes: [UInt8]

        init(_ place: UInt64, _ bytes: [UInt8]) {
            self.place = place
            self.bytes = bytes
        }

        init(_ place: UInt64, count: UInt64, of value: UInt8) {
            self.init(place, [UInt8](repeating: value, count: Int(count)))
        }
    }

    /// What is known of an object's slot.
    private func knownParts(
        of index: Int,
        in slab: Slab,
        _ layout: CheckedLayout
    ) -> [KnownPart] {
        let begin = caches[Int(slab.cache)].begin(of: index)
        let state = states[Int(slab.states) + index]
        let isPoisoned = layout.flags.contains(.poison)
        let behind = begin + layout.objectSize
        let rest = layout.inuse - layout.objectSize
        var parts: [KnownPart] = []
        if layout.flags.contains(.redZone) {
            let mark = state.isAllocated ? SlabPoison.active : SlabPoison.inactive
            let left = begin - layout.redLeftPad
            parts.append(KnownPart(left, count: layout.redLeftPad, of: mark))
            parts.append(KnownPart(behind, count: rest, of: mark))
        } else if isPoisoned {
            parts.append(KnownPart(behind, count: rest, of: SlabPoison.inUse))
        }
        if layout.flags.contains(.objectPoison), !state.isWritten {
            parts.append(KnownPart(begin, count: layout.objectSize - 1, of: SlabPoison.free))
            parts.append(KnownPart(behind - 1, count: 1, of: SlabPoison.end))
        }
        if layout.isPointerOutside || !state.isWritten {
            let stored = storedPointer(of: index, in: slab)
            let bytes = stored.littleEndianBytes(count: pointers.wordBytes)
            parts.append(KnownPart(begin + layout.pointer, bytes))
        }
        if layout.flags.contains(.storeUser) {
            parts += knownNotes(Int(slab.states) + index, begin, layout)
        }
        if isPoisoned {
            let count = layout.end - layout.padding
            parts.append(KnownPart(begin + layout.padding, count: count, of: SlabPoison.inUse))
        }
        return parts
    }

    private func knownNotes(
        _ state: Int,
        _ begin: UInt64,
        _ layout: CheckedLayout
    ) -> [KnownPart] {
        let nobody = [UInt8](repeating: 0, count: Int(layout.trackBytes))
        let notes = notes[state]
        let tracks = begin + layout.tracks
        var parts = [
            KnownPart(tracks, notes.allocation?.stored(count: layout.trackBytes) ?? nobody),
            KnownPart(
                tracks + layout.trackBytes,
                notes.free?.stored(count: layout.trackBytes) ?? nobody
            ),
        ]
        guard let place = layout.requested else { return parts }
        if let requested = notes.requested {
            parts.append(KnownPart(begin + place, requested.littleEndianBytes))
        } else if layout.flags.contains(.poison) {
            parts.append(KnownPart(begin + place, count: 4, of: SlabPoison.inUse))
        }
        return parts
    }

    /// What lies behind the last slot.
    private func knownTail(of slab: Slab, _ layout: CheckedLayout) -> KnownPart? {
        guard layout.flags.contains(.poison) else { return nil }
        let length = UInt64(4_096) << UInt64(slab.order)
        let rest = length % UInt64(caches[Int(slab.cache)].size)
        return rest == 0 ? nil : KnownPart(length - rest, count: rest, of: SlabPoison.inUse)
    }

    /// Puts what is known over bytes that were read from a slab's frame.
    ///
    /// - Parameters:
    ///   - bytes: the frame's bytes; the range's are the last ones.
    ///   - number: the slab.
    ///   - range: what was read, in bytes from the slab's start.
    func addKnownBytes(to bytes: inout [UInt8], slab number: UInt32, _ range: Range<UInt64>) {
        let slab = slabs[Int(number)]
        guard !slab.hasByteLists else { return }
        let layout = checkedLayout(ofCache: Int(slab.cache))
        let shape = caches[Int(slab.cache)]
        let first = bytes.count - range.count
        func add(_ part: KnownPart) {
            for (offset, byte) in part.bytes.enumerated() {
                let place = part.place + UInt64(offset)
                if range.contains(place) { bytes[first + Int(place - range.lowerBound)] = byte }
            }
        }
        var index = Int(shape.slot(of: range.lowerBound))
        while index < Int(slab.objects), UInt64(index) * UInt64(shape.size) < range.upperBound {
            for part in knownParts(of: index, in: slab, layout) { add(part) }
            index += 1
        }
        if let tail = knownTail(of: slab, layout) { add(tail) }
    }

    /// Prepares a store into a checked slab.
    ///
    /// - Parameters:
    ///   - number: the slab.
    ///   - range: what will be stored to, in bytes from the slab's start.
    ///   - pages: the frames.
    mutating func willWriteChecked(
        _ number: UInt32,
        _ range: Range<UInt64>,
        pages: inout PageAllocator
    ) {
        let slab = slabs[Int(number)]
        guard !slab.hasByteLists else { return }
        let shape = caches[Int(slab.cache)]
        let index = Int(shape.slot(of: range.lowerBound))
        let begin = shape.begin(of: index)
        let body = begin..<begin + UInt64(shape.objectSize)
        guard index < Int(slab.objects), body.contains(range.lowerBound),
            range.upperBound <= body.upperBound
        else { return spellOutMarks(of: number, pages: &pages) }
        let layout = checkedLayout(ofCache: Int(slab.cache))
        let isPoisoned = layout.flags.contains(.objectPoison)
        guard isPoisoned || !layout.isPointerOutside else { return }
        let state = Int(slab.states) + index
        guard states[state].isAllocated else { return spellOutMarks(of: number, pages: &pages) }
        guard !states[state].isWritten else { return }
        if range != body { spellOutBody(of: index, in: slab, isPoisoned, pages: &pages) }
        states[state].isWritten = true
    }

    private mutating func spellOutBody(
        of index: Int,
        in slab: Slab,
        _ isPoisoned: Bool,
        pages: inout PageAllocator
    ) {
        let shape = caches[Int(slab.cache)]
        let begin = shape.begin(of: index)
        if isPoisoned {
            let count = UInt64(shape.objectSize)
            let end = [SlabPoison.end]
            fill(begin, count: count - 1, with: SlabPoison.free, of: slab, pages: &pages)
            store(KnownPart(begin + count - 1, end), of: slab, pages: &pages)
        } else {
            let stored = storedPointer(of: index, in: slab)
            let bytes = stored.littleEndianBytes(count: pointers.wordBytes)
            let part = KnownPart(shape.pointer(of: index), bytes)
            store(part, of: slab, pages: &pages)
        }
    }

    /// From now on every mark of a slab stands in its bytes, and is read there.
    mutating func spellOutMarks(of number: UInt32, pages: inout PageAllocator) {
        let slab = slabs[Int(number)]
        guard !slab.hasByteLists else { return }
        let layout = checkedLayout(ofCache: Int(slab.cache))
        for index in 0..<Int(slab.objects) {
            for part in knownParts(of: index, in: slab, layout) {
                store(part, of: slab, pages: &pages)
            }
            states[Int(slab.states) + index].isWritten = true
        }
        if let tail = knownTail(of: slab, layout) { store(tail, of: slab, pages: &pages) }
        slabs[Int(number)].hasByteLists = true
    }

    private func store(_ part: KnownPart, of slab: Slab, pages: inout PageAllocator) {
        var rest = part.bytes[...]
        var place = UInt64(slab.pfn) << 12 + part.place
        while !rest.isEmpty {
            let offset = Int(place % 4_096)
            let piece = rest.prefix(4_096 - offset)
            let frame = UInt32(truncatingIfNeeded: place >> 12)
            pages.contents.write(frame, offset: offset, piece)
            place += UInt64(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    /// Fills bytes of a slab, whatever is known of them.
    func fill(
        _ start: UInt64,
        count: UInt64,
        with value: UInt8,
        of slab: Slab,
        pages: inout PageAllocator
    ) {
        var place = UInt64(slab.pfn) << 12 + start
        let end = place + count
        while place < end {
            let offset = place % 4_096
            let length = min(end - place, 4_096 - offset)
            let frame = UInt32(truncatingIfNeeded: place >> 12)
            pages.contents.fill(frame, offset: Int(offset), count: Int(length), with: value)
            place += length
        }
    }
}
