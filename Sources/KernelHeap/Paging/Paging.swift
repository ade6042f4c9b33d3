/// What the processor and the kernel know of page tables, beside the tables themselves.
///
///     CR3 ─→ PGD ─→ … ─→ PTE ─→ frame         tables are simulated pages; the boot's are a rule
///              ↑                                until something changes them (`BootTables`)
///     TLB ─ what walks found, until a flush    each CPU has its own, and its own CR3
///
/// Loads and stores of clients' kernel and user code are translated (`Kernel.translate`); the
/// kernel's own bookkeeping, such as free pointers of slabs, is arithmetic in the direct map.
struct Paging: ~Copyable, Sendable {
    let format: PagingFormat
    var controls: AccessControls
    /// Made from the layout when something first looks.
    var boot: BootTables?
    /// A layout given beside the machine's own; nil for that.
    let givenLayout: BootLayout?
    /// Boot tables that have been written out.
    var writtenOut: Set<UInt32> = []
    var buffer: TranslationBuffer
    /// The process whose PGD is in the running CPU's CR3, as an index.
    var loadedProcess = 0
    /// The same of every CPU that has run; the running one's is stale.
    private var loadedProcesses: [Int] = []
    /// The address of the last page fault.
    var cr2: UInt64 = 0
    /// Tables of processes that count as page-table memory, by node: `NR_PAGETABLE`.
    var countedTables: InlineArray<4, UInt64> = InlineArray(repeating: 0)
    /// A client changed a table: what follows from that is its own doing.
    var isTampered = false
    /// The TLB may hold what the tables no longer say, as a client asked for.
    var isStale = false
    private let inPlace = InPlace()

    init(format: PagingFormat, options: BootOptions, layout: BootLayout? = nil) {
        self.format = format
        buffer = TranslationBuffer(addressBits: format.addressBits)
        controls = AccessControls(options)
        givenLayout = layout
    }

    private init(forkOf other: borrowing Paging) {
        format = other.format
        controls = other.controls
        boot = other.boot
        givenLayout = other.givenLayout
        writtenOut = other.writtenOut
        // What is not stale is found again by a walk.
        buffer =
            other.isStale
            ? other.buffer.copy() : TranslationBuffer(addressBits: other.format.addressBits)
        buffer.run(on: other.buffer.cpu)
        loadedProcess = other.loadedProcess
        loadedProcesses = other.loadedProcesses
        cr2 = other.cr2
        countedTables = other.countedTables
        isTampered = other.isTampered
        isStale = other.isStale
    }

    func fork() -> Paging { Paging(forkOf: self) }

    var heldBytes: Int { buffer.heldBytes + writtenOut.count * 16 }

    /// Another CPU runs from now on.
    @inline(__always)
    mutating func run(on cpu: Int) {
        if cpu != buffer.cpu { change(to: cpu) }
    }

    @inline(never)
    private mutating func change(to cpu: Int) {
        let last = buffer.cpu
        buffer.run(on: cpu)
        while loadedProcesses.count <= max(last, cpu) { loadedProcesses.append(0) }
        loadedProcesses[last] = loadedProcess
        loadedProcess = loadedProcesses[cpu]
    }

    /// The process whose PGD is in a CPU's CR3, as an index.
    func process(loadedBy cpu: Int) -> Int {
        if cpu == buffer.cpu { return loadedProcess }
        return loadedProcesses.indices.contains(cpu) ? loadedProcesses[cpu] : 0
    }

    /// All CPUs forget all translations.
    mutating func flushAll() {
        buffer.flushAll()
        isStale = false
    }

    /// All CPUs forget what processes see.
    ///
    /// 6.1 interrupts only those that run the process; the others have none of its pages.
    mutating func flushUser() {
        if format.addressBits == 48 { buffer.flushLower() } else { buffer.flushAll() }
    }

    /// The running CPU loads CR3.
    mutating func load(_ process: Int) {
        loadedProcess = process
        if format.addressBits == 48 { buffer.flushOwnLower() } else { buffer.flushOwnAll() }
    }
}
