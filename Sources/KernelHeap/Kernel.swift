/// A simulated machine: owns every subsystem; `apply` is the only way to change it.
///
/// Nothing here knows of clients, text formats or time. The same description and the same calls give
/// the same results on every host. A copy is made by `fork()`, which shares what neither side has
/// written since.
public struct Kernel: ~Copyable, Sendable {
    /// What the machine was booted from.
    public let machine: MachineDescription
    public let profile: MachineProfile
    /// The ordinal of the last kernel call; 0 after boot.
    public private(set) var sequence: UInt64 = 0
    public internal(set) var log = KernelLog()
    /// A panicked machine answers no further calls; its state stays readable.
    public var isPanicked: Bool { log.isPanicked }

    var tuning: ZoneTuning
    var pages: PageAllocator
    var slab: SlabAllocator
    var paging: Paging
    var segmentation = SegmentationState()
    /// Made when something first looks.
    var vmalloc = VmallocArena()
    var highMemory: HighMemory
    var processes: [Process] = [Process(pid: 1, name: "init")]
    var devices = DeviceTable()
    /// Devices of the driver model, and what their drivers have asked for.
    var driverModel = DriverModel()
    /// What the leak detector keeps between scans, and what it has to know of large blocks and time.
    var kmemleak = Kmemleak()
    var largeObjects: [UInt32: LargeObject] = [:]
    var callTimes = CallTimes()
    /// Files that live in memory.
    var files = MemoryFiles()
    /// Stores of other threads that clients have registered.
    var races = UserRaces()
    /// Copies that stopped short.
    var unchecked = UncheckedCopies()
    /// What of slab objects was written; empty without a history of them.
    var written = WrittenBytes(capacity: 0)
    /// The address sanitizer; empty unless the machine's description asks for it.
    var sanitizer = Sanitizer()
    /// Told now and then how far a long call is, without a say in what it does; a fork has none.
    public var onProgress: (@Sendable (CallProgress) -> Void)?
    /// The newest misuse of all calls.
    public internal(set) var misuseReports = MisuseReports()
    /// Pages of processes and files by age.
    var lru: LRULists
    /// Who is charged for what.
    var cgroups: MemoryCgroups
    var swap = SwapAreas()
    /// What reclaim remembers of each node.
    var nodeReclaim: [NodeReclaimState] = []
    var shrinkers: [Shrinker] = []
    /// What compaction remembers of each zone; empty before the first.
    var zoneCompaction: [ZoneCompaction] = []
    /// Pages that were dirtied, oldest first; some may be clean or gone by now.
    var dirtyPages: [UInt32] = []
    /// Pages that the disk is busy with.
    var writingPages: [UInt32] = []
    var diskCounts = DiskCounts()
    /// Events of memory management since boot.
    var events = VMEvents()
    /// Pages of processes and files, by node.
    var userPages = UserPageCounts()
    /// A fork that only finds out what would happen: nobody is killed in it.
    var isProbe = false
    /// The number of the process that runs and was killed: it ends with the call.
    var dyingProcess: Int?
    /// The newest ends that the OOM killer brought about.
    var kills: [ProcessKill] = []
    /// The number of the process whose call or fault is being served.
    var runningProcess = 1
    /// The numbers of children that are not complete yet: the OOM killer does not see them.
    var startingProcesses: Set<Int> = []
    /// How much more the running call may search for the entries that point to pages.
    var searchLeft = Kernel.reverseMapWork
    /// Whether nobody may be killed just now: while a process ends, and while a swap area is emptied.
    var isKillerOff = false
    /// The number that a process got last.
    var lastPID = 1
    /// Faults of processes that were handled: `pgfault`.
    var pageFaults: UInt64 = 0
    /// Misuse that the running call was seen to do.
    var misuse = MisuseLog()
    /// What calls did wrong, for a verdict on all of them.
    var findings = FindingLog()
    /// Where CPUs and tasks stand between calls.
    var contexts: Contexts
    /// The functions of the newest calls.
    var recentCalls = RecentCalls()
    /// Owners of slab objects; nil unless the machine's description asks for it.
    var history: ObjectHistory?
    private let inPlace = InPlace()
    /// `hardened_usercopy`: whether user copies look at what kernel memory they touch.
    let checksUsercopy: Bool

    /// Most CPUs and nodes that a machine may have.
    public static let maximumCPUs = 64
    public static let maximumNodes = 4

    /// Boots a machine.
    ///
    /// - Parameter description: what to boot; everything has a default.
    /// - Throws: `MachineError` naming the field that no machine can have.
    public init(_ description: MachineDescription = MachineDescription()) throws(MachineError) {
        guard let profile = MachineProfile.named(description.profile) else {
            let known = MachineProfile.all.map(\.name).joined(separator: ", ")
            throw MachineError(
                "/profile",
                "no profile \"\(description.profile)\"; there is: \(known)"
            )
        }
        guard (1...Self.maximumCPUs).contains(description.cpus) else {
            throw MachineError("/cpus", "a machine has 1 to \(Self.maximumCPUs) CPUs")
        }
        guard (1...Self.maximumNodes).contains(description.nodes) else {
            throw MachineError("/nodes", "a machine has 1 to \(Self.maximumNodes) nodes")
        }
        guard (0...ObjectHistory.limit).contains(description.rememberedEvents) else {
            throw MachineError(
                "/object_history",
                "a machine keeps 0 to \(ObjectHistory.limit) allocations and frees"
            )
        }
        guard !description.kasan || profile.platform == .x8664 else {
            throw MachineError("/kasan", "only linux-6.1-x86_64 has KASAN")
        }
        var boot = MachineBoot(description)
        pages = try boot.pageAllocator()
        pages.isReclaimed = true
        lru = LRULists(
            frames: pages.map.capacity,
            nodes: description.nodes,
            zones: pages.zones.count
        )
        cgroups = MemoryCgroups(frames: pages.map.capacity)
        tuning = boot.tuning
        machine = description
        self.profile = profile
        paging = Paging(
            format: description.pae ? .pae : profile.pagingFormat,
            options: BootOptions(description.bootOptions)
        )
        highMemory = HighMemory(pages.layout, boot.space, hasHighMemory: pages.hasHighZone)
        processes[0].space.end = pages.layout.userEnd
        if pages.layout.is32Bit { log.oopsStyle = description.pae ? .pae : .i386 }
        if profile.platform == .classicI386 { log.oopsStyle = .classic }
        processes[0].space.heap = pages.layout.programEnd..<pages.layout.programEnd
        slab = SlabAllocator(
            profile.slabOptions(description, hasHighMemory: pages.hasHighZone),
            nodeCount: pages.zonelists.count / ZoneType.allCases.count,
            seed: description.seed,
            layout: pages.layout
        )
        let options = BootOptions(description.bootOptions)
        checksUsercopy = BootOptions.truth(options.value("hardened_usercopy")) ?? true
        contexts = Contexts(
            cpus: description.cpus,
            checksSleep: BootOptions.truth(options.value("debug_atomic_sleep")) ?? true
        )
        if description.rememberedEvents > 0 {
            history = ObjectHistory(capacity: description.rememberedEvents)
            written = WrittenBytes(capacity: description.rememberedEvents)
            slab.keepsHistory = true
        }
        if description.kasan {
            sanitizer = Sanitizer(cpus: description.cpus, frames: pages.map.capacity)
            pages.contents.unwritten = UnwrittenFrames(frames: pages.map.capacity)
            written = WrittenBytes(
                capacity: max(description.rememberedEvents, Self.partlyWrittenLimit)
            )
        }
        if Self.tracksPageOwners(options, on: profile) {
            pages.owners = PageOwners(frames: pages.map.capacity)
        }
        pages.isAlwaysWatched = pages.owners.isOn || isSanitized
        log.panicPolicy = PanicPolicy(options, isClassic: profile.platform == .classicI386)
        pages.faults = FaultInjection(seed: description.seed)
        setUpFaultInjection(options)
        if description.swapBytes > 0 { _ = swapOn("/dev/sda2", bytes: description.swapBytes) }
    }

    private init(forkOf other: inout Kernel) {
        machine = other.machine
        profile = other.profile
        sequence = other.sequence
        log = other.log
        tuning = other.tuning
        pages = other.pages.fork()
        slab = other.slab.fork()
        paging = other.paging.fork()
        segmentation = other.segmentation
        vmalloc = other.vmalloc.fork()
        highMemory = other.highMemory
        processes = other.processes
        devices = other.devices
        driverModel = other.driverModel
        kmemleak = other.kmemleak
        largeObjects = other.largeObjects
        callTimes = other.callTimes
        files = other.files
        userPages = other.userPages
        lru = other.lru.fork()
        cgroups = other.cgroups.fork()
        swap = other.swap
        nodeReclaim = other.nodeReclaim
        shrinkers = other.shrinkers
        zoneCompaction = other.zoneCompaction
        dirtyPages = other.dirtyPages
        writingPages = other.writingPages
        diskCounts = other.diskCounts
        kills = other.kills
        events = other.events
        races = other.races
        unchecked = other.unchecked
        findings = other.findings
        written = other.written
        sanitizer = other.sanitizer.fork()
        misuseReports = other.misuseReports
        lastPID = other.lastPID
        pageFaults = other.pageFaults
        recentCalls = other.recentCalls.fork()
        history = other.history
        contexts = other.contexts
        checksUsercopy = other.checksUsercopy
    }

    /// A second machine in the same state.
    ///
    /// Costs what was touched, not what there is.
    public mutating func fork() -> Kernel { Kernel(forkOf: &self) }

    /// Runs one kernel call.
    ///
    /// - Parameters:
    ///   - call: the function.
    ///   - arguments: in the order of the call's signature, as the codec checked them.
    ///   - context: CPU, kind of context, process. A CPU or process that the machine has not is
    ///     the caller's to refuse; here it becomes the first.
    ///   - explaining: whether the path to the decision is recorded.
    ///   - tryingAlternatives: whether an explained failure to get memory is followed by what would
    ///     have succeeded, which costs up to 64 forks.
    /// - Returns: the C function's result with everything that happened.
    public mutating func apply(
        _ call: borrowing CallDescriptor,
        _ arguments: borrowing CallArguments,
        in context: CallContext,
        explaining: Bool = false,
        tryingAlternatives: Bool = true
    ) -> CallOutcome {
        sequence &+= 1
        pages.call = UInt32(truncatingIfNeeded: sequence)
        var context = context
        if !(0..<machine.cpus).contains(context.cpu) { context.cpu = 0 }
        paging.run(on: context.cpu)
        log.clock.startCall()
        callTimes.note(sequence, at: log.clock.nanoseconds)
        runningProcess = context.pid
        searchLeft = Self.reverseMapWork
        recentCalls.note(call.index, call: sequence)
        // A program that calls without `apply` leaves its warnings unread.
        if !misuse.isEmpty { misuse = MisuseLog() }
        let firstLine = log.nextNumber
        var isBlocked = false
        if contexts.isHeld || highMemory.isHeld {
            if let now = enter(context) { context = now } else { isBlocked = true }
            runningProcess = context.pid
        }
        log.startCall(isInInterrupt: context.isInInterrupt)
        if pages.owners.isOn { noteOwner(context, call: call.index) }
        if explaining { pages.decisions.start() }
        if pages.faults.isArmed { pages.faults.enter(context) }
        if hasBackgroundWork && !isBlocked { runBackgroundWork(in: context) }
        let result =
            isBlocked ? blockedResult(context) : call.run(arguments, &self, context)
        if !pages.badPages.isEmpty { logBadPages(context) }
        if let dying = dyingProcess { endDyingProcess(dying, in: context) }
        if cgroups.isOverHigh { keepBelowHigh(in: context) }
        if !devices.unused.isEmpty { releaseUnusedFiles(in: context) }
        if driverModel.hasGone { driverModel.forgetGone() }
        let hasInjected = !pages.faults.injected.isEmpty
        if hasInjected { _ = logInjectedFaults(context) }
        var outcome = CallOutcome(
            sequence: sequence,
            result: result,
            log: log.lines(since: firstLine),
            explanation: explaining ? pages.decisions.finish() : []
        )
        if hasInjected { outcome.injected = pages.faults.takeInjected() }
        if !misuse.isEmpty {
            outcome.warnings = misuse.warnings
            outcome.omittedWarnings = misuse.omitted
            misuseReports.note(misuse, call: sequence, call.signature.name)
        }
        if !(outcome.log.isEmpty && outcome.warnings.isEmpty) { findings.note(outcome) }
        if explaining && tryingAlternatives { tryAlternatives(call, arguments, context, &outcome) }
        return outcome
    }

    /// Notes that the last call was given the result of one that had failed on demand, by its name.
    public mutating func noteUnlooked(_ result: String, by function: String) {
        let misuse = Finding.Misuse(unlooked: result, by: function)
        findings.add(Finding(call: sequence, what: .misuse(misuse)))
    }

    /// Adds what would have let a failed request for memory succeed.
    @inline(never)
    private mutating func tryAlternatives(
        _ call: borrowing CallDescriptor,
        _ arguments: borrowing CallArguments,
        _ context: CallContext,
        _ outcome: inout CallOutcome
    ) {
        guard let request = call.memoryRequest?(arguments), request.isRefused(outcome.result.value)
        else { return }
        var search = AlternativeSearch(request, context, on: self)
        search.run(on: &self)
        outcome.explanation += search.found.map { .wouldSucceedIf($0) }
        outcome.hasTriedAlternatives = true
    }

    /// The machine's own time.
    public internal(set) var clock: MachineClock {
        get { log.clock }
        set {
            log.clock = newValue
            if pages.owners.isOn { pages.owners.caller.now = newValue.nanoseconds }
        }
    }

    /// The name of a slab cache: `kmalloc-192`.
    public func cacheName(_ cache: CacheID) -> String { slab.catalog.name(cache) }

    /// Whether the machine has a process of this number.
    public func hasProcess(_ pid: Int) -> Bool { process(pid) != nil }

    /// Host memory that this machine holds, in bytes, shared parts counted in full.
    public var heldBytes: Int {
        var bytes =
            4_096 + pages.heldBytes + slab.heldBytes + paging.heldBytes + vmalloc.heldBytes
            + segmentation.heldBytes + contexts.heldBytes + highMemory.heldBytes + devices.heldBytes
            + (history?.heldBytes ?? 0) + recentCalls.heldBytes
        for line in log.lines { bytes += line.utf8.count + 24 }
        for process in processes { bytes += process.heldBytes }
        bytes += lru.heldBytes + cgroups.heldBytes + swap.heldBytes + driverModel.heldBytes
        bytes += kmemleak.heldBytes + largeObjects.capacity * 32 + callTimes.heldBytes
        bytes += (dirtyPages.capacity + writingPages.capacity) * 4
        bytes += sanitizer.heldBytes + misuseReports.heldBytes
        return bytes + files.heldBytes + written.heldBytes + findings.heldBytes
    }

    /// The place of a process; most machines have the first one only.
    @inline(__always)
    func process(_ pid: Int) -> Int? {
        if processes[0].pid == pid { return 0 }
        return pid == 0 ? nil : processes.firstIndex { $0.pid == pid }
    }
}
