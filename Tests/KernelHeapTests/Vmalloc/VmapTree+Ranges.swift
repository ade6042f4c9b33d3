@testable import KernelHeap

extension VmapTree {
    /// The ranges in order of address.
    func ranges(where isWanted: (VmapNode) -> Bool = { _ in true }) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        forEach { if isWanted($0) { ranges.append($0.start..<$0.end) } }
        return ranges
    }
}
