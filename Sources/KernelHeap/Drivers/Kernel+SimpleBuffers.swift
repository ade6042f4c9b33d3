/// What most drivers' `read` and `write` come down to: copies that respect a position.
extension Kernel {
    /// `simple_read_from_buffer()`.
    ///
    /// - Parameters:
    ///   - to: the program's buffer.
    ///   - count: bytes that it has room for.
    ///   - position: address of a `loff_t`, which moves on.
    ///   - from: the driver's buffer.
    ///   - available: bytes that are in it.
    ///   - context: whose process.
    /// - Returns: the bytes read, 0 at the end, or an error; nil where the position cannot be loaded.
    mutating func simpleReadFromBuffer(
        to: UInt64,
        count: UInt64,
        position: UInt64,
        from: UInt64,
        available: UInt64,
        in context: CallContext
    ) -> (value: Int64, copy: UserCopyDetail?)? {
        guard let place = loadPosition(position, in: context) else { return nil }
        guard place >= 0 else { return (-Int64(Errno.EINVAL.rawValue), nil) }
        guard UInt64(place) < available, count > 0 else { return (0, nil) }
        let wanted = min(count, available - UInt64(place))
        let copy = copyToUser(
            process(context.pid) ?? 0,
            to: to,
            from: from &+ UInt64(place),
            count: wanted,
            in: context
        )
        return moved(copy, wanted, position, place, in: context)
    }

    /// `simple_write_to_buffer()`: as above, the other way.
    mutating func simpleWriteToBuffer(
        to: UInt64,
        available: UInt64,
        position: UInt64,
        from: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> (value: Int64, copy: UserCopyDetail?)? {
        guard let place = loadPosition(position, in: context) else { return nil }
        guard place >= 0 else { return (-Int64(Errno.EINVAL.rawValue), nil) }
        guard UInt64(place) < available, count > 0 else { return (0, nil) }
        let wanted = min(count, available - UInt64(place))
        let copy = copyFromUser(
            process(context.pid) ?? 0,
            to: to &+ UInt64(place),
            from: from,
            count: wanted,
            in: context
        )
        return moved(copy, wanted, position, place, in: context)
    }

    /// Moves the position by what was copied; nothing at all is a fault.
    private mutating func moved(
        _ copy: UserCopyDetail,
        _ wanted: UInt64,
        _ position: UInt64,
        _ place: Int64,
        in context: CallContext
    ) -> (value: Int64, copy: UserCopyDetail?) {
        guard copy.notCopied < wanted else { return (-Int64(Errno.EFAULT.rawValue), copy) }
        let bytes = UInt64(bitPattern: place &+ Int64(clamping: copy.copied)).littleEndianBytes
        _ = storeKernel(position, bytes, in: context)
        return (Int64(clamping: copy.copied), copy)
    }

    private mutating func loadPosition(_ address: UInt64, in context: CallContext) -> Int64? {
        let (bytes, fault) = loadKernel(address, 8, in: context)
        if let fault {
            logAccessFault(at: address &+ UInt64(bytes.count), code: fault.code)
            return nil
        }
        return Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}
