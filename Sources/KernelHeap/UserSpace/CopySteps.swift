/// How far the copy loops of a 32-bit kernel come where user memory ends: they do not go byte by byte.
///
///     aligned alike, or short    | bytes up to 8 of the target | words of 4 | bytes |
///     else, on Intel's           | blocks of 64, read ahead | words of 4 | bytes |
///
/// A word that crosses the end is not moved at all. A block counts as not copied when any of its accesses
/// faults, whatever was stored before. Follows `arch/x86/lib/usercopy_32.c`, 6.1; held to the recordings
/// `i386/*/usercopy`.
struct CopySteps: Hashable, Sendable {
    /// The target's address.
    var target: UInt64
    /// The source's address.
    var source: UInt64
    /// Bytes.
    var count: UInt64
    /// User memory is read; otherwise it is written.
    var isLoad: Bool
    /// The processor moves words badly that are not aligned alike: Intel's from the Pentium Pro on.
    var hasBlocks = true

    /// What a copy came to.
    struct Progress: Hashable, Sendable {
        /// Bytes stored.
        var moved: UInt64
        /// Bytes that it says were copied; no more.
        var counted: UInt64
    }

    /// Where the copy ends.
    ///
    /// - Parameter reached: bytes of user memory from its address on that can be accessed; at most `count`.
    /// - Returns: bytes from the beginning.
    func progress(reached: UInt64) -> Progress {
        guard reached < count else { return Progress(moved: count, counted: count) }
        if hasBlocks, count >= 64, (target ^ source) & 7 != 0 {
            return blocks(reached)
        }
        guard count > 7 else { return Progress(moved: reached, counted: reached) }
        let head = (0 &- target) & 7
        guard reached >= head else { return Progress(moved: reached, counted: reached) }
        return words(from: head, reached)
    }

    /// Words from a place on, then single bytes.
    private func words(from start: UInt64, _ reached: UInt64) -> Progress {
        let whole = (count - start) & ~3
        let available = reached - start
        let done = available < whole ? start + available & ~3 : reached
        return Progress(moved: done, counted: done)
    }

    private func blocks(_ reached: UInt64) -> Progress {
        var start: UInt64 = 0
        while count - start >= 64 {
            if let moved = stop(inBlockAt: start, reached) {
                return Progress(moved: moved, counted: start)
            }
            start += 64
        }
        return words(from: start, reached)
    }

    /// Where a block stops; nil where it is moved as a whole.
    private func stop(inBlockAt start: UInt64, _ reached: UInt64) -> UInt64? {
        guard isLoad else {
            return reached < start + 64 ? start + (reached - start) & ~3 : nil
        }
        // Reading ahead: the middle of this block, and the next one where there is a word of it.
        if reached < start + 36 { return start }
        if count - start > 67, reached < start + 68 { return start }
        // Two words are loaded before the first of them is stored.
        return reached < start + 64 ? start + (reached - start) & ~7 : nil
    }
}

extension Kernel {
    /// How far a copy of a 32-bit kernel comes.
    struct StepLimit {
        /// Bytes stored.
        var moved: UInt64
        /// Bytes that count as copied.
        var counted: UInt64
        /// What stopped it.
        var fault: UserFault
    }

    /// Looks how far user memory goes, before a copy of a 32-bit kernel.
    ///
    /// - Parameters:
    ///   - process: whose memory, as an index.
    ///   - steps: the copy.
    ///   - address: of the user's side.
    ///   - count: bytes that the kernel's side allows.
    ///   - mayFault: as the copy's function says.
    ///   - context: of the caller.
    /// - Returns: nil where nothing is in the way, and on 64-bit machines, whose copies are exact.
    mutating func stepLimit(
        _ process: Int,
        _ steps: CopySteps,
        _ address: UInt64,
        _ count: UInt64,
        mayFault: Bool,
        in context: CallContext
    ) -> StepLimit? {
        guard layout.is32Bit, count == steps.count else { return nil }
        let (reached, fault) = walkUser(
            process,
            address,
            count,
            for: steps.isLoad ? .load : .store,
            isCopy: true,
            mayFault: mayFault && self.mayFault(process, in: context),
            cpu: context.cpu
        ) { _, _, _, _ in }
        guard let fault else { return nil }
        var steps = steps
        steps.hasBlocks = paging.controls.hasBlockCopies
        let progress = steps.progress(reached: reached)
        return StepLimit(moved: progress.moved, counted: progress.counted, fault: fault)
    }
}
