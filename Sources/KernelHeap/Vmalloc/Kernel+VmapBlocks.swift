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
            guard let range = vmalloc.returnToBlock(address, count) else {
                return logAccessFault(at: 0, isWrite: true)
            }
            return unmapArea(range, order: 0)
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
    /// Takes a run of pages from the first of a CPU's blocks that has it: `vb_alloc()`.
    mutating func takeFromBlock(_ count: UInt64, cpu: Int) -> UInt64? {
        let run = Self.powerOfTwo(count)
        let found = blocks.firstIndex { $0.cpu == cpu && $0.freePages >= run }
        guard let index = found ?? makeBlock(cpu: cpu) else { return nil }
        let offset = layout.blockPages - blocks[index].freePages
        blocks[index].freePages -= run
        return blocks[index].start + offset << 12
    }

    private mutating func makeBlock(cpu: Int) -> Int? {
        let bytes = layout.blockPages << 12
        guard let place = allocate(size: bytes, alignment: bytes, VmapUse(kind: .block)) else {
            return nil
        }
        let start = busy[place].start
        blocks.append(VmapBlock(start: start, cpu: cpu, freePages: layout.blockPages))
        return blocks.count - 1
    }

    /// Makes a run dirty; a block that is dirty throughout goes back: `vb_free()`.
    ///
    /// - Returns: the addresses to unmap; nil where no block is.
    mutating func returnToBlock(_ address: UInt64, _ count: UInt64) -> Range<UInt64>? {
        let bytes = layout.blockPages << 12
        guard
            let index = blocks.firstIndex(where: {
                $0.start <= address && address - $0.start < bytes
            })
        else { return nil }
        let run = Self.powerOfTwo(count)
        let end = min(address + count << 12, blocks[index].start + bytes)
        blocks[index].dirtyPages = min(blocks[index].dirtyPages + run, layout.blockPages)
        if blocks[index].dirtyPages == layout.blockPages { releaseBlock(index) }
        return address..<end
    }

    /// Gives back blocks that have pages left and none in use: `purge_fragmented_blocks()`.
    mutating func releaseFragmentedBlocks() {
        for index in blocks.indices.reversed()
        where blocks[index].freePages + blocks[index].dirtyPages == layout.blockPages {
            releaseBlock(index)
        }
    }

    private mutating func releaseBlock(_ index: Int) {
        let place = busy.containing(blocks.remove(at: index).start)
        if place != 0 { release(place) }
    }

    private static func powerOfTwo(_ count: UInt64) -> UInt64 {
        count <= 1 ? 1 : 1 << UInt64(UInt64.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
