extension Kernel {
    /// Logs that kernel code touched an address where no memory is: the head of the oops.
    ///
    /// The lines are those of the recordings (`texts/bad-plain-59`, `-69`); registers and the call
    /// trace are left out.
    ///
    /// - Parameters:
    ///   - address: what was touched.
    ///   - isWrite: whether it was a store.
    mutating func logAccessFault(at address: UInt64, isWrite: Bool) {
        logAccessFault(at: address, code: isWrite ? 2 : 0)
    }

    /// The same with the processor's error code, which says why and how.
    mutating func logAccessFault(at address: UInt64, code: UInt32) {
        defer { log.taint.insert(.died) }
        let address = address & layout.addressMask
        let digits = String(address, radix: 16)
        guard layout.isCanonical(address) else {
            log.append(
                "general protection fault, probably for non-canonical address 0x\(digits): "
                    + "0000 [#\(log.nextDeath())] \(log.oopsStyle.options)"
            )
            return
        }
        let what =
            address < 4_096
            ? "kernel NULL pointer dereference, address"
            : "unable to handle page fault for address"
        log.append("BUG: \(what): \(pointer(address))")
        let data = code & 2 != 0 ? "write access" : "read access"
        let access = code & 16 != 0 ? "instruction fetch" : data
        log.append("#PF: supervisor \(access) in kernel mode")
        let reason =
            code & 1 == 0
            ? "not-present page"
            : code & 8 != 0 ? "reserved bit violation" : "permissions violation"
        let digitsOfCode = fourDigits(code)
        log.append("#PF: error_code(0x\(digitsOfCode)) - \(reason)")
        log.append("Oops: \(digitsOfCode) [#\(log.nextDeath())] \(log.oopsStyle.options)")
    }

    private func fourDigits(_ code: UInt32) -> String {
        let digits = String(code, radix: 16)
        return String(repeating: "0", count: max(4 - digits.count, 0)) + digits
    }
}
