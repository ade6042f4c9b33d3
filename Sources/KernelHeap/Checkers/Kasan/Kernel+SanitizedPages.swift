/// Pages and vmalloc areas under the sanitizer.
///
/// Whether a page may be touched is read off the page allocator; kept here is who had it, and how much
/// of a large `kmalloc()` or a vmalloc area was asked for.
extension Kernel {
    /// Notes who allocated a block, and that nobody has written it unless it was cleared.
    @inline(never)
    mutating func noteSanitizedBlock(
        _ pfn: PFN,
        order: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) {
        guard pfn.rawValue < UInt64(sanitizer.pages.capacity) else { return }
        sanitizer.pages[Int(pfn.rawValue)].allocate(order: order, by: track(context))
        let options = slab.catalog.options
        guard !flags.contains(.zero), !options.initOnAlloc, !options.initOnFree else { return }
        pages.contents.unwritten.begin(UInt32(truncatingIfNeeded: pfn.rawValue), pages: 1 << order)
    }

    /// Notes who gives a block back, if anybody holds it.
    @inline(never)
    mutating func noteFreedBlock(_ pfn: PFN, order: Int, in context: CallContext) {
        guard pfn.rawValue < UInt64(pages.map.capacity) else { return }
        let page = pages.map[Int(pfn.rawValue)]
        // Another holder keeps the block, or the free is refused.
        guard page.kind == .allocated, page.word <= 1, (0...page.order).contains(order),
            !page.isReserved
        else { return }
        sanitizer.pages[Int(pfn.rawValue)].free(order: order, by: track(context))
    }

    /// What a large `kmalloc()` was asked for; behind it is redzone: `kasan_kmalloc_large()`.
    mutating func noteLargeObject(_ frame: UInt32, requested: UInt64) {
        guard isSanitized else { return }
        sanitizer.pages[Int(frame)].request(requested)
    }

    /// Checks an address that `kfree()` takes for a large object: `kasan_kfree_large()`.
    ///
    /// The kernel frees it whatever is found.
    mutating func checkLargeFree(_ address: UInt64, head: UInt32, in context: CallContext) {
        guard isSanitized else { return }
        if address != layout.virtual(head) {
            reportFree(address, .invalidFree, "kfree", in: context)
        } else if !isByteAccessible(address) {
            reportFree(address, .doubleFree, "kfree", in: context)
        }
    }

    /// What a vmalloc area was asked for: `kasan_unpoison_vmalloc()`.
    mutating func noteSanitizedArea(_ start: UInt64, requested: UInt64, in context: CallContext) {
        guard isSanitized else { return }
        sanitizer.areas[start] = SanitizedArea(requested: requested, allocation: track(context))
    }

    /// An area is gone: `kasan_poison_vmalloc()`.
    mutating func releaseSanitizedArea(_ start: UInt64, in context: CallContext) {
        if isSanitized { sanitizer.release(start, by: track(context)) }
    }
}
