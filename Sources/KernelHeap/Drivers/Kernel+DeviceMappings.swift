/// A device's memory in a process: `mmap()` on its file, and what its driver puts there.
///
///     program   mmap(fd) ─→ an area without pages ─→ the driver's mmap ─→ remap_pfn_range()
///                                                                              ↓
///     tables    special PTEs, all at once: ──────────────→ frames, of memory or of a device
///
/// Nobody counts the pages behind special entries. The area keeps the file: its driver's `release`
/// runs after the last `munmap`. `mm/mmap.c` and `mm/memory.c`, 6.1.
extension Kernel {
    /// Most pages that a driver maps into one area: their entries and tables cost the host memory.
    private static let mappedPageLimit: UInt64 = 1 << 18

    /// The file's part of `mmap_region()`: the driver's method fills the area.
    ///
    /// - Parameters:
    ///   - area: where it will be; it gets what the method says of it.
    ///   - file: address of the device's `struct file`.
    ///   - context: whose process.
    /// - Returns: what the method returned, with its steps; nil for a value where the kernel died.
    mutating func fillDeviceArea(
        _ area: inout VMArea,
        of file: UInt64,
        in context: CallContext
    ) -> DeviceOutcome {
        guard let major = devices.files[file]?.major, let place = devices.device(major: major),
            !devices.devices[place].script[.mmap].isEmpty
        else { return .failure(.ENODEV) }
        area.device = file
        devices.mapping = area
        devices.mappingBudget = Self.mappedPageLimit
        let run = run(
            .mmap,
            ofDevice: major,
            [
                (.file, file), (.vma, area.start), (.vmStart, area.start), (.vmEnd, area.end),
                (.vmPageOffset, area.pageOffset),
            ],
            in: context
        )
        area = devices.mapping ?? area
        devices.mapping = nil
        return DeviceOutcome(
            value: run.value.map { Int64(bitPattern: $0) },
            facts: [Fact("steps", .list(run.steps))]
        )
    }

    /// `mmap()` as a system call.
    ///
    /// - Parameters:
    ///   - words: address, length, rights, flags, descriptor and offset.
    ///   - context: whose process.
    /// - Returns: the address or an error, with the steps of a driver's method.
    mutating func mapFile(_ words: [UInt64], in context: CallContext) -> DeviceOutcome {
        let rights = MemoryRights(rawValue: words[2] & 7)
        let descriptor = Int(Int32(truncatingIfNeeded: words[4]))
        let device = deviceFile(descriptor, in: context)
        if let (_, file, _) = device, words[3] & MapFlags.anonymous == 0 {
            let isShared = words[3] & MapFlags.typeMask != MapFlags.private
            let needsWrite = isShared && rights.contains(.write)
            guard file.isReadable, !needsWrite || file.isWritable else { return .failure(.EACCES) }
        }
        var filled = DeviceOutcome(value: 0)
        let fill = { (kernel: inout Kernel, area: inout VMArea) -> Errno? in
            guard let address = device?.address else { return .EBADF }
            filled = kernel.fillDeviceArea(&area, of: address, in: context)
            guard let value = filled.value else { return .EFAULT }
            return value == 0 ? nil : Errno(rawValue: Int32(clamping: 0 &- value)) ?? .EINVAL
        }
        let mapped = mmap(
            processIndex(context),
            hint: words[0],
            length: words[1],
            rights: rights,
            flags: words[3],
            descriptor: descriptor,
            offset: words[5],
            cpu: context.cpu,
            fill: device == nil ? nil : fill
        )
        guard filled.value != nil else { return filled }
        switch mapped {
        case .success(let address):
            return DeviceOutcome(value: Int64(bitPattern: address), facts: filled.facts)
        case .failure(let errno): return .failure(errno, filled.facts)
        }
    }

    /// `remap_pfn_range()`: maps frames that follow each other into the area that is being made.
    ///
    /// - Parameters:
    ///   - vma: what the driver's method was called with.
    ///   - address: of the first page.
    ///   - frame: the first one; any, for devices have frames beyond memory.
    ///   - size: bytes; the last page is mapped whole.
    ///   - context: whose process.
    /// - Returns: why not, or nil.
    mutating func remapFrames(
        vma: UInt64,
        at address: UInt64,
        frame: UInt64,
        size: UInt64,
        in context: CallContext
    ) -> Errno? {
        guard var area = devices.mapping, area.start == vma, address & 4095 == 0, size > 0,
            size <= userEnd
        else { return .EINVAL }
        let count = (size + 4095) >> 12
        let (end, overflow) = address.addingReportingOverflow(count << 12)
        guard !overflow, end <= userEnd, frame <= 1 << 36, frame + count <= 1 << 36 else {
            return .EINVAL
        }
        if !area.isShared && area.rights.contains(.write) {
            // Copies on write are found by their distance from the area's start alone.
            guard address == area.start, end == area.end else { return .EINVAL }
            area.pageOffset = frame
        }
        guard count <= devices.mappingBudget else { return .ENOMEM }
        devices.mappingBudget -= count
        area.flags.formUnion([.deviceMemory, .pfnMapped, .notExpanded, .notDumped])
        devices.mapping = area
        let process = processIndex(context)
        let flags = protection(area).union(.special)
        for number in 0..<count {
            let place = makeLeaf(process, at: address + number << 12, cpu: context.cpu)
            guard case .success(let leaf) = place else { return .ENOMEM }
            // BUG_ON(!pte_none(*pte)) in 6.1.
            guard leaf.entry.rawValue == 0 else { return .EBUSY }
            let entry = paging.format.entry(frame: frame + number, flags)
            setTableEntry(leaf.table, leaf.index, entry)
        }
        return nil
    }

    /// Counts an area's pages in or out of its device's file.
    ///
    /// What the last one leaves is released when the call has ended: `fput()` of 6.1 waits as long.
    mutating func countDeviceMapping(_ area: VMArea, isAdded: Bool) {
        guard let file = area.device, let pages = devices.files[file]?.mappedPages else { return }
        let count = area.pageCount
        let now = isAdded ? pages &+ count : pages - min(pages, count)
        devices.files[file]?.mappedPages = now
        if now == 0, devices.files[file]?.descriptorCount == 0 { devices.unused.append(file) }
    }

    /// Runs the `release` of files whose last area has gone.
    @inline(never)
    mutating func releaseUnusedFiles(in context: CallContext) {
        while let file = devices.unused.popLast() {
            guard let known = devices.files[file], known.descriptorCount == 0,
                known.mappedPages == 0
            else { continue }
            _ = endDeviceFile(file, in: context)
        }
    }
}
