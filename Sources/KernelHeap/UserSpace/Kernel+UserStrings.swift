/// Strings and structures across the border: `lib/strnlen_user.c`, `lib/strncpy_from_user.c`,
/// `lib/usercopy.c`, 6.1.
///
/// They look at a word at a time, four or eight bytes, which shows: a NUL behind the limit but in the same word is
/// found, and a word that cannot be loaded is tried again byte by byte, or not.
extension Kernel {
    private var wordBytes: UInt64 { layout.wordBytes }

    /// Loads a word; bytes that a 32-bit one lacks are no zeros.
    private mutating func loadWord(
        _ process: Int,
        _ address: UInt64,
        in context: CallContext
    ) -> UInt64? {
        let bytes = wordBytes
        let word = loadUser(process, address, bytes: Int(bytes), in: context)
        return word.map { bytes == 8 ? $0 : $0 | .max << 32 }
    }

    /// `strnlen_user()`: the length with its NUL; more than the limit where there is none, 0 for a
    /// fault.
    mutating func strnlenUser(
        _ process: Int,
        _ string: UInt64,
        limit: Int64,
        in context: CallContext
    ) -> UInt64 {
        guard limit > 0, string < userEnd else { return 0 }
        let limit = UInt64(limit)
        let align = string % wordBytes
        var room = min(userEnd - string, limit) + align
        let start = string - align
        var found: UInt64 = 0
        // Bytes in front of the string are no NULs.
        var mask: UInt64 = (1 << (8 * align)) - 1
        while true {
            guard let word = loadWord(process, start + found, in: context) else { return 0 }
            if let zero = (word | mask).firstZeroByte { return found + zero + 1 - align }
            mask = 0
            found += wordBytes
            if room <= wordBytes { break }
            room -= wordBytes
        }
        return found - align >= limit ? limit + 1 : 0
    }

    /// `strncpy_from_user()`.
    ///
    /// - Returns: the length without its NUL, the limit where there is no NUL; nil for `-EFAULT`.
    mutating func strncpyFromUser(
        _ process: Int,
        to target: UInt64,
        from string: UInt64,
        limit: Int64,
        in context: CallContext
    ) -> Int64? {
        if pages.faults.isArmed, injectsFault(at: .usercopy, in: context) { return nil }
        guard limit > 0 else { return 0 }
        guard string < userEnd else { return nil }
        let limit = UInt64(limit)
        checkShadow(target, limit, isWrite: true, "strncpy_from_user", in: context)
        guard mayCopy(target, limit, toUser: false, in: context) else { return nil }
        var room = min(userEnd - string, limit)
        var done: UInt64 = 0
        while room >= wordBytes {
            guard let word = loadWord(process, string + done, in: context) else { break }
            if let zero = word.firstZeroByte {
                let mask: UInt64 = (1 << (8 * zero)) - 1
                let bytes = (word & mask).littleEndianBytes.prefix(Int(wordBytes))
                keep(Array(bytes), at: target &+ done, in: context)
                return Int64(done + zero)
            }
            let bytes = word.littleEndianBytes.prefix(Int(wordBytes))
            keep(Array(bytes), at: target &+ done, in: context)
            done += wordBytes
            room -= wordBytes
        }
        while room > 0 {
            guard let byte = loadUser(process, string + done, bytes: 1, in: context) else {
                return nil
            }
            keep([UInt8(truncatingIfNeeded: byte)], at: target &+ done, in: context)
            if byte == 0 { return Int64(done) }
            done += 1
            room -= 1
        }
        return done >= limit ? Int64(done) : nil
    }

    /// Stores a part of a string; what is not mapped is an oops.
    private mutating func keep(_ bytes: [UInt8], at address: UInt64, in context: CallContext) {
        let (done, fault) = storeKernel(address, bytes, in: context)
        checkAccess(address, done, isWrite: true)
        if let fault { logAccessFault(at: address &+ done, code: fault.code) }
    }

    /// `check_zeroed_user()`: whether all bytes are zero; nil for `-EFAULT`.
    mutating func isZeroedUser(
        _ process: Int,
        _ address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> Bool? {
        guard count > 0 else { return true }
        let align = address % wordBytes
        var place = address - align
        guard count <= .max - align, isUserRange(place, count + align) else { return nil }
        var room = count + align
        let bytes = Int(wordBytes)
        guard var word = loadUser(process, place, bytes: bytes, in: context) else { return nil }
        word &= ~((1 << (8 * align)) - 1)
        while room > wordBytes {
            if word != 0 { return false }
            place += wordBytes
            room -= wordBytes
            guard let next = loadUser(process, place, bytes: bytes, in: context) else { return nil }
            word = next
        }
        if room < wordBytes { word &= (1 << (8 * room)) - 1 }
        return word == 0
    }

    /// `copy_struct_from_user()`: a structure that may have grown on either side.
    ///
    /// - Returns: nil for success.
    mutating func copyStructFromUser(
        _ process: Int,
        to target: UInt64,
        kernelSize: UInt64,
        from source: UInt64,
        userSize: UInt64,
        in context: CallContext
    ) -> Errno? {
        let size = min(kernelSize, userSize)
        if userSize > kernelSize {
            let rest = userSize - kernelSize
            switch isZeroedUser(process, source &+ size, rest, in: context) {
            case nil: return .EFAULT
            case false?: return .E2BIG
            case true?: break
            }
        } else if userSize < kernelSize {
            let rest = kernelSize - userSize
            let place = target &+ size
            checkShadow(place, rest, isWrite: true, "copy_struct_from_user", in: context)
            let (done, fault) = setKernel(place, rest, to: 0, in: context)
            checkAccess(place, done, isWrite: true)
            if let fault { logAccessFault(at: place &+ done, code: fault.code) }
        }
        let copy = copyFromUser(process, to: target, from: source, count: size, in: context)
        return copy.notCopied == 0 ? nil : .EFAULT
    }
}

extension UInt64 {
    /// The number of the lowest byte that is zero.
    fileprivate var firstZeroByte: UInt64? {
        for byte in 0..<8 where self >> (8 * UInt64(byte)) & 0xff == 0 { return UInt64(byte) }
        return nil
    }
}
