/// Loads or stores of one size, side by side, as a loop over memory makes them.
struct AccessRun {
    var address: UInt64
    /// Bytes of all of them together.
    var length: UInt64
    /// Bytes of each; the last one may have fewer.
    var unit: UInt64 = 1
    /// Whether the sanitizer is asked about the first byte of each only: `read_word_at_a_time()`.
    var asksFirstByte = false
}

/// Loops whose every access the sanitizer is asked about: `lib/string.c` with `CONFIG_KASAN`.
extension Kernel {
    /// Reports the first access of a run that touches what it may not.
    ///
    /// Those behind it are made all the same, and not reported: one loop, one report.
    ///
    /// - Returns: whether there is nothing to report.
    @discardableResult
    mutating func checkRun(
        _ run: AccessRun,
        isWrite: Bool,
        _ function: StaticString,
        in context: CallContext
    ) -> Bool {
        guard let offset = firstWrong(run) else { return true }
        return checkShadow(
            run.address &+ offset,
            min(run.unit, run.length - offset),
            isWrite: isWrite,
            function,
            in: context
        )
    }

    /// The first access of a run that touches what it may not, as its offset in bytes.
    ///
    /// Costs one step for each object, block or area that the run reaches.
    mutating func firstWrong(_ run: AccessRun) -> UInt64? {
        guard isSanitized, run.length > 0 else { return nil }
        if layout.isVmalloc(run.address) { startVmalloc() }
        guard run.address >= ShadowByte.firstAddress else { return 0 }
        // Behind the last address comes the first one, which has no shadow.
        let room = min(run.length, 0 &- run.address)
        let wrap = room < run.length ? room - room % run.unit : nil
        guard run.asksFirstByte else {
            return firstPoisoned(run.address, min(room, ~run.address)).map { bad in
                let offset = bad &- run.address
                return offset - offset % run.unit
            } ?? wrap
        }
        var offset: UInt64 = 0
        while offset < room {
            let place = run.address &+ offset
            let end = accessibleEnd(from: place)
            guard end > place else { return offset }
            // On to the first access that begins behind what may be touched.
            let reached = min(end &- place, room - offset)
            offset += (reached + run.unit - 1) / run.unit * run.unit
        }
        return wrap
    }
}
