/// SLUB: caches of objects of one size, cut from blocks of pages.
///
///     CPU:   freelist → object → …          only this CPU sees it
///            slab ──────────┘               frozen: on no list
///            partial → slab → slab          the chain, frozen too
///     node:  partial ⇄ slab ⇄ slab          slabs with free objects
///
/// A full slab is on no list; the first free brings it back. Follows `mm/slub.c`, 6.1, with slab
/// merging and without debugging; `slab/slabtrace*` of the recordings shows each step.
struct SlabAllocator: ~Copyable {
    var catalog: SlabCatalog
    /// The caches' shapes; shared with other machines until one creates a cache.
    var caches: [SlabCache] { catalog.shapes }
    /// Cache-major: cache × CPUs + CPU; no longer than the last cache in use needs.
    var cpuSlabs: OwnedBuffer<CPUSlab>
    /// Cache-major: cache × nodes + node.
    var nodes: ChunkedColumn<NodeSlabs>
    var slabs = ChunkedColumn<Slab>(count: 4096)
    var states = ObjectStates()
    /// By the same index, for objects of caches that note their users.
    var notes = ChunkedColumn<ObjectNotes>(count: 1)
    /// By the same index, on machines with the address sanitizer.
    var sanitized = ChunkedColumn<SanitizedObject>(count: 1)
    let isSanitized: Bool
    /// Numbers of slabs that were discarded, free for new ones.
    var freeNumbers: [UInt32] = []
    /// Discarded slabs whose pages wait for the end of a grace period, oldest first.
    var waitingSlabs: [UInt32] = [] { didSet { hasWaitingSlabs = !waitingSlabs.isEmpty } }
    private(set) var hasWaitingSlabs = false
    /// When the grace period was first seen to be asked for, in nanoseconds; nil before.
    var gracePeriodStart: UInt64?
    var slabLimit = 0
    /// Where the last free on a machine of one CPU found its slab.
    ///
    /// Most frees follow one to the same cache. Guessing the place lets the processor go on while
    /// the page's cache is still being looked up; the guess is checked by the slab's number.
    private var guessedPlace = 0
    /// The freelists of slabs whose objects are linked in their own bytes.
    var byteLists: [UInt32: ByteLists] = [:]
    let pointers: FreePointerCoding
    /// The order in which new slabs' objects are linked, where it is not their own.
    var shuffle: FreelistShuffle?
    /// Whether every allocation and free has more to do: clear memory by boot option, tell the address
    /// sanitizer, keep a history, or fail on demand.
    private(set) var leavesFastPath: Bool
    private let clearsByOption: Bool
    /// The machine notes who owned which object.
    var keepsHistory = false { didSet { chooseFastPath() } }
    /// Objects may be charged to a group.
    var isAccounted = false { didSet { chooseFastPath() } }
    /// An allocation is to fail.
    var alwaysLeavesFastPath = false { didSet { chooseFastPath() } }
    let cpuCount: Int
    let nodeCount: Int
    /// Which caches serve `kmalloc()`.
    let kmalloc: KmallocCaches
    /// Where the kernel sees the slabs' frames.
    let layout: AddressLayout
    private let inPlace = InPlace()

    init(
        _ options: SlabOptions,
        nodeCount: Int,
        seed: UInt64,
        layout: AddressLayout = .x8664
    ) {
        self.layout = layout
        let kmalloc = options.architecture.kmalloc
        self.kmalloc = kmalloc
        catalog = SlabCatalog.booted(options)
        cpuCount = options.cpus
        self.nodeCount = nodeCount
        pointers = FreePointerCoding(
            isHardened: options.isHardened,
            seed: seed,
            wordBytes: Int(layout.wordBytes)
        )
        shuffle = options.shufflesFreelists ? FreelistShuffle(seed: seed) : nil
        clearsByOption = options.initOnAlloc || options.initOnFree
        isSanitized = options.isSanitized
        // Not read from here: nothing may look at what is only partly made.
        leavesFastPath = options.initOnAlloc || options.initOnFree || options.isSanitized
        // Most machines only ever use the plain kmalloc caches.
        let first = KmallocCaches.first + kmalloc.sizes
        cpuSlabs = OwnedBuffer(zeroed: min(first, catalog.count) * options.cpus)
        nodes = ChunkedColumn(count: catalog.count * nodeCount)
    }

    private mutating func chooseFastPath() {
        leavesFastPath =
            clearsByOption || isSanitized || keepsHistory || alwaysLeavesFastPath || isAccounted
    }

    private init(forkOf other: inout SlabAllocator) {
        catalog = other.catalog
        cpuSlabs = other.cpuSlabs.copy()
        nodes = other.nodes.fork()
        slabs = other.slabs.fork()
        states = other.states.fork()
        notes = other.notes.fork()
        sanitized = other.sanitized.fork()
        isSanitized = other.isSanitized
        freeNumbers = other.freeNumbers
        waitingSlabs = other.waitingSlabs
        hasWaitingSlabs = other.hasWaitingSlabs
        gracePeriodStart = other.gracePeriodStart
        slabLimit = other.slabLimit
        byteLists = other.byteLists
        pointers = other.pointers
        layout = other.layout
        kmalloc = other.kmalloc
        shuffle = other.shuffle
        leavesFastPath = other.leavesFastPath
        clearsByOption = other.clearsByOption
        keepsHistory = other.keepsHistory
        alwaysLeavesFastPath = other.alwaysLeavesFastPath
        isAccounted = other.isAccounted
        cpuCount = other.cpuCount
        nodeCount = other.nodeCount
    }

    mutating func fork() -> SlabAllocator { SlabAllocator(forkOf: &self) }

    var heldBytes: Int {
        cpuSlabs.heldBytes + nodes.heldBytes + slabs.heldBytes
            + states.heldBytes + notes.heldBytes + sanitized.heldBytes
            + (freeNumbers.count + waitingSlabs.count) * 4
            + byteLists.count * 40 + catalog.heldBytes
    }

    /// An object: its slab and its place in it.
    struct Object {
        /// `Slab.none` where a broken freelist led to an address that is no object of the cache.
        var slab: UInt32
        var index: UInt16
        /// Frame of the slab's first page.
        var pfn: UInt32
        /// Where it begins, in the direct map; any address at all where it is no object.
        var address: UInt64
        /// The object as it was before it was taken.
        var before = ObjectState()
    }

    /// Allocates an object: `slab_alloc_node()`, 6.1.
    ///
    /// The bytes asked for and the call's sequence number are noted with the object. The result is nil
    /// where the page allocator had no slab.
    ///
    /// - Throws: `FreePointerFault` where a broken freelist leads out of memory.
    @inline(__always)
    mutating func allocate(
        _ cache: Int,
        requested: UInt64,
        flags: GFPFlags,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) throws(FreePointerFault) -> Object? {
        let place = place(cache, cpu: cpu)
        if place >= cpuSlabs.count || !cpuSlabs[place].hasFreeObject {
            guard refill(cache, place: place, flags: flags, cpu: cpu, pages: &pages) else {
                return nil
            }
        } else if pages.decisions.isOn {
            explain(.cpuFreelist, place: place, pages: &pages)
        }
        guard cpuSlabs[place].hasFreeObject else {
            return try takeFromBytes(
                place: place,
                requested: requested,
                call: call,
                pages: &pages
            )
        }
        let index = cpuSlabs[place].freelist
        let before = states[Int(cpuSlabs[place].states) &+ Int(index)]
        let address = take(place: place, requested: requested, call: call)
        return Object(
            slab: cpuSlabs[place].slab,
            index: index,
            pfn: cpuSlabs[place].pfn,
            address: address,
            before: before
        )
    }

    /// Takes the first object of a CPU's freelist, which must not be empty.
    ///
    /// - Returns: its address.
    @inline(__always)
    mutating func take(place: Int, requested: UInt64, call: UInt64) -> UInt64 {
        let index = cpuSlabs[place].freelist
        let state = Int(cpuSlabs[place].states) &+ Int(index)
        let address = cpuSlabs[place].address(of: index)
        cpuSlabs[place].freelist = states[state].allocate(requested: requested, call: call)
        return address
    }

    /// Where a CPU's part of a cache stands.
    @inline(__always)
    func place(_ cache: Int, cpu: Int) -> Int { cache &* cpuCount &+ cpu }

    /// Frees the object that holds an address: `slab_free()`, 6.1.
    ///
    /// The result is false where the object is the head of the very list it would go to, which a
    /// hardened kernel takes as proof of a double free; the list then ends with it. An address that
    /// begins no object is freed all the same, as the kernel does without checks.
    @inline(__always)
    mutating func free(
        at address: UInt64,
        of page: Page,
        cpu: Int,
        call: UInt64,
        pages: inout PageAllocator
    ) -> Bool {
        var place = guessedPlace
        if cpuCount > 1 || cpuSlabs[place].slab != page.word {
            place = self.place(page.slabCache, cpu: cpu)
            guessedPlace = place
        }
        guard cpuSlabs[place].slab == page.word else {
            return freeElsewhere(
                at: address &- layout.pageOffset,
                slab: page.word,
                place: place,
                cpu: cpu,
                call: call,
                pages: &pages
            )
        }
        guard let index = cpuSlabs[place].index(of: address) else {
            return freeElsewhere(
                at: address &- layout.pageOffset,
                slab: page.word,
                place: place,
                cpu: cpu,
                call: call,
                pages: &pages
            )
        }
        let head = cpuSlabs[place].freelist
        let state = Int(cpuSlabs[place].states) &+ Int(index)
        guard head != index || !pointers.isHardened else { return cutList(at: state) }
        states[state] = ObjectState(next: head, freedBy: call)
        cpuSlabs[place].freelist = index
        return true
    }

    /// A double free was noticed after the object's free pointer was cleared: `slab_free_freelist_hook()`
    /// does that first, and what was behind the object is lost.
    @inline(never)
    mutating func cutList(at state: Int) -> Bool {
        states[state].link(to: Slab.endOfList)
        return false
    }

    func explain(_ source: ObjectSource, place: Int, pages: inout PageAllocator) {
        pages.decisions.add(
            .objectTaken(
                from: source,
                slab: PFN(rawValue: UInt64(cpuSlabs[place].pfn)),
                index: Int(cpuSlabs[place].freelist)
            )
        )
    }
}
