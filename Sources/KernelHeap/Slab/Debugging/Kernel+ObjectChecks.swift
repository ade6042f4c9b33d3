/// The checks of `slub_debug`: what is found is reported, then repaired where that is possible.
///
/// The order of the checks decides which report appears; it follows `mm/slub.c`, 6.1, and the
/// recordings `texts/bad-slab-debug`.
extension Kernel {
    /// `alloc_consistency_checks()`: whether the head of a freelist may be handed out.
    mutating func canBeAllocated(
        _ address: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        in context: CallContext
    ) -> Bool {
        checkSlab(number, layout, in: context)
        guard isObject(address, number) else {
            reportObject(address, number, layout, "Freelist Pointer check fails", in: context)
            return false
        }
        return check(address, number, layout, mark: SlabPoison.inactive, in: context)
    }

    /// `free_consistency_checks()`: whether an address may be freed into a slab.
    mutating func canBeFreed(
        _ address: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        in context: CallContext
    ) -> Bool {
        checkSlab(number, layout, in: context)
        guard slab.slabs[Int(number)].inuse > 0 else {
            let text = "Slab has 0 allocated objects but 1 are to be freed\n"
            reportSlab(number, text, in: context)
            return false
        }
        guard isObject(address, number) else {
            reportSlab(number, "Invalid object pointer 0x\(pointer(address))", in: context)
            return false
        }
        guard !isOnFreelist(address, number, layout, in: context) else {
            reportObject(address, number, layout, "Object already free", in: context)
            return false
        }
        return check(address, number, layout, mark: SlabPoison.active, in: context)
    }

    /// Whether an address begins an object of the slab; the end of a list counts as one:
    /// `check_valid_pointer()`.
    private func isObject(_ address: UInt64, _ number: UInt32) -> Bool {
        guard address != 0 else { return true }
        let physical = address &- pages.layout.pageOffset
        return slab.exactIndex(ofPhysical: physical, in: slab.slabs[Int(number)]) != nil
    }

    /// `check_slab()`: what lies behind the last object.
    private mutating func checkSlab(
        _ number: UInt32,
        _ layout: CheckedLayout,
        in context: CallContext
    ) {
        guard layout.flags.contains(.poison) else { return }
        let owner = slab.slabs[Int(number)]
        let start = pages.layout.virtual(owner.pfn)
        let length = UInt64(4_096) << UInt64(owner.order)
        let rest = length % UInt64(slab.caches[Int(owner.cache)].size)
        let place = start + length - rest
        guard let wrong = range(ofOthersThan: SlabPoison.inUse, place, rest) else { return }
        let (first, last) = (pointer(wrong.lowerBound), pointer(wrong.upperBound - 1))
        let offset = wrong.lowerBound - start
        let text = "Padding overwritten. 0x\(first)-0x\(last) @offset=\(offset)"
        reportSlab(number, text, in: context)
        logSection("Padding ", place, rest)
        restore("slab padding", number, wrong, to: SlabPoison.inUse)
    }

    /// `check_object()`: the marks around and in an object.
    private mutating func check(
        _ address: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        mark: UInt8,
        in context: CallContext
    ) -> Bool {
        let object = CheckedObject(address: address, slab: number, layout: layout)
        for part in parts(in: layout, mark: mark) {
            let isSound = check(part, of: object, in: context)
            if !isSound && part.isFatal { return false }
        }
        if !layout.isPointerOutside && mark == SlabPoison.active { return true }
        let next = freePointer(of: address, number, layout) ?? 0
        guard isObject(next, number) else {
            reportObject(address, number, layout, "Freepointer corrupt", in: context)
            // The rest of the freelist is lost.
            setFreePointer(of: address, to: 0, number, layout)
            return false
        }
        return true
    }

    /// Bytes that must all have one value.
    struct Part {
        var name: String
        /// From the object's start; in front of it modulo 2^64.
        var offset: UInt64
        var count: UInt64
        var value: UInt8
        var isFatal = true
    }

    /// The marks of an object that is allocated or free, as `mark` says.
    func parts(in layout: CheckedLayout, mark: UInt8) -> [Part] {
        let size = layout.objectSize
        var parts: [Part] = []
        if layout.flags.contains(.redZone) {
            let left = UInt64(0) &- layout.redLeftPad
            parts.append(Part(name: "Left Redzone", offset: left, count: 0, value: mark))
            parts[0].count = layout.redLeftPad
            let rest = layout.inuse - size
            parts.append(Part(name: "Right Redzone", offset: size, count: rest, value: mark))
        } else if layout.flags.contains(.poison), size < layout.inuse {
            let rest = layout.inuse - size
            let value = SlabPoison.inUse
            parts.append(Part(name: "Alignment padding", offset: size, count: rest, value: value))
            parts[0].isFatal = false
        }
        guard layout.flags.contains(.poison) else { return parts }
        if mark != SlabPoison.active, layout.flags.contains(.objectPoison) {
            let free = SlabPoison.free
            parts.append(Part(name: "Poison", offset: 0, count: size - 1, value: free))
            let end = SlabPoison.end
            parts.append(Part(name: "End Poison", offset: size - 1, count: 1, value: end))
        }
        let padding = layout.end - layout.padding
        let value = SlabPoison.inUse
        parts.append(
            Part(name: "Object padding", offset: layout.padding, count: padding, value: value)
        )
        parts[parts.count - 1].isFatal = false
        return parts
    }

    /// `check_bytes_and_report()`.
    private mutating func check(
        _ part: Part,
        of object: CheckedObject,
        in context: CallContext
    ) -> Bool {
        let place = object.address &+ part.offset
        guard let wrong = range(ofOthersThan: part.value, place, part.count) else { return true }
        let number = object.slab
        let (first, last) = (pointer(wrong.lowerBound), pointer(wrong.upperBound - 1))
        let offset = wrong.lowerBound - pages.layout.virtual(slab.slabs[Int(number)].pfn)
        let byte = kernelBytes(wrong.lowerBound, 1).first ?? 0
        let found = "First byte 0x\(String(byte, radix: 16))"
        let wanted = "instead of 0x\(String(part.value, radix: 16))"
        logSlabBug(number, "\(part.name) overwritten")
        log.append("0x\(first)-0x\(last) @offset=\(offset). \(found) \(wanted)")
        logTrailer(object.address, number, object.layout, in: context)
        restore(part.name, number, wrong, to: part.value)
        return false
    }

    /// The part of a range that does not hold a value, from the first such byte to the last.
    func range(
        ofOthersThan value: UInt8,
        _ place: UInt64,
        _ count: UInt64
    ) -> Range<UInt64>? {
        guard count > 0 else { return nil }
        let bytes = kernelBytes(place, Int(count))
        guard let first = bytes.firstIndex(where: { $0 != value }),
            let last = bytes.lastIndex(where: { $0 != value })
        else { return nil }
        return place + UInt64(first)..<place + UInt64(last) + 1
    }

    private mutating func restore(
        _ what: String,
        _ number: UInt32,
        _ wrong: Range<UInt64>,
        to value: UInt8
    ) {
        let (first, last) = (pointer(wrong.lowerBound), pointer(wrong.upperBound - 1))
        let text = "Restoring \(what) 0x\(first)-0x\(last)=0x\(String(value, radix: 16))"
        logFix(number, text)
        fillKernel(wrong.lowerBound, UInt64(wrong.count), with: value)
    }

    /// `on_freelist()`: looks for an address, and on the way repairs what cannot be followed.
    private mutating func isOnFreelist(
        _ wanted: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        in context: CallContext
    ) -> Bool {
        let objects = slab.slabs[Int(number)].objects
        var count: UInt16 = 0
        var before: UInt64?
        var place = slab.head(of: number)
        while place != 0, count <= objects {
            if place == wanted { return true }
            guard isObject(place, number) else {
                if let before {
                    reportObject(before, number, layout, "Freechain corrupt", in: context)
                    setFreePointer(of: before, to: 0, number, layout)
                    break
                }
                reportSlab(number, "Freepointer corrupt", in: context)
                slab.slabs[Int(number)].freelist = Slab.endOfList
                slab.slabs[Int(number)].inuse = objects
                logFix(number, "Freelist cleared")
                return false
            }
            before = place
            place = freePointer(of: place, number, layout) ?? 0
            count += 1
        }
        let counted = objects &- count
        let inuse = slab.slabs[Int(number)].inuse
        if inuse != counted {
            let counts = "Counter is \(inuse) but counted were \(Int16(bitPattern: counted))"
            reportSlab(number, "Wrong object count. " + counts, in: context)
            slab.slabs[Int(number)].inuse = counted
            logFix(number, "Object count adjusted")
        }
        return false
    }
}

/// An object under check.
struct CheckedObject {
    let address: UInt64
    let slab: UInt32
    let layout: CheckedLayout
}
