/// Copies of kernel memory carry along which of their bytes nobody has written, as KMSAN's shadow
/// does: `kmsan_memmove_metadata()`, `mm/kmsan/core.c`, 6.1.
///
///     source   | written | ······ |        · nobody wrote it
///     target   | written | ······ |        whatever it was before the copy
extension Kernel {
    /// Copied parts that are carried along, at most; of a copy with more all bytes count as written.
    private static let copiedPartLimit = 64

    /// Which bytes nobody has written of memory that is about to be copied.
    ///
    /// - Parameters:
    ///   - source: where the copy begins.
    ///   - length: bytes.
    /// - Returns: ascending parts, as offsets from the copy's start.
    func unwrittenParts(_ source: UInt64, _ length: UInt64) -> [Range<UInt64>] {
        guard isSanitized || !written.isEmpty, length > 0, let place = slabPlace(at: source),
            place.isAllocated
        else { return [] }
        let (end, overflow) = source.addingReportingOverflow(length)
        guard !overflow else { return [] }
        let parts = unwritten(source..<end, of: place)
        guard parts.count <= Self.copiedPartLimit else { return [] }
        return parts.map { $0.lowerBound - source..<$0.upperBound - source }
    }

    /// Notes that a copy stored bytes that nobody had written, after the stores themselves.
    ///
    /// - Parameters:
    ///   - parts: what `unwrittenParts` said before the copy.
    ///   - target: where the copy began to store.
    ///   - stored: offsets that the copy came to.
    mutating func noteUnwritten(
        _ parts: [Range<UInt64>],
        at target: UInt64,
        stored: Range<UInt64>
    ) {
        guard !parts.isEmpty, let place = slabPlace(at: target &+ stored.lowerBound),
            place.isAllocated
        else { return }
        let begin = place.begin.rawValue
        let object = begin..<begin &+ place.size
        let index = isSanitized ? sanitizedIndex(of: begin) : nil
        if let index, slab.sanitized[index].writes == .none { return }
        for part in parts {
            let copied = part.clamped(to: stored)
            let (start, overflow) = target.addingReportingOverflow(copied.lowerBound)
            let (end, overflows) = target.addingReportingOverflow(copied.upperBound)
            guard !overflow, !overflows else { continue }
            written.forget(begin, (start..<end).clamped(to: object))
        }
        if let index { slab.sanitized[index].writes = written.hasGaps(begin) ? .some : .all }
    }
}
