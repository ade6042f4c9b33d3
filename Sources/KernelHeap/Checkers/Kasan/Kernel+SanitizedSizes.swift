/// Functions that ask how large an allocation is: `mm/slab_common.c`, 6.1.
extension Kernel {
    /// Whether the byte at an address may not be touched, which is reported: `kasan_check_byte()`.
    mutating func isRefusedByShadow(
        _ address: UInt64,
        _ function: StaticString,
        in context: CallContext
    ) -> Bool {
        guard isSanitized, address > Self.zeroSizePointer else { return false }
        let isRefused = address < ShadowByte.firstAddress || !isByteAccessible(address)
        if isRefused { checkShadow(address & ~7, 1, isWrite: false, function, in: context) }
        return isRefused
    }

    /// `ksize()`: all bytes that an allocation has, which its owner may touch from then on.
    mutating func wholeSize(
        _ address: LinearAddress,
        _ function: StaticString,
        in context: CallContext
    ) -> UInt64 {
        if isRefusedByShadow(address.rawValue, function, in: context) { return 0 }
        let bytes = ksize(address)
        if isSanitized { setUsable(address.rawValue, bytes) }
        return bytes
    }
}
