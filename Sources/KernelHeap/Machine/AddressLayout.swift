/// Where a machine's kernel sees its memory: the numbers behind address arithmetic.
///
///     x86_64   0 … user … | hole | direct map: all memory     | vmalloc | struct page | image
///     i386     0 … user … 3G | direct map: low memory | vmalloc | pkmap | fixmap … 4G
///
/// Each machine has its own, since on 32 bits the end of the direct map and the place of the page
/// descriptors depend on how much memory there is.
public struct AddressLayout: Hashable, Sendable, BitwiseCopyable {
    /// First address of the direct map, which holds physical memory in order: `PAGE_OFFSET`.
    public var pageOffset: UInt64
    /// The bits that an address has.
    public var addressMask: UInt64
    /// First frame that the direct map does not hold, `max_low_pfn`; 64-bit machines reach them all.
    public var directMapEndPFN: UInt64
    /// First address of the page descriptors: `vmemmap`, or `mem_map` where memory is flat.
    public var descriptors: UInt64
    /// The call `sizeof(struct page)`.
    public var descriptorBytes: UInt64
    /// Where the kernel image is mapped a second time; `pageOffset` where it is not.
    public var imageOffset: UInt64
    /// Bytes there are for the image: `KERNEL_IMAGE_SIZE` of x86_64.
    static let imageBytes: UInt64 = 1 << 30
    /// First address that is no process's: `TASK_SIZE_MAX`.
    public var userEnd: UInt64
    /// Bytes of a pointer.
    public var wordBytes: UInt64
    /// Logarithm of the pages of a pageblock: `pageblock_order`.
    public var pageblockOrder: Int
    /// Addresses of the vmalloc area.
    public var vmallocStart: UInt64
    /// `VMALLOC_END`: no area ends behind it; on 64 bits the last address itself.
    public var vmallocEnd: UInt64
    /// First address of the fixed maps, from which on no address is valid.
    public var fixmapStart: UInt64
    /// Frames from here on have no descriptor: `max_mapnr`; all frames may have one on 64 bits.
    public var descriptorEndPFN: UInt64

    /// 6.1 on x86_64 with four levels of page tables.
    public static let x8664 = AddressLayout(
        pageOffset: 0xffff_8880_0000_0000,
        addressMask: .max,
        directMapEndPFN: .max,
        descriptors: 0xffff_ea00_0000_0000,
        descriptorBytes: 64,
        imageOffset: 0xffff_ffff_8000_0000,
        userEnd: 0x7fff_ffff_f000,
        wordBytes: 8,
        pageblockOrder: 9,
        vmallocStart: 0xffff_c900_0000_0000,
        vmallocEnd: 0xffff_e8ff_ffff_ffff,
        fixmapStart: 0xffff_ffff_ff57_9000,
        descriptorEndPFN: .max
    )

    /// Whether some memory has no address of its own.
    public var hasHighMemory: Bool { is32Bit }
    public var is32Bit: Bool { wordBytes == 4 }

    /// Whether the processor takes a number for an address at all.
    func isCanonical(_ address: UInt64) -> Bool {
        is32Bit ? address <= addressMask : address < 1 << 47 || address >= 0xffff_8000_0000_0000
    }

    /// Where physical addresses end: 36 bits of them, or the direct map's 64 TiB.
    var physicalEnd: UInt64 { is32Bit ? 1 << 36 : 1 << 46 }

    /// `is_vmalloc_addr()`.
    func isVmalloc(_ address: UInt64) -> Bool {
        address >= vmallocStart && address < vmallocEnd
    }

    /// The direct-map address of a frame that has one.
    @inline(__always)
    func virtual(_ pfn: UInt32) -> UInt64 { pageOffset &+ UInt64(pfn) << 12 }

    /// The address that arithmetic gives a frame, whether or not it is mapped there.
    func directAddress(_ pfn: UInt64) -> UInt64 { (pageOffset &+ pfn << 12) & addressMask }

    /// Whether the direct map holds a frame.
    @inline(__always)
    func isMapped(_ pfn: UInt64) -> Bool { pfn < directMapEndPFN }

    /// The address of a frame's `struct page`.
    func descriptor(_ pfn: UInt64) -> UInt64 {
        (descriptors &+ pfn &* descriptorBytes) & addressMask
    }

    /// The frame that a descriptor's address stands for, by arithmetic.
    func frameNumber(ofDescriptor address: UInt64) -> UInt64 {
        ((address &- descriptors) & addressMask) / descriptorBytes
    }

    /// `__pa()`: arithmetic alone, for any number.
    func physical(of address: UInt64) -> UInt64 {
        let offset = address >= imageOffset ? imageOffset : pageOffset
        return (address &- offset) & addressMask
    }

    /// An address as the kernel prints it: all its digits.
    func text(_ address: UInt64) -> String {
        let digits = String(address & addressMask, radix: 16)
        return String(repeating: "0", count: Int(wordBytes) * 2 - digits.count) + digits
    }
}
