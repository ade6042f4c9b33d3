#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#endif

/// Zeroed memory from the C library: large blocks are fresh mappings that cost nothing until used.
///
/// The standard library has no zeroing allocation, and writing zeros would touch every page.
func zeroedMemory<Element: BitwiseCopyable>(
    count: Int,
    of type: Element.Type
) -> UnsafeMutablePointer<Element> {
    guard let memory = unsafe calloc(max(count, 1), MemoryLayout<Element>.stride) else {
        // Out of host memory: the standard library's own allocation traps the same way.
        preconditionFailure("out of memory")
    }
    return unsafe memory.bindMemory(to: Element.self, capacity: count)
}

/// Gives back what `zeroedMemory` gave.
func releaseMemory<Element>(_ memory: UnsafeMutablePointer<Element>) {
    unsafe free(memory)
}
