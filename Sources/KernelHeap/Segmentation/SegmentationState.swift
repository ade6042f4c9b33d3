/// The segmentation of a machine's processors, and what a running instruction sees of memory.
struct SegmentationState: Sendable {
    /// By CPU; one that nothing has changed is not kept.
    private var units: [Int: SegmentationUnit] = [:]
    /// Whose page tables are in CR3, as an index.
    var process = 0
    /// Real mode: linear addresses are physical ones.
    var isPaged = true
    /// Frames of `BootDescriptors` that have bytes of their own.
    var writtenOut: Set<UInt32> = []

    subscript(cpu: Int) -> SegmentationUnit? {
        get { units[cpu] }
        set { units[cpu] = newValue }
    }

    var heldBytes: Int { units.count * 192 + writtenOut.count * 16 }
}
