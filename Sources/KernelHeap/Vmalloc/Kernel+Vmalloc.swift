/// `vmalloc()` and its like: pages that need not be neighbours, at addresses that are.
extension Kernel {
    /// What one of the family's functions asks for: the arguments of `__vmalloc_node_range()`.
    struct VmallocRequest {
        var size: UInt64
        var flags: GFPFlags = .kernel
        /// `VM_USERMAP`, `VM_ALLOW_HUGE_VMAP`.
        var areaFlags: VmapUse.Flags = []
        /// A power of two, in bytes.
        var alignment: UInt64 = 4096
    }

    /// Makes the boot's areas, when something first looks.
    mutating func startVmalloc() {
        guard !vmalloc.isStarted else { return }
        vmalloc = freshArena()
    }

    /// The arena as it is after boot.
    func freshArena() -> VmallocArena {
        let memory = machine.memoryBytes
        let place = VmallocLayout(
            layout,
            cpus: machine.cpus,
            purgesAtOnce: profile.platform == .classicI386
        )
        return switch profile.platform {
        case .x8664: VmallocArena(place, areas: BootAreas.linux61X8664(memory: memory))
        case .i386:
            VmallocArena(
                place,
                areas: BootAreas.linux61I386(memory: memory, layout, hasPAE: machine.pae),
                lazy: BootAreas.lazyI386(layout)
            )
        case .classicI386: VmallocArena(place)
        }
    }

    /// `vmalloc()`: virtually contiguous pages.
    ///
    /// - Parameters:
    ///   - size: bytes.
    ///   - flags: how the pages may be found.
    ///   - context: must not be an interrupt.
    /// - Returns: an address in the vmalloc area, or null.
    public mutating func vmalloc(
        size: UInt64,
        flags: GFPFlags = .kernel,
        in context: CallContext = .standard
    ) -> LinearAddress {
        let request = VmallocRequest(size: size, flags: flags)
        return LinearAddress(rawValue: vmalloc(request, in: context))
    }

    /// `vfree()`: NULL is ignored.
    public mutating func vfree(_ address: LinearAddress, in context: CallContext = .standard) {
        vfree(address.rawValue, in: context)
    }

    /// `__vmalloc_node_range()`, 6.1.
    ///
    /// - Parameters:
    ///   - request: bytes, flags of the pages and of the area.
    ///   - context: must not be an interrupt.
    /// - Returns: the address; 0 for NULL, with nothing kept.
    mutating func vmalloc(_ request: VmallocRequest, in context: CallContext) -> UInt64 {
        startVmalloc()
        guard request.size > 0 else {
            log.warnOnce(
                at: "mm/vmalloc.c:3227",
                in: "__vmalloc_node_range+0x806/0x880",
                context
            )
            return 0
        }
        guard request.size >> 12 <= managedPages else {
            let reason = "size \(request.size), exceeds total pages"
            vmallocError(reason, request.flags, context)
            return 0
        }
        guard request.size <= Self.areaLimit else {
            // As though memory had ended behind the limit.
            let reason =
                "size \(Self.areaLimit), page order 0, failed to allocate pages"
            vmallocError(reason, request.flags, context)
            return 0
        }
        let huge = vmalloc.layout.hugeOrder
        // Without a node, each node's share of the area must fill a large page.
        let share = request.size / UInt64(max(slab.nodeCount, 1))
        if huge > 0, request.areaFlags.contains(.allowHuge), share >= 4096 << UInt64(huge) {
            let address = vmalloc(request, order: huge, in: context)
            if address != 0 { return address }
        }
        return vmalloc(request, order: 0, in: context)
    }

    /// The most bytes of an area: every page that backs one costs the host memory.
    static let areaLimit: UInt64 = 4 << 30

    /// Pages that the page allocator was given at boot: `totalram_pages()`.
    var managedPages: UInt64 {
        pages.zones.indices.reduce(0) { $0 &+ pages.zones[$1].managed }
    }

    private mutating func vmalloc(
        _ request: VmallocRequest,
        order: Int,
        in context: CallContext
    ) -> UInt64 {
        let block: UInt64 = 4096 << UInt64(order)
        // At most `areaLimit`, so neither the sum nor the count of pages overflows.
        let size = (request.size + block - 1) & ~(block - 1)
        let flags = request.areaFlags.union(.alloc)
        let area = newArea(
            size: size,
            alignment: max(block, request.alignment),
            flags,
            in: context
        )
        guard let place = area else {
            if order == 0 {
                let reason = "size \(request.size), vm_struct allocation failed"
                vmallocError(reason, request.flags, context)
            }
            return 0
        }
        let address = vmalloc.busy[place].start
        guard back(address, request, pages: size >> 12, order: order, in: context) else {
            return 0
        }
        noteSanitizedArea(address, requested: request.size, in: context)
        return address
    }

    /// Finds addresses for an area and its guard page: `__get_vm_area_node()`.
    ///
    /// - Parameters:
    ///   - size: whole pages, at least one.
    ///   - alignment: a power of two of at least a page.
    ///   - flags: of the area.
    ///   - address: for `VmapUse.address`.
    ///   - context: must not be an interrupt.
    /// - Returns: the area; nil where no gap is left, and in interrupts, where the kernel stops.
    mutating func newArea(
        size: UInt64,
        alignment: UInt64,
        _ flags: VmapUse.Flags,
        address: UInt64 = 0,
        in context: CallContext
    ) -> UInt32? {
        startVmalloc()
        guard !context.isInInterrupt else {
            log.bug(at: "mm/vmalloc.c:2477", in: "__get_vm_area_node+0x18e/0x1b0", context)
            return nil
        }
        mightAllocate(.kernel, isObject: true, in: context)
        let (whole, overflow) = size.addingReportingOverflow(4096)
        let maker = UInt32(truncatingIfNeeded: sequence)
        let use = VmapUse(flags, maker: maker, address: address)
        if !overflow,
            let place = vmalloc.allocate(size: whole, alignment: alignment, use)
        {
            return place
        }
        log.append(
            "vmap allocation for size \(whole) failed: use vmalloc=<size> to increase size"
        )
        return nil
    }

    /// Gets the pages of an area and maps them: `__vmalloc_area_node()`.
    ///
    /// - Returns: false where there is no memory; then the area is gone.
    private mutating func back(
        _ address: UInt64,
        _ request: VmallocRequest,
        pages count: UInt64,
        order: Int,
        in context: CallContext
    ) -> Bool {
        // The array of page pointers; up to one page of it comes from kmalloc, and is not modelled.
        let arrayBytes = count * UInt64(paging.format.levelCount == 4 ? 8 : 4)
        var array: UInt64 = 0
        if arrayBytes > 4096 {
            let reclaim: GFPFlags = [.kernel, .high, .noFail, .noRetry, .retryMayFail, .memAlloc]
            let flags = request.flags.intersection(reclaim).union(.zero)
            array = vmalloc(VmallocRequest(size: arrayBytes, flags: flags), in: context)
            guard array != 0 else {
                let reason =
                    "size \(count << 12), failed to allocated page array size \(arrayBytes)"
                vmallocError(reason, request.flags, context)
                removeArea(address, freesPages: false, in: context)
                return false
            }
            vmalloc.markPageArray(array)
        }
        let frames = vmallocPages(count, order: order, request.flags, in: context)
        setPages(frames, of: address, array: array, order: order)
        vmalloc.usedPages += UInt64(frames.count)
        guard UInt64(frames.count) == count else {
            if order == 0 {
                let reason =
                    "size \(frames.count << 12), page order \(order), failed to allocate pages"
                vmallocError(reason, request.flags, context)
            }
            removeArea(address, freesPages: true, in: context)
            return false
        }
        let flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
        let isMapped =
            order == 0
            ? mapFrames(address, frames, flags, cpu: context.cpu)
            : mapLarge(address, frames, order: order, flags, cpu: context.cpu)
        guard isMapped else {
            let reason = "size \(frames.count << 12), failed to map pages"
            vmallocError(reason, request.flags, context)
            removeArea(address, freesPages: true, in: context)
            return false
        }
        return true
    }

    /// Notes what backs an area.
    mutating func setPages(_ frames: [UInt32], of address: UInt64, array: UInt64, order: Int) {
        let place = vmalloc.busy.containing(address)
        guard place != 0 else { return }
        var use = vmalloc.busy[place].use
        use.pageCount = UInt32(truncatingIfNeeded: frames.count)
        use.frames = vmalloc.frames.add(frames)
        use.address = array
        use.pageOrder = UInt8(truncatingIfNeeded: order)
        vmalloc.busy.setUse(place, use)
    }

    /// Single pages, a hundred at a time, then one by one: `vm_area_alloc_pages()`.
    ///
    /// - Parameters:
    ///   - count: pages.
    ///   - order: of the blocks that are taken; they are split.
    ///   - flags: as the caller gave them.
    ///   - context: whose CPU's lists serve.
    /// - Returns: the frames in the order of their addresses; fewer than `count` where memory ends.
    private mutating func vmallocPages(
        _ count: UInt64,
        order: Int,
        _ flags: GFPFlags,
        in context: CallContext
    ) -> [UInt32] {
        var flags = flags.union(.noWarn)
        if flags.isDisjoint(with: [.dma, .dma32]) { flags.insert(.highMem) }
        var frames: [UInt32] = []
        frames.reserveCapacity(Int(clamping: count))
        let wanted = Int(clamping: count)
        while order == 0 && frames.count < wanted {
            let asked = min(100, wanted - frames.count)
            let bulk = flags.subtracting(.noFail)
            let some = allocPagesBulk(asked, flags: bulk, in: context)
            if slab.catalog.options.initOnAlloc && !bulk.contains(.zero) {
                for frame in some { pages.contents.clear(frame, pages: 1) }
            }
            frames += some
            if some.count != asked { break }
        }
        while frames.count < wanted {
            guard let block = allocPages(order: order, flags: flags, in: context) else { break }
            let first = UInt32(truncatingIfNeeded: block.rawValue)
            if order > 0 { splitBlock(first) }
            for offset in 0..<UInt32(1 << order) { frames.append(first + offset) }
        }
        return frames
    }

    /// `warn_alloc()` for vmalloc: a line, and for the first of a burst the memory report.
    private mutating func vmallocError(
        _ reason: String,
        _ flags: GFPFlags,
        _ context: CallContext
    ) {
        guard !flags.contains(.noWarn) else { return }
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        let mode = hexadecimal(UInt64(profile.gfp.number(of: flags)))
        log.append(
            "\(name): vmalloc error: \(reason), mode:\(mode)(\(profile.gfp.text(of: flags))), "
                + "nodemask=(null),cpuset=/,mems_allowed=0"
        )
        appendMemoryReport(flags, context)
    }
}
