/// Noticing conversions that C does by arithmetic and that mean nothing for what they were given.
extension Kernel {
    /// Notes that arithmetic which holds in the direct map was done on another address.
    ///
    /// The kernel's image has arithmetic of its own on 64-bit machines, and is right, too; so is what
    /// the direct map has of firmware.
    mutating func checkDirectMapped(
        _ address: UInt64,
        _ function: String,
        in context: CallContext
    ) {
        guard frame(ofDirectMapped: address) == nil else { return }
        noteNotDirectMapped(address, function, in: context)
    }

    @inline(never)
    private mutating func noteNotDirectMapped(
        _ address: UInt64,
        _ function: String,
        in context: CallContext
    ) {
        let isAddress = address <= layout.addressMask
        let region = isAddress ? region(of: LinearAddress(rawValue: address)) : nil
        let hasTables = region != nil && paging.format.isCanonical(address)
        let mapping = hasTables ? mapping(of: address, process: processIndex(context)) : nil
        let isArithmeticRight = region?.kind == .kernelImage || region?.kind == .directMap
        if isArithmeticRight, mapping != nil { return }
        misuse.add(
            .notDirectMapped(
                WrongAddress(
                    address: LinearAddress(rawValue: address),
                    function: function,
                    region: region?.name,
                    frame: mapping?.physical.pfn
                )
            )
        )
    }

    /// Notes that a physical address or frame has no address in the direct map.
    ///
    /// - Parameters:
    ///   - pfn: the frame.
    ///   - value: what the function was given.
    ///   - function: its name.
    mutating func checkHasAddress(_ pfn: UInt64, value: UInt64, _ function: String) {
        if pages.isValid(pfn), layout.isMapped(pfn) { return }
        let reason: WrongConversion.Reason = pages.isValid(pfn) ? .highMemory : .noMemory
        misuse.add(
            .wrongConversion(WrongConversion(function: function, value: value, reason: reason))
        )
    }

    /// Notes that a frame number names no page of the machine.
    mutating func checkFrame(_ pfn: UInt64, _ function: String) {
        guard !hasDescriptor(pfn) else { return }
        misuse.add(
            .wrongConversion(WrongConversion(function: function, value: pfn, reason: .noMemory))
        )
    }

    /// Notes that a number is no page descriptor's address.
    ///
    /// - Returns: whether it is one.
    @discardableResult
    mutating func checkDescriptor(_ page: UInt64, _ function: String) -> Bool {
        let offset = (page &- layout.descriptors) & layout.addressMask
        let isWhole = offset % layout.descriptorBytes == 0
        if isWhole, page <= layout.addressMask, hasDescriptor(offset / layout.descriptorBytes) {
            return true
        }
        misuse.add(
            .wrongConversion(
                WrongConversion(function: function, value: page, reason: .noDescriptor)
            )
        )
        return false
    }

    /// `pfn_valid()`: flat memory has descriptors for its holes too.
    func hasDescriptor(_ pfn: UInt64) -> Bool {
        layout.is32Bit ? pfn < layout.descriptorEndPFN : pages.isValid(pfn)
    }
}
