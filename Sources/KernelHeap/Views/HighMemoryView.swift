/// The windows onto high memory: who is seen where.
public struct HighMemoryView: Sendable {
    /// A slot of the permanent maps that is not free.
    public struct Slot: Hashable, Sendable {
        public var number: Int
        public var address: LinearAddress
        public var pfn: PFN
        /// `pkmap_count`: 1 for one that is given back and not flushed.
        public var count: UInt64
        /// The call that mapped the page first.
        public var call: UInt64
    }

    /// A call of `kmap` that waits for a slot.
    public struct Sleeper: Hashable, Sendable {
        public var call: UInt64
        public var pid: Int
        public var pfn: PFN
    }

    /// A short map.
    public struct ShortMap: Hashable, Sendable {
        public var index: UInt64
        public var address: LinearAddress
        public var pfn: PFN
        /// What the classic machine's slot is for.
        public var type: String?
    }

    /// What a thread holds.
    public struct Thread: Hashable, Sendable {
        public var cpu: Int
        public var pid: Int
        /// Whether its maps are those that the CPU's entries show.
        public var isRunning: Bool
        /// Calls of `kmap_atomic` not undone.
        public var atomicDepth: Int
        public var maps: [ShortMap]
    }

    /// Pages that the direct map does not hold.
    public var highPages: UInt64 = 0
    /// First address of the permanent maps; nil where there are none.
    public var base: LinearAddress?
    public var slotCount = 0
    public var freeSlots = 0
    /// Given back and not flushed.
    public var unflushedSlots = 0
    public var usedSlots = 0
    /// `last_pkmap_nr`.
    public var last = 0
    public var flushes: UInt64 = 0
    /// By number; free ones left out.
    public var slots: [Slot] = []
    /// Longest waiting first.
    public var sleepers: [Sleeper] = []
    /// `FIXADDR_START`, `FIXADDR_TOP`.
    public var fixmapStart: LinearAddress
    public var fixmapTop: LinearAddress
    /// Threads that hold short maps or have preemption off; on the classic machine, its CPUs' slots.
    public var threads: [Thread] = []
}

extension Kernel {
    /// The windows onto high memory at this moment.
    public func highMemoryView() -> HighMemoryView {
        let pkmap = highMemory.pkmap
        let fixmap = highMemory.fixmap
        var view = HighMemoryView(
            fixmapStart: LinearAddress(rawValue: fixmap.start),
            fixmapTop: LinearAddress(rawValue: fixmap.top)
        )
        for place in pages.zones.indices where !layout.isMapped(pages.zones[place].startPFN) {
            view.highPages += pages.zones[place].present
        }
        view.threads = threadViews()
        guard pkmap.slotCount > 0 else { return view }
        view.base = LinearAddress(rawValue: pkmap.base)
        view.slotCount = pkmap.slotCount
        view.last = pkmap.last
        view.flushes = pkmap.flushes
        for (number, slot) in pkmap.slots.enumerated() where slot.count > 0 {
            view.slots.append(
                HighMemoryView.Slot(
                    number: number,
                    address: LinearAddress(rawValue: pkmap.address(of: number)),
                    pfn: PFN(rawValue: UInt64(slot.frame)),
                    count: UInt64(slot.count),
                    call: slot.call
                )
            )
        }
        view.usedSlots = view.slots.count { $0.count > 1 }
        view.unflushedSlots = view.slots.count - view.usedSlots
        view.freeSlots = pkmap.slotCount - view.slots.count
        view.sleepers = pkmap.sleepers.map {
            HighMemoryView.Sleeper(
                call: $0.call,
                pid: $0.pid,
                pfn: PFN(rawValue: UInt64($0.frame))
            )
        }
        return view
    }

    private func threadViews() -> [HighMemoryView.Thread] {
        var threads = highMemory.threads
        // A slot of the classic kernel stays taken when its thread has preemption on again.
        for cpu in Set(highMemory.typed.map(\.cpu)) {
            let pid = highMemory.running[cpu] ?? 0
            if highMemory.thread(cpu, pid) == nil { threads.append(LocalMaps(cpu: cpu, pid: pid)) }
        }
        threads.sort { ($0.cpu, $0.pid) < ($1.cpu, $1.pid) }
        return threads.map { maps in
            let isRunning = highMemory.running[maps.cpu] == maps.pid
            let held = maps.frames.enumerated().map { shortMap(maps.cpu, $0, $1, type: nil) }
            // The classic kernel's slots are the CPU's, and shown with whoever runs there.
            let typed = highMemory.typed.filter { isRunning && $0.cpu == maps.cpu }.map {
                shortMap($0.cpu, Int($0.type.rawValue), $0.frame, type: $0.type.name)
            }
            return HighMemoryView.Thread(
                cpu: maps.cpu,
                pid: maps.pid,
                isRunning: isRunning,
                atomicDepth: maps.atomicDepth,
                maps: held + typed
            )
        }
    }

    private func shortMap(
        _ cpu: Int,
        _ number: Int,
        _ frame: UInt32,
        type: String?
    ) -> HighMemoryView.ShortMap {
        HighMemoryView.ShortMap(
            index: highMemory.fixmap.mapIndex(cpu: cpu, number) ?? 0,
            address: LinearAddress(rawValue: localAddress(cpu, number)),
            pfn: PFN(rawValue: UInt64(frame)),
            type: type
        )
    }
}
