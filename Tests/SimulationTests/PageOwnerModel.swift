import Testing

@testable import KernelHeap

/// Who got each page last, found out by comparing the page map before and after a step.
///
/// The model knows nothing of allocations. A page that is in use now and was not before was
/// allocated by a call of the step, or moved there from a page that is in use no more; a page that
/// went was freed by a call of the step.
struct PageOwnerModel {
    /// The call that got each page in use; nil for pages that were in use before the model was.
    private var calls: [UInt32: UInt64?] = [:]
    private var sequence: UInt64
    /// Pages that were seen to move.
    private(set) var moved = 0
    /// Pages whose owner was compared.
    private(set) var compared = 0

    init(_ kernel: borrowing Kernel) {
        sequence = kernel.sequence
        for frame in Self.framesInUse(kernel) { calls[frame] = .some(nil) }
    }

    /// Compares the owners with what the step did to the page map.
    ///
    /// - Returns: what is wrong.
    mutating func follow(_ kernel: borrowing Kernel) -> [String] {
        var wrong: [String] = []
        let inUse = Self.framesInUse(kernel)
        let gone = calls.keys.filter { !inUse.contains($0) }
        let earlier = Set(calls.values.compactMap(\.self))
        for frame in inUse.sorted() {
            let known = calls[frame]
            let owner = kernel.pages.owners[frame]
            // Whoever had a page before the model was may have it still.
            if case .some(nil) = known, (kernel.call(owner.allocatingCall) ?? 0) <= sequence {
                continue
            }
            guard owner.isAllocated, let call = kernel.call(owner.allocatingCall) else {
                wrong.append("frame \(frame) is in use and has no owner")
                continue
            }
            compared += 1
            let isNew = call > sequence && call <= kernel.sequence
            let hasMoved = owner.isMigrated && earlier.contains(call)
            if !(isNew || known == .some(call) || hasMoved) {
                wrong.append("frame \(frame) is call \(call)'s, not \(String(describing: known))'s")
            }
            if hasMoved, known == nil { moved += 1 }
            calls[frame] = call
        }
        for frame in gone {
            calls[frame] = nil
            let owner = kernel.pages.owners[frame]
            let call = kernel.call(owner.freeingCall) ?? 0
            guard owner.isAllocated || !owner.hasFree || call <= sequence else { continue }
            wrong.append("frame \(frame) was freed, which call \(call) did not note")
        }
        sequence = kernel.sequence
        return wrong
    }

    private static func framesInUse(_ kernel: borrowing Kernel) -> Set<UInt32> {
        var frames: Set<UInt32> = []
        let end = kernel.endPFN.rawValue
        var pfn: UInt64 = 0
        while pfn < end {
            let run = kernel.frameRun(at: pfn, limit: end)
            let isInUse: Bool
            switch run.use {
            case .slab: isInUse = true
            case .block(let page): isInUse = page.kind == .allocated
            case .hole, .reserved, .untouched: isInUse = false
            }
            if isInUse {
                for frame in run.start..<run.end { frames.insert(UInt32(frame)) }
            }
            pfn = max(run.end, pfn + 1)
        }
        return frames
    }
}
