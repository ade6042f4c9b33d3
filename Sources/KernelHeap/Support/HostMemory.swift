#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// Blocks from this size on are mappings of their own, so that only touched pages are resident.
///
/// The C library clears recycled and even fresh heap memory by writing it, which would make every
/// page of a sparse table resident.
private let mappingBytes = 16_384

/// Zeroed memory; a large block costs nothing until it is used.
///
/// - Parameters:
///   - count: elements.
///   - type: the element's type.
/// - Returns: memory for `releaseMemory` with the same count.
func zeroedMemory<Element: BitwiseCopyable>(
    count: Int,
    of type: Element.Type
) -> UnsafeMutablePointer<Element> {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    var memory: UnsafeMutableRawPointer?
    if bytes >= mappingBytes {
        unsafe memory = mapMemory(byteCount: bytes)
    } else {
        unsafe memory = calloc(1, bytes)
    }
    guard let memory = unsafe memory else { outOfMemory() }
    return unsafe memory.bindMemory(to: Element.self, capacity: max(count, 1))
}

/// Gives back what `zeroedMemory` gave for so many elements.
func releaseMemory<Element>(_ memory: UnsafeMutablePointer<Element>, count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    if bytes >= mappingBytes {
        unsafe munmap(memory, bytes)
    } else {
        unsafe free(memory)
    }
}

/// Zeroed memory that begins at a multiple of its size; pages that nobody touches are not resident.
///
/// - Parameter byteCount: a power of two, of at least a page of the host.
/// - Returns: memory for `releaseAlignedMemory` with the same size.
func alignedMemory(byteCount: Int) -> UnsafeMutableRawPointer {
    // Mappings are made downwards: below an aligned one, the next is aligned as it comes.
    var memory = unsafe mapMemory(byteCount: byteCount)
    let mask = UInt(byteCount - 1)
    if UInt(bitPattern: memory) & mask != 0 {
        unsafe munmap(memory, byteCount)
        let wide = unsafe mapMemory(byteCount: 2 * byteCount)
        let before = Int(bitPattern: (0 &- UInt(bitPattern: wide)) & mask)
        if before > 0 { unsafe munmap(wide, before) }
        if before < byteCount {
            unsafe munmap(wide + before + byteCount, byteCount - before)
        }
        unsafe memory = wide + before
    }
    // A huge page of the host would make 512 resident for the sake of one.
    unsafe madvise(memory, byteCount, MADV_NOHUGEPAGE)
    return unsafe memory
}

/// Gives back what `alignedMemory` gave.
func releaseAlignedMemory(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
    unsafe munmap(memory, byteCount)
}

/// Gives the host whole pages of such memory, which hold zeros again.
func forgetMemory(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
    unsafe madvise(memory, byteCount, MADV_DONTNEED)
}

/// A mapping of its own, of zeros.
private func mapMemory(byteCount: Int) -> UnsafeMutableRawPointer {
    let mapped = unsafe mmap(
        nil,
        byteCount,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
        -1,
        0
    )
    guard unsafe mapped != MAP_FAILED, let mapped = unsafe mapped else { outOfMemory() }
    return unsafe mapped
}

/// Out of host memory: the standard library's own allocation traps the same way.
///
/// Limits of the service on sessions, their memory and their bytes keep clients away from it.
private func outOfMemory() -> Never { preconditionFailure("out of memory") }
