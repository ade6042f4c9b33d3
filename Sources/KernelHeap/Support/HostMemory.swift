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
        let mapped = unsafe mmap(
            nil,
            bytes,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0
        )
        if unsafe mapped != MAP_FAILED { unsafe memory = mapped }
    } else {
        unsafe memory = calloc(1, bytes)
    }
    guard let memory = unsafe memory else {
        // Out of host memory: the standard library's own allocation traps the same way. Limits of
        // the service on sessions, their memory and their bytes keep clients away from it.
        preconditionFailure("out of memory")
    }
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
