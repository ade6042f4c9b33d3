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
        defer {
            log.taint.insert(.died)
            log.endOops()
        }
        let address = address & layout.addressMask
        let digits = String(address, radix: 16)
        guard layout.isCanonical(address) else {
            log.append(
                "general protection fault, probably for non-canonical address 0x\(digits): "
                    + "0000 " + log.oopsStyle.death(log.nextDeath())
            )
            return
        }
        if log.oopsStyle.isClassic { return logClassicFault(at: address, code: code) }
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
        logTables(of: address)
        log.append("Oops: \(digitsOfCode) " + log.oopsStyle.death(log.nextDeath()))
    }

    /// The same of 2.6: `do_page_fault()` of `arch/i386/mm/fault.c`; the instruction pointer is left
    /// out.
    private mutating func logClassicFault(at address: UInt64, code: UInt32) {
        let what = address < 4_096 ? "NULL pointer dereference" : "paging request"
        log.append(
            "BUG: unable to handle kernel \(what) at virtual address \(pointer(address))"
        )
        let boot = bootTables()
        let walk = walk(address, root: root(of: paging.loadedProcess, boot), boot)
        for place in 0..<walk.count {
            let text = tableText(walk.steps[place])
            log.append(text.last == " " ? String(text.dropLast()) : text)
            if !layout.isMapped(paging.format.frame(of: walk.steps[place].entry)) { break }
        }
        log.append("Oops: \(fourDigits(code)) " + log.oopsStyle.death(log.nextDeath()))
    }

    /// The entries on the way to an address: `dump_pagetable()`.
    ///
    /// Those of the tables in CR3. A line ends behind the entry that leads nowhere, or to a page.
    private mutating func logTables(of address: UInt64) {
        let boot = bootTables()
        let walk = walk(address, root: root(of: paging.loadedProcess, boot), boot)
        var line = ""
        for place in 0..<walk.count {
            line += tableText(walk.steps[place])
            let next = paging.format.frame(of: walk.steps[place].entry)
            // Tables in high memory are not mapped, and not looked at.
            if layout.is32Bit, !layout.isMapped(next) { break }
        }
        if !line.isEmpty { log.append(line) }
        // An entry leads out of memory.
        let last = walk.last
        let leadsOn = last.level < paging.format.leafLevel && !last.entry.flags.contains(.large)
        if walk.count == 0 || walk.end == .reservedBits && leadsOn { log.append("BAD") }
    }

    private func tableText(_ step: PageWalk.Step) -> String {
        let digits = String(step.entry.rawValue, radix: 16)
        let isLeaf = step.level == paging.format.leafLevel
        guard layout.is32Bit else {
            switch step.level {
            // The level between is folded: its entry is the root's.
            case 0: return "PGD \(digits) P4D \(digits) "
            case 1: return "PUD \(digits) "
            case 2: return "PMD \(digits) "
            default: return "PTE \(digits)"
            }
        }
        let width = paging.format.entryBytes * 2
        let padded = String(repeating: "0", count: max(width - digits.count, 0)) + digits
        if isLeaf { return "*pte = \(padded) " }
        return step.level == 0 && paging.format.levelCount == 3
            ? "*pdpt = \(padded) " : "*pde = \(padded) "
    }

    private func fourDigits(_ code: UInt32) -> String {
        let digits = String(code, radix: 16)
        return String(repeating: "0", count: max(4 - digits.count, 0)) + digits
    }
}
