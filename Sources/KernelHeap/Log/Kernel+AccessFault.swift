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
        defer { log.taint.insert(.died) }
        let digits = String(address, radix: 16)
        guard address < 1 << 47 || address >= 0xffff_8000_0000_0000 else {
            log.append(
                "general protection fault, probably for non-canonical address 0x\(digits): "
                    + "0000 [#1] PREEMPT SMP NOPTI"
            )
            return
        }
        let what =
            address < 4_096
            ? "kernel NULL pointer dereference, address"
            : "unable to handle page fault for address"
        log.append("BUG: \(what): \(pointer(address))")
        log.append("#PF: supervisor \(isWrite ? "write" : "read") access in kernel mode")
        log.append("#PF: error_code(0x000\(isWrite ? 2 : 0)) - not-present page")
    }
}
