/// The blocks of `vm_map_ram()`: those that have pages left stand in a queue of their CPU.
///
/// A block is found by the number that its area has, `VmapUse.address`; numbers are used again. Taking
/// pages looks through the CPU's queue, oldest block first; giving them back costs no search here.
struct VmapBlocks {
    private var blocks: [VmapBlock] = []
    private var freeNumbers: [Int] = []
    /// For each CPU the numbers of its blocks with pages left: `vmap_block_queue`.
    private var queues: [[Int]] = []

    /// What a run's return means for its block.
    enum Return {
        case isKept
        /// All of it was in use and is dirty.
        case isDirty
        /// It counts as dirty throughout, and has pages left: something was unmapped twice.
        case isInconsistent
    }

    var heldBytes: Int {
        let queued = queues.reduce(0) { $0 + $1.count }
        return blocks.count * MemoryLayout<VmapBlock>.stride + (freeNumbers.count + queued) * 8
    }

    /// The number that the next block gets.
    var nextNumber: Int { freeNumbers.last ?? blocks.count }

    /// Takes a run from the first of a CPU's blocks that has it: `vb_alloc()`.
    ///
    /// - Parameters:
    ///   - run: pages, a power of two.
    ///   - cpu: whose blocks.
    ///   - blockPages: of each block.
    /// - Returns: the address; nil where a new block is needed.
    mutating func take(_ run: UInt64, cpu: Int, blockPages: UInt64) -> UInt64? {
        guard queues.indices.contains(cpu),
            let position = queues[cpu].firstIndex(where: { blocks[$0].freePages >= run })
        else { return nil }
        let number = queues[cpu][position]
        let address = blocks[number].start + (blockPages - blocks[number].freePages) << 12
        blocks[number].freePages -= run
        if blocks[number].freePages == 0 { queues[cpu].remove(at: position) }
        return address
    }

    /// Adds a block, at the end of its CPU's queue, under `nextNumber`.
    mutating func add(_ block: VmapBlock) {
        while queues.count <= block.cpu { queues.append([]) }
        let number = nextNumber
        if freeNumbers.popLast() != nil { blocks[number] = block } else { blocks.append(block) }
        queues[block.cpu].append(number)
    }

    /// Counts a run as dirty: `vb_free()`.
    mutating func makeDirty(_ number: Int, _ run: UInt64, blockPages: UInt64) -> Return {
        blocks[number].dirtyPages &+= run
        guard blocks[number].dirtyPages == blockPages else { return .isKept }
        return blocks[number].freePages == 0 ? .isDirty : .isInconsistent
    }

    /// Forgets a block that is in no queue.
    mutating func remove(_ number: Int) { freeNumbers.append(number) }

    /// Forgets the blocks that have pages left and none in use: `purge_fragmented_blocks()`.
    ///
    /// - Returns: where they were.
    mutating func removeFragmented(blockPages: UInt64) -> [UInt64] {
        var starts: [UInt64] = []
        for cpu in queues.indices {
            let all = queues[cpu]
            queues[cpu] = []
            for number in all {
                let block = blocks[number]
                if block.freePages &+ block.dirtyPages == blockPages,
                    block.dirtyPages != blockPages
                {
                    starts.append(block.start)
                    freeNumbers.append(number)
                } else {
                    queues[cpu].append(number)
                }
            }
        }
        return starts
    }
}
