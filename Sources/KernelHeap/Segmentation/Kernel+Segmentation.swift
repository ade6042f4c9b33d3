/// Instructions that segmentation decides, on the machine's memory.
extension Kernel {
    /// Whether the processors run in modes that have segments with bases and limits.
    public var hasSegmentation: Bool { paging.format.addressBits == 32 }

    /// A CPU's registers and tables.
    ///
    /// - Parameter cpu: below the machine's count.
    /// - Returns: as the boot left them where nothing has changed them.
    public func segmentationUnit(cpu: Int) -> SegmentationUnit {
        if let unit = segmentation[cpu] { return unit }
        return SegmentationUnit(booted: bootTables().descriptors(cpu: cpu))
    }

    /// Runs an instruction on a CPU; its fault leaves the CPU as it was.
    ///
    /// A page fault that the kernel would handle brings the page, and the instruction is run again.
    ///
    /// - Parameters:
    ///   - context: the CPU and the process.
    ///   - instruction: changes the CPU's registers and memory.
    /// - Returns: what the instruction came to, or its fault.
    mutating func runInstruction<Value>(
        in context: CallContext,
        _ instruction: (inout SegmentationUnit, inout Kernel) throws(SegmentFault) -> Value
    ) -> Result<Value, SegmentFault> {
        let process = process(context.pid) ?? 0
        _ = keptBootTables()
        segmentation.process = process
        defer { segmentation.isPaged = true }
        // A frame of 35 words touches two pages of each of two stacks.
        var pagesLeft = 4
        while true {
            var unit = segmentationUnit(cpu: context.cpu)
            segmentation.isPaged = unit.mode == .protected
            do throws(SegmentFault) {
                let value = try instruction(&unit, &self)
                segmentation[context.cpu] = unit
                return .success(value)
            } catch {
                guard let address = error.address else { return .failure(error) }
                guard pagesLeft > 0, bringPage(of: error, at: address, process, context.cpu) else {
                    paging.cr2 = UInt64(address)
                    return .failure(error)
                }
                pagesLeft -= 1
            }
        }
    }

    /// Whether a program's page fault ends with the page there.
    private mutating func bringPage(
        of fault: SegmentFault,
        at address: UInt32,
        _ process: Int,
        _ cpu: Int
    ) -> Bool {
        let address = UInt64(address)
        guard let code = fault.errorCode, code & 4 != 0, address < userEnd else { return false }
        let access: UserAccess = code & 2 != 0 ? .store : .load
        return handleUserFault(process, at: address, for: access, cpu: cpu) == nil
    }
}

/// Linear memory: the page tables of the process whose instruction runs.
extension Kernel: SegmentMemory {
    func load(_ address: UInt32, _ count: Int, isUser: Bool) throws(SegmentFault) -> UInt64 {
        let boot = bootTables()
        var bytes: [UInt8] = []
        var place = address
        while bytes.count < count {
            let offset = Int(place & 4095)
            let length = min(count - bytes.count, 4096 - offset)
            let frame = try frame(of: place, isUser ? .userLoad : .kernelLoad, boot)
            append(length, of: frame, offset, boot, to: &bytes)
            place = place &+ UInt32(truncatingIfNeeded: length)
        }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func store(
        _ address: UInt32,
        _ count: Int,
        _ value: UInt64,
        isUser: Bool
    ) throws(SegmentFault) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
        let access: PageAccess = isUser ? .userStore : .kernelStore
        // Both pages must be open before the first byte goes.
        let last = address &+ UInt32(truncatingIfNeeded: max(count - 1, 0))
        let lastFrame = try frameOfStore(last, access)
        let firstFrame = try frameOfStore(address, access)
        let offset = Int(address & 4095)
        let head = min(count, 4096 - offset)
        write(bytes[..<head], to: firstFrame, offset)
        if head < count { write(bytes[head...], to: lastFrame, 0) }
    }

    private func frame(
        of address: UInt32,
        _ access: PageAccess,
        _ boot: BootTables
    ) throws(SegmentFault) -> UInt64 {
        guard segmentation.isPaged else { return UInt64(address) >> 12 }
        let address = UInt64(address)
        let walk = walk(address, root: root(of: segmentation.process, boot), boot)
        guard walk.end == .mapped, rights(of: walk).contains(PageRights(access)) else {
            throw SegmentFault(page: fault(address, access, walk))
        }
        return walk.frame
    }

    private mutating func frameOfStore(
        _ address: UInt32,
        _ access: PageAccess
    ) throws(SegmentFault) -> UInt64 {
        guard segmentation.isPaged else { return UInt64(address) >> 12 }
        switch translate(UInt64(address), for: access, process: segmentation.process) {
        case .success(let frame): return frame
        case .failure(let fault): throw SegmentFault(page: fault)
        }
    }

    private func append(
        _ count: Int,
        of frame: UInt64,
        _ offset: Int,
        _ boot: BootTables,
        to bytes: inout [UInt8]
    ) {
        if let number = UInt32(exactly: frame), boot.descriptorFrames.contains(frame) {
            if let page = unwrittenDescriptors(number, boot) {
                bytes += page[offset..<offset + count]
            } else {
                pages.contents.read(number, offset: offset, count: count, into: &bytes)
            }
        } else if isMemory(frame), let number = memoryFrame(frame) {
            readFrame(number, offset: offset, count: count, into: &bytes)
        } else {
            bytes += repeatElement(0xff, count: count)
        }
    }

    private mutating func write(_ bytes: ArraySlice<UInt8>, to frame: UInt64, _ offset: Int) {
        let boot = keptBootTables()
        if let number = UInt32(exactly: frame), boot.descriptorFrames.contains(frame) {
            writeOutDescriptors(number, boot)
            pages.contents.write(number, offset: offset, bytes)
        } else if isMemory(frame), let number = memoryFrame(frame) {
            writeFrame(number, offset: offset, bytes)
        }
    }
}

extension SegmentFault {
    fileprivate init(page fault: PageFault) {
        self.init(
            .page,
            fault.code,
            .pageFault,
            address: UInt32(truncatingIfNeeded: fault.address)
        )
    }
}

/// The boot's descriptors in memory: a rule until something stores there.
extension Kernel {
    /// The bytes of a page of the boot's descriptors that has none yet.
    func unwrittenDescriptors(_ frame: UInt32, _ boot: BootTables) -> [UInt8]? {
        guard !segmentation.writtenOut.contains(frame), let place = boot.descriptorPlace(of: frame)
        else { return nil }
        return boot.descriptors(cpu: place.cpu).bytes(ofPage: place.page)
    }

    /// Gives such a page its bytes.
    mutating func writeOutDescriptors(_ frame: UInt32, _ boot: BootTables) {
        guard hasSegmentation, boot.descriptorPlace(of: frame) != nil else { return }
        if let bytes = unwrittenDescriptors(frame, boot) {
            pages.contents.write(frame, offset: 0, bytes[...])
        }
        segmentation.writtenOut.insert(frame)
    }
}
