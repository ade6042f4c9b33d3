/// Copies of which no byte needs a fault: what a TLB has, moved from host memory to host memory.
///
///     kernel buffer   |····piece···|piece|··      a piece lies in one page on either side, and
///     user pages        |··piece···|piece|··      is one translation each, and one move
///
/// A piece that needs a fault ends the short way; the long way goes on there.
extension Kernel {
    /// Which side of a copy is a buffer of the kernel's that `isSoundBuffer` has vouched for.
    enum SoundSide { case neither, source, target }

    /// Moves bytes until the end, or until one that needs a fault or that no memory is behind.
    ///
    /// - Parameters:
    ///   - process: whose tables, as an index.
    ///   - source: where to begin.
    ///   - target: where to.
    ///   - count: bytes.
    ///   - access: how the source is loaded, and the target stored to.
    ///   - side: what is known of the buffers.
    ///   - isWhole: nothing is moved unless all can be.
    /// - Returns: bytes moved.
    @inline(__always)
    mutating func moveReached(
        _ process: Int,
        from source: UInt64,
        to target: UInt64,
        count: UInt64,
        for access: (load: PageAccess, store: PageAccess) = (.copyLoad, .copyStore),
        side: SoundSide = .neither,
        isWhole: Bool = false
    ) -> UInt64 {
        guard !source.addingReportingOverflow(count).overflow,
            !target.addingReportingOverflow(count).overflow
        else { return 0 }
        if isWhole, count > 4096 &- max(source & 4095, target & 4095) {
            guard reaches(process, source, count, for: access.load),
                reaches(process, target, count, for: access.store)
            else { return 0 }
        }
        var done: UInt64 = 0
        while done < count {
            let (from, to) = (source &+ done, target &+ done)
            let length = min(count &- done, 4096 &- max(from & 4095, to & 4095))
            guard let old = reachedFrame(from, for: access.load, process: process),
                let new = reachedFrame(to, for: access.store, process: process)
            else { break }
            let (start, place) = (
                Int(truncatingIfNeeded: from & 4095), Int(truncatingIfNeeded: to & 4095)
            )
            let bytes = Int(truncatingIfNeeded: length)
            if holdsBytes(old, side == .source ? from : nil),
                holdsBytes(new, side == .target ? to : nil)
            {
                pages.contents.copy(from: old, start, to: new, place, count: bytes)
            } else {
                copyFrame(old, start, to: new, place, count: bytes)
            }
            done &+= length
        }
        return done
    }

    /// Makes a whole copy that lies in one page on either side, as most do, where nobody looks on.
    ///
    /// - Parameters:
    ///   - process: whose tables, as an index.
    ///   - source: where to begin.
    ///   - target: where to.
    ///   - count: bytes.
    ///   - side: which one is the kernel's buffer; the other one is the process's.
    ///   - context: of the caller.
    /// - Returns: false where nothing was done, and the copy takes its usual way.
    @inline(__always)
    mutating func movesAtOnce(
        _ process: Int,
        from source: UInt64,
        to target: UInt64,
        count: UInt64,
        side: SoundSide,
        in context: CallContext
    ) -> Bool {
        let (buffer, user) = side == .source ? (source, target) : (target, source)
        let (start, place) = (source & 4095, target & 4095)
        guard count <= 4096 &- max(start, place), isUserRange(user, count),
            process == paging.loadedProcess,
            !pages.faults.isArmed, !pages.decisions.isOn, unchecked.isEmpty, written.isEmpty,
            races.isEmpty,
            isSoundBuffer(buffer, count, in: context),
            let old = paging.buffer.frame(source, for: .copyLoad),
            let new = paging.buffer.frame(target, for: .copyStore),
            holdsBytes(old, side == .source ? source : nil),
            holdsBytes(new, side == .target ? target : nil)
        else { return false }
        pages.contents.copy(
            from: old,
            Int(truncatingIfNeeded: start),
            to: new,
            Int(truncatingIfNeeded: place),
            count: Int(truncatingIfNeeded: count)
        )
        return true
    }

    /// Sets bytes to one value until the end, or until one that needs a fault or that no memory is
    /// behind.
    ///
    /// - Returns: bytes set.
    mutating func fillReached(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        with value: UInt8,
        for access: PageAccess
    ) -> UInt64 {
        guard !address.addingReportingOverflow(count).overflow else { return 0 }
        var done: UInt64 = 0
        while done < count {
            let place = address &+ done
            let length = min(count &- done, 4096 &- place & 4095)
            guard let frame = reachedFrame(place, for: access, process: process) else { break }
            let offset = Int(truncatingIfNeeded: place & 4095)
            fillFrame(frame, offset: offset, count: Int(length), with: value)
            done &+= length
        }
        return done
    }

    /// Whether each page of a range can be accessed without a fault, and has memory behind it.
    mutating func reaches(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        for access: PageAccess
    ) -> Bool {
        guard !address.addingReportingOverflow(count).overflow else { return false }
        var done: UInt64 = 0
        while done < count {
            let place = address &+ done
            guard reachedFrame(place, for: access, process: process) != nil else { return false }
            done &+= 4096 &- place & 4095
        }
        return true
    }

    /// Finds the frame that a value's bytes lie in.
    ///
    /// - Parameters:
    ///   - address: of the first byte.
    ///   - count: bytes.
    ///   - access: what is to be done.
    ///   - process: whose tables, as an index.
    /// - Returns: nil where the access faults, where the bytes go on in the next page, and where they
    ///   are not all that is there.
    @inline(__always)
    mutating func valueFrame(
        _ address: UInt64,
        bytes count: Int,
        for access: PageAccess,
        process: Int
    ) -> UInt32? {
        guard address & 4095 &+ UInt64(truncatingIfNeeded: count) <= 4096,
            let frame = reachedFrame(address, for: access, process: process),
            holdsBytes(frame, nil)
        else { return nil }
        return frame
    }

    /// The frame of memory behind an address; nil where the access faults, and for devices.
    @inline(__always)
    private mutating func reachedFrame(
        _ address: UInt64,
        for access: PageAccess,
        process: Int
    ) -> UInt32? {
        // A TLB has frames of memory only.
        if process == paging.loadedProcess,
            let frame = paging.buffer.frame(address, for: access)
        {
            return frame
        }
        return walkedFrame(address, for: access, process: process)
    }

    @inline(never)
    private mutating func walkedFrame(
        _ address: UInt64,
        for access: PageAccess,
        process: Int
    ) -> UInt32? {
        guard case .success(let frame) = translate(address, for: access, process: process) else {
            return nil
        }
        return memoryFrame(frame)
    }

    /// Whether loads and stores of a frame concern nothing but its bytes: no slab and no table.
    ///
    /// - Parameters:
    ///   - frame: any.
    ///   - address: of a sound buffer; its own frame holds only bytes.
    /// - Returns: false where a store has to be told to somebody, and a load made up.
    @inline(__always)
    private func holdsBytes(_ frame: UInt32, _ address: UInt64?) -> Bool {
        if let address, (address &- layout.pageOffset) >> 12 == UInt64(frame) { return true }
        let page = pages.map[Int(frame)]
        return page.kind == .allocated && !page.isPageTable
    }
}

/// Buffers of the kernel's in which a copy can do nothing wrong.
extension Kernel {
    /// Whether a range lies in one object that is in use, or in one allocated block: hardened
    /// usercopy lets it pass, no checker has anything to say, and it holds nothing but bytes.
    ///
    /// - Parameters:
    ///   - address: any.
    ///   - count: bytes.
    ///   - context: of the caller, whose kernel stack is no such buffer.
    /// - Returns: false where the answer takes longer.
    @inline(__always)
    func isSoundBuffer(_ address: UInt64, _ count: UInt64, in context: CallContext) -> Bool {
        let physical = address &- layout.pageOffset
        guard address >= layout.pageOffset, !isSanitized, count > 0, count <= UInt64(Int32.max),
            physical >> 12 < UInt64(pages.map.capacity), layout.isMapped(physical >> 12)
        else { return false }
        let frame = UInt32(truncatingIfNeeded: physical >> 12)
        let page = pages.map[Int(frame)]
        if page.kind == .slab { return isInObject(physical, count, page) }
        var head = frame
        var order = page.order
        if page.kind == .inner {
            guard let block = block(around: frame) else { return false }
            (head, order) = block
        } else if page.kind != .allocated || page.isPageTable {
            return false
        }
        let offset = physical &- UInt64(head) << 12
        let size: UInt64 = 4096 << UInt64(truncatingIfNeeded: order)
        guard offset <= size, count <= size &- offset else { return false }
        // 32-bit kernels have their stacks in such blocks.
        return (!layout.is32Bit || devices.stacks.isEmpty) && !touchesText(address, count)
    }

    /// Whether a range lies in an object that is in use, in its cache's window, and does not touch a
    /// free pointer that nobody has overwritten.
    @inline(__always)
    private func isInObject(_ physical: UInt64, _ count: UInt64, _ page: Page) -> Bool {
        guard page.word & Page.longWayBit == 0 else { return false }
        let owner = slab.slabs[Int(page.slabNumber)]
        let cache = Int(owner.cache)
        let shape = slab.caches[cache]
        let inSlab = physical &- UInt64(owner.pfn) << 12
        let slot = shape.slot(of: inSlab)
        guard slot < UInt32(owner.objects), !shape.isChecked else { return false }
        let offset = inSlab &- shape.begin(of: Int(slot))
        let size = UInt64(shape.objectSize)
        guard offset < size, count <= size &- offset else { return false }
        let state = slab.states[Int(owner.states) &+ Int(slot)]
        guard state.isAllocated else { return false }
        let pointer = UInt64(shape.pointerOffset)
        let isApart = offset &+ count <= pointer || offset >= pointer &+ layout.wordBytes
        guard state.isWritten || isApart else { return false }
        guard checksUsercopy else { return true }
        let start = UInt64(clamping: slab.catalog.geometries[cache].usercopyOffset)
        let window = UInt64(clamping: slab.catalog.geometries[cache].usercopySize)
        return offset >= start && offset &- start <= window && count <= window &- (offset &- start)
    }

    /// The allocated block that a frame lies in, not as its first.
    func block(around frame: UInt32) -> (head: UInt32, order: Int)? {
        for order in 1...Zone.maxOrder {
            let head = frame & ~UInt32((1 << order) - 1)
            let page = pages.map[Int(head)]
            if page.kind == .inner { continue }
            let isInside = page.kind == .allocated && page.order >= order
            return isInside ? (head, page.order) : nil
        }
        return nil
    }

    /// Whether a range of the direct map shows the kernel's code, which copies must not touch.
    @inline(__always)
    private func touchesText(_ address: UInt64, _ count: UInt64) -> Bool {
        let text = profile.kernelText
        let alias = text.lowerBound &- layout.imageOffset &+ layout.pageOffset
        return address < alias &+ UInt64(text.count) && address &+ count > alias
    }
}
