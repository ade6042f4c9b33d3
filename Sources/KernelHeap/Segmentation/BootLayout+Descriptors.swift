/// Where the boot's descriptors are: which frames, and which addresses lead there.
extension BootLayout {
    /// Gives each CPU a GDT, an entry stack and a TSS.
    ///
    /// - Parameters:
    ///   - cpus: how many.
    ///   - first: the frame of the first page.
    ///   - hasEntryAreas: whether the kernel has a window for them (since 4.15); otherwise they are
    ///     seen in the direct map only, and must lie there.
    mutating func addDescriptors(cpus: Int, first: UInt64, hasEntryAreas: Bool) {
        let cpus = min(max(cpus, 1), BootDescriptors.maximumCPUs)
        let count = UInt64(cpus * BootDescriptors.pagesPerCPU)
        descriptorFrames = first..<first + count
        self.hasEntryAreas = hasEntryAreas
        guard hasEntryAreas else { return }
        for cpu in 0..<cpus {
            for (number, page) in BootDescriptors(cpu: cpu).pages.enumerated() {
                let frame = first + UInt64(cpu * BootDescriptors.pagesPerCPU + number)
                addPages(1, at: UInt64(page), frame, [.kernelPage, .noExecute], .table)
            }
        }
    }
}

extension BootTables {
    /// A CPU's descriptors; of the recorded kernel where the layout has no frames for them.
    func descriptors(cpu: Int) -> BootDescriptors {
        guard !layout.hasEntryAreas, !descriptorFrames.isEmpty else {
            return BootDescriptors(cpu: cpu)
        }
        let frame = descriptorFrames.lowerBound + UInt64(cpu * BootDescriptors.pagesPerCPU)
        return BootDescriptors(
            pagesAt: UInt32(truncatingIfNeeded: BootLayout.lowMemoryStart &+ frame << 12)
        )
    }

    var descriptorFrames: Range<UInt64> { layout.descriptorFrames }

    /// The CPU and the page that a frame is for.
    func descriptorPlace(of frame: UInt32) -> (cpu: Int, page: Int)? {
        guard descriptorFrames.contains(UInt64(frame)) else { return nil }
        let number = Int(UInt64(frame) - descriptorFrames.lowerBound)
        return (number / BootDescriptors.pagesPerCPU, number % BootDescriptors.pagesPerCPU)
    }
}
