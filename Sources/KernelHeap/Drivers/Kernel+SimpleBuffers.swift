/// A copy between a program's buffer and a place in a driver's.
struct BufferCopy {
    /// Address of a `loff_t`, which moves on.
    var position: UInt64
    /// The driver's buffer, and the bytes that are in it or that it has room for.
    var buffer: UInt64
    var available: UInt64
    /// The program's buffer, and its bytes.
    var user: UInt64
    var count: UInt64
}

/// What most drivers' `read` and `write` come down to: copies that respect a position.
extension Kernel {
    /// `simple_read_from_buffer()` and `simple_write_to_buffer()`.
    ///
    /// - Parameters:
    ///   - copy: what is copied.
    ///   - direction: to the program, or from it.
    ///   - context: whose process.
    /// - Returns: the bytes copied, 0 at the end, or an error; nil where the position cannot be loaded.
    mutating func copyAtPosition(
        _ copy: BufferCopy,
        _ direction: CopyDirection,
        in context: CallContext
    ) -> (value: Int64, copy: UserCopyDetail?)? {
        guard let place = loadPosition(copy.position, in: context) else { return nil }
        guard place >= 0 else { return (-Int64(Errno.EINVAL.rawValue), nil) }
        guard UInt64(place) < copy.available, copy.count > 0 else { return (0, nil) }
        let wanted = min(copy.count, copy.available - UInt64(place))
        let inside = copy.buffer &+ UInt64(place)
        let process = processIndex(context)
        let done =
            direction == .toUser
            ? copyToUser(process, to: copy.user, from: inside, count: wanted, in: context)
            : copyFromUser(process, to: inside, from: copy.user, count: wanted, in: context)
        return moved(done, wanted, copy.position, place, in: context)
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
