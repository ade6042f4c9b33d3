/// Windows through which the kernel of a 32-bit machine sees memory that its direct map lacks.
///
///     page of high memory ──kmap──→ pkmap: a slot for as long as it is wanted, for all CPUs
///                         └─kmap_local_page, kmap_atomic──→ fixmap: one of the CPU's, last in first out
///
/// `kmap` may have to wait for a slot; the short maps never wait, and belong to the thread that made
/// them. Pages of low memory have their address anyway, and every function gives just that; so do all
/// pages of 64-bit machines. Entries stand in the machine's page tables: loads and stores through such
/// an address are translated like any other. Follows `mm/highmem.c`, 6.1, and for the classic machine
/// `arch/i386/mm/highmem.c` of 2.6.
struct HighMemory: Sendable {
    let fixmap: Fixmap
    /// Short maps are chosen by type.
    let isClassic: Bool
    var pkmap: PkmapTable
    /// Threads that hold something.
    var threads: [LocalMaps] = []
    /// On the classic machine.
    var typed: [TypedMap] = []
    /// Whose maps stand in the page tables, by CPU; none where nothing is held.
    var running: [Int: Int] = [:]

    /// The windows of a machine.
    ///
    /// - Parameters:
    ///   - layout: of its addresses.
    ///   - space: of a 32-bit machine.
    ///   - hasHighMemory: the classic kernel has no permanent maps without.
    init(_ layout: AddressLayout, _ space: I386AddressSpace?, hasHighMemory: Bool) {
        fixmap = Fixmap(layout, space)
        isClassic = space?.isClassic ?? false
        guard let space, hasHighMemory || !space.isClassic else {
            pkmap = PkmapTable()
            return
        }
        pkmap = PkmapTable(base: space.pkmapBase, slotCount: Int(space.permanentMaps))
    }

    /// Whether a thread holds maps or has preemption off.
    @inline(__always)
    var isHeld: Bool { !threads.isEmpty }

    var heldBytes: Int {
        pkmap.heldBytes + typed.count * MemoryLayout<TypedMap>.stride
            + threads.count * (MemoryLayout<LocalMaps>.stride + 64)
    }

    func thread(_ cpu: Int, _ pid: Int) -> LocalMaps? {
        threads.first { $0.cpu == cpu && $0.pid == pid }
    }

    /// Changes what a thread holds; one that holds nothing is not kept.
    mutating func update(_ cpu: Int, _ pid: Int, _ change: (inout LocalMaps) -> Void) {
        let place = threads.firstIndex { $0.cpu == cpu && $0.pid == pid }
        var maps = place.map { threads[$0] } ?? LocalMaps(cpu: cpu, pid: pid)
        change(&maps)
        switch (place, maps.isEmpty) {
        case (let place?, true): threads.remove(at: place)
        case (let place?, false): threads[place] = maps
        case (nil, true): break
        case (nil, false): threads.append(maps)
        }
    }
}
