/// A doubly linked list of blocks, linked through their first pages.
///
/// The first block's `prev` means nothing: taking it off must not touch the second.
struct PageList: BitwiseCopyable {
    /// Ends a list; no frame has this number.
    static let none = UInt32.max

    var head = PageList.none
    var tail = PageList.none

    @inline(__always)
    var isEmpty: Bool { head == PageList.none }
}

extension ChunkedColumn where Element == Page {
    @inline(__always)
    mutating func pushHead(_ pfn: UInt32, on list: inout PageList) {
        let old = list.head
        self[Int(pfn)].link(next: old, prev: PageList.none)
        if old == PageList.none { list.tail = pfn } else { self[Int(old)].prev = pfn }
        list.head = pfn
    }

    @inline(__always)
    mutating func pushTail(_ pfn: UInt32, on list: inout PageList) {
        let old = list.tail
        self[Int(pfn)].link(next: PageList.none, prev: old)
        if old == PageList.none { list.head = pfn } else { self[Int(old)].next = pfn }
        list.tail = pfn
    }

    /// Takes the first block; the list must not be empty.
    @inline(__always)
    mutating func popHead(of list: inout PageList) -> UInt32 {
        let pfn = list.head
        list.head = self[Int(pfn)].next
        if list.head == PageList.none { list.tail = PageList.none }
        return pfn
    }

    /// Takes a block out of the middle of the list that it is on.
    @inline(__always)
    mutating func remove(_ pfn: UInt32, from list: inout PageList) {
        unlink(pfn, self[Int(pfn)], from: &list)
    }

    /// The same for a block whose page was read already.
    @inline(__always)
    mutating func unlink(_ pfn: UInt32, _ page: Page, from list: inout PageList) {
        if list.head == pfn {
            list.head = page.next
        } else {
            self[Int(page.prev)].next = page.next
        }
        if list.tail == pfn {
            list.tail = list.head == PageList.none ? PageList.none : page.prev
        } else {
            self[Int(page.next)].prev = page.prev
        }
    }

    /// The blocks of a list, head to tail.
    ///
    /// Costs their number.
    func frames(of list: PageList) -> [UInt64] {
        var frames: [UInt64] = []
        var pfn = list.head
        while pfn != PageList.none {
            frames.append(UInt64(pfn))
            pfn = self[Int(pfn)].next
        }
        return frames
    }
}
