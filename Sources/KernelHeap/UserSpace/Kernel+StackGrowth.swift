/// Stacks that grow at a fault below them: `expand_downwards()`, `mm/mmap.c`, 6.1.
extension Kernel {
    /// `RLIMIT_STACK`: 8 MiB.
    static let stackLimit: UInt64 = 8 << 20
    /// `RLIMIT_MEMLOCK`: 8 MiB.
    static let lockedLimit: UInt64 = 8 << 20

    /// Moves the beginning of the area above an address down to it, where that is a stack.
    ///
    /// A mapping below with rights keeps `stack_guard_gap` between itself and the stack; one without
    /// rights is a guard already.
    mutating func growStack(_ process: Int, to address: UInt64) {
        let space = processes[process].space
        let index = space.firstIndex(endingAfter: address)
        guard index < space.areas.count else { return }
        let area = space.areas[index]
        let start = address & ~4095
        guard area.flags.contains(.growsDown), start < area.start, start >= AddressSpace.lowest
        else {
            return
        }
        if index > 0 {
            let previous = space.areas[index - 1]
            let isGuard = previous.flags.contains(.growsDown) || previous.rights.isEmpty
            guard isGuard || start - previous.end >= VMArea.stackGuardBytes else { return }
        }
        let pages = (area.start - start) >> 12
        guard area.end - start <= Self.stackLimit, pages <= area.pageOffset,
            isEnoughMemory(pages),
            !area.flags.contains(.locked) || mayLock(process, pages)
        else { return }
        processes[process].space.preparePageOwner(at: area.start)
        processes[process].space.grow(index, downTo: start)
    }

    /// Whether memory may be promised: `__vm_enough_memory()` refuses only what the machine could
    /// never give.
    func isEnoughMemory(_ count: UInt64) -> Bool {
        var managed: UInt64 = 0
        for zone in pages.zones.indices { managed &+= pages.zones[zone].managed }
        return count <= managed &+ swap.totalPages
    }

    /// Whether more pages may be locked: `mlock_future_check()`.
    func mayLock(_ process: Int, _ pages: UInt64) -> Bool {
        let locked = processes[process].space.lockedPages
        return locked <= Self.lockedLimit >> 12 && pages <= Self.lockedLimit >> 12 - locked
    }
}
