/// Hardened usercopy: which kernel memory may take part in a copy. `mm/usercopy.c`, 6.1, and the
/// recordings `texts/bad-ucopy`.
extension Kernel {
    /// What a copy must not touch, as `usercopy_abort()` names it.
    private struct UsercopyRefusal {
        var memory: String
        var object: String?
        var offset: UInt64
    }

    /// `__check_object_size()`.
    ///
    /// - Parameters:
    ///   - address: of the kernel buffer.
    ///   - count: bytes to copy.
    ///   - toUser: whether they are read: "exposure", or written: "overwrite".
    ///   - context: who copies.
    /// - Returns: false where the copy is a `BUG`; its report is in the log.
    mutating func mayCopy(
        _ address: UInt64,
        _ count: UInt64,
        toUser: Bool,
        in context: CallContext
    ) -> Bool {
        guard checksUsercopy, count > 0 else { return true }
        if layout.isVmalloc(address) { startVmalloc() }
        guard let refusal = refusal(of: address, count, in: context) else { return true }
        let object = refusal.object.map { " '\($0)'" } ?? ""
        log.append(
            "usercopy: Kernel memory \(toUser ? "exposure" : "overwrite") attempt detected "
                + "\(toUser ? "from" : "to") \(refusal.memory)\(object) "
                + "(offset \(refusal.offset), size \(count))!"
        )
        let offset = layout.is32Bit ? "0x65/0x67" : "0x75/0x77"
        log.bug(at: "mm/usercopy.c:101", in: "usercopy_abort+\(offset)", context)
        return false
    }

    private func refusal(
        of address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> UsercopyRefusal? {
        let (last, wraps) = address.addingReportingOverflow(count - 1)
        if wraps || last > layout.addressMask {
            return UsercopyRefusal(memory: "wrapped address", offset: 0)
        }
        if address <= Self.zeroSizePointer {
            return UsercopyRefusal(memory: "null address", offset: address)
        }
        if let offset = offsetBelowStack(address, count, in: context) {
            return UsercopyRefusal(memory: "process stack", offset: offset)
        }
        let window = windowRefusal(address, count, in: context)
        if window.isDecided {
            if let refusal = window.refusal { return refusal }
        } else if let frame = frame(ofDirectMapped: address) {
            let refusal =
                pages.map[Int(frame)].kind == .slab
                ? refusalOfObject(address, count, on: frame)
                : refusalOfPages(address, count, on: frame)
            if let refusal { return refusal }
        }
        return refusalOfText(address, count)
    }

    /// `check_stack_object()`: what lies on the process's stack must lie there wholly, in frames that
    /// are in use.
    ///
    /// - Returns: how far below the stack pointer a wrong one begins; nil where nothing is wrong.
    private func offsetBelowStack(
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> UInt64? {
        guard let stack = kernelStackRange(of: context.pid), address < stack.upperBound,
            address &+ count > stack.lowerBound
        else { return nil }
        let isInside = address >= stack.lowerBound && address &+ count <= stack.upperBound
        let pointer = kernelStackPointer(of: context.pid)
        return isInside && address >= pointer ? nil : pointer &- address
    }

    /// Mapped pages and vmalloc areas, of which no descriptor is asked.
    ///
    /// An area ends behind its guard page: a copy that reaches into it passes, and faults there.
    private func windowRefusal(
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> (isDecided: Bool, refusal: UsercopyRefusal?) {
        let offset = address & 4_095
        if isKmapAddress(address) {
            let isInside = count <= 4_096 - offset
            return (true, isInside ? nil : UsercopyRefusal(memory: "kmap", offset: offset))
        }
        let process = process(context.pid) ?? 0
        // With page faults disabled the lock of the areas must not be waited for.
        guard layout.isVmalloc(address), processes[process].task.pagefaultDisabled == 0 else {
            return (false, nil)
        }
        let place = vmalloc.busy.containing(address)
        guard place != 0 else {
            return (true, UsercopyRefusal(memory: "vmalloc", object: "no area", offset: 0))
        }
        let area = vmalloc.busy[place]
        guard count > area.end - address else { return (true, nil) }
        return (true, UsercopyRefusal(memory: "vmalloc", offset: address - area.start))
    }

    /// `is_kmap_addr()`: the windows of high memory; 64-bit machines have none.
    ///
    /// The highest slot of the per-CPU maps is not among them, as in 6.1.
    private func isKmapAddress(_ address: UInt64) -> Bool {
        guard layout.is32Bit else { return false }
        if highMemory.pkmap.addresses.contains(address) { return true }
        let fixmap = highMemory.fixmap
        guard let first = fixmap.firstMap else { return false }
        return fixmap.isMap(address) && address < fixmap.address(of: first)
    }

    /// `__check_heap_object()`: only the cache's window of one object.
    private func refusalOfObject(
        _ address: UInt64,
        _ count: UInt64,
        on frame: UInt32
    ) -> UsercopyRefusal? {
        let owner = slab.slabs[Int(pages.map[Int(frame)].slabNumber)]
        let geometry = slab.catalog.geometries[Int(owner.cache)]
        func refusal(_ memory: String, _ offset: UInt64) -> UsercopyRefusal {
            let name = CacheName.escaped(slab.catalog.names[Int(owner.cache)])
            return UsercopyRefusal(memory: memory, object: name, offset: offset)
        }
        let inSlab = address &- layout.virtual(owner.pfn)
        var offset = inSlab % UInt64(max(geometry.size, 1))
        if geometry.flags.contains(.redZone) {
            let pad = UInt64(clamping: geometry.redLeftPad)
            guard offset >= pad else { return refusal("SLUB object in left red zone", offset) }
            offset -= pad
        }
        let start = UInt64(clamping: geometry.usercopyOffset)
        let size = UInt64(clamping: geometry.usercopySize)
        let isInside =
            offset >= start && offset - start <= size && count <= size - (offset - start)
        return isInside ? nil : refusal("SLUB object", offset)
    }

    /// Compound pages end somewhere; of others the kernel does not know.
    private func refusalOfPages(
        _ address: UInt64,
        _ count: UInt64,
        on frame: UInt32
    ) -> UsercopyRefusal? {
        let head = compoundHead(of: frame)
        let page = pages.map[Int(head)]
        guard page.kind == .allocated, page.isCompound, page.order > 0 else { return nil }
        let offset = address &- layout.virtual(head)
        let size: UInt64 = 4_096 << UInt64(page.order)
        return count <= size - offset ? nil : UsercopyRefusal(memory: "page alloc", offset: offset)
    }

    /// `check_kernel_text_object()`: no copy touches code, at neither of its two addresses.
    private func refusalOfText(_ address: UInt64, _ count: UInt64) -> UsercopyRefusal? {
        let text = profile.kernelText
        let alias = text.lowerBound &- layout.imageOffset &+ layout.pageOffset
        let last = address + (count - 1)
        if address < text.upperBound && last >= text.lowerBound {
            return UsercopyRefusal(memory: "kernel text", offset: address &- text.lowerBound)
        }
        guard address < alias &+ UInt64(text.count), last >= alias else { return nil }
        return UsercopyRefusal(memory: "linear kernel text", offset: address &- alias)
    }
}
