/// `vm_map_ram()`: short mappings, from blocks that each CPU has.
extension Kernel {
    /// `vm_map_ram()`: up to 64 pages come from a block, more get addresses of their own.
    ///
    /// - Parameters:
    ///   - frames: the pages, at least one.
    ///   - context: whose CPU's block serves.
    /// - Returns: the address; 0 for NULL.
    mutating func vmMapRAM(_ frames: [UInt32], in context: CallContext) -> UInt64 {
        startVmalloc()
        let count = UInt64(frames.count)
        guard count > 0 else { return 0 }
        let start =
            count <= vmalloc.layout.blockMaximum
            ? vmalloc.takeFromBlock(count, cpu: context.cpu)
            : vmalloc.allocate(
                size: count << 12,
                alignment: 4096,
                VmapUse(kind: .ram, maker: UInt32(truncatingIfNeeded: sequence))
            ).map { vmalloc.busy[$0].start }
        guard let start else { return 0 }
        let flags: PageTableEntry.Flags = [.kernelPage, .noExecute]
        guard mapFrames(start, frames, flags, cpu: context.cpu) else {
            vmUnmapRAM(start, count: count, in: context)
            return 0
        }
        return start
    }

    /// `vm_unmap_ram()`: what no block or mapping is behind stops the kernel.
    ///
    /// - Parameters:
    ///   - address: as `vm_map_ram()` returned it.
    ///   - count: of pages, as it was given.
    ///   - context: where the call is made.
    mutating func vmUnmapRAM(_ address: UInt64, count: UInt64, in context: CallContext) {
        mightSleep(at: "mm/vmalloc.c:2211", in: context)
        startVmalloc()
        let isInside = vmalloc.layout.contains(address)
        guard isInside, address & 4095 == 0 else {
            return log.bug(at: "mm/vmalloc.c:2215", in: "vm_unmap_ram+0x1b0/0x1c0", context)
        }
        if count <= vmalloc.layout.blockMaximum {
            guard let (range, result) = vmalloc.returnToBlock(address, count) else {
                return logAccessFault(at: 0, isWrite: true)
            }
            unmapArea(range, order: 0)
            if result == .isInconsistent {
                log.bug(at: "mm/vmalloc.c:2085", in: "vm_unmap_ram+0x17a/0x1c0", context)
            }
            return
        }
        let place = vmalloc.busy.containing(address)
        guard place != 0, vmalloc.busy[place].use.kind == .ram else {
            return log.bug(at: "mm/vmalloc.c:2229", in: "vm_unmap_ram+0x1b2/0x1c0", context)
        }
        let node = vmalloc.busy[place]
        unmapArea(node.start..<node.end, order: 0)
        vmalloc.release(place)
    }

    /// `vm_unmap_aliases()`: purges, after half-used blocks have gone back.
    mutating func vmUnmapAliases() {
        startVmalloc()
        vmalloc.releaseFragmentedBlocks()
        vmalloc.purge()
        flushKernel()
    }
}

extension VmallocArena {
    /// Takes a run of pages from one of a CPU's blocks, or from a new one.
    mutating func takeFromBlock(_ count: UInt64, cpu: Int) -> UInt64? {
        let run = Self.powerOfTwo(count)
        let pages = layout.blockPages
        if let address = blocks.take(run, cpu: cpu, blockPages: pages) { return address }
        let use = VmapUse(kind: .block, address: UInt64(blocks.nextNumber))
        guard let place = allocate(size: pages << 12, alignment: pages << 12, use) else {
            return nil
        }
        blocks.add(VmapBlock(start: busy[place].start, cpu: cpu, freePages: pages))
        return blocks.take(run, cpu: cpu, blockPages: pages)
    }

    /// Makes a run dirty; a block that is dirty throughout goes back: `vb_free()`.
    ///
    /// - Returns: the addresses to unmap, and what became of the block; nil where no block is.
    mutating func returnToBlock(
        _ address: UInt64,
        _ count: UInt64
    ) -> (range: Range<UInt64>, result: VmapBlocks.Return)? {
        let place = busy.containing(address)
        guard place != 0, busy[place].use.kind == .block else { return nil }
        let number = Int(busy[place].use.address)
        let end = min(address + count << 12, busy[place].end)
        let run = Self.powerOfTwo(count)
        let result = blocks.makeDirty(number, run, blockPages: layout.blockPages)
        if result == .isDirty {
            blocks.remove(number)
            release(place)
        }
        return (address..<end, result)
    }

    /// Gives back blocks that have pages left and none in use: `purge_fragmented_blocks()`.
    mutating func releaseFragmentedBlocks() {
        for start in blocks.removeFragmented(blockPages: layout.blockPages) {
            let place = busy.containing(start)
            if place != 0 { release(place) }
        }
    }

    private static func powerOfTwo(_ count: UInt64) -> UInt64 {
        count <= 1 ? 1 : 1 << UInt64(UInt64.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
