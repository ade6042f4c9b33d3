/// Short maps: `kmap_local_page()`, `kmap_atomic()`, and the classic kernel's slots by type.
extension Kernel {
    /// The address of a CPU's map of a number.
    func localAddress(_ cpu: Int, _ number: Int) -> UInt64 {
        let fixmap = highMemory.fixmap
        return fixmap.mapIndex(cpu: cpu, number).map { fixmap.address(of: $0) } ?? 0
    }

    /// `__kmap_local_page_prot()`: low memory has its address already.
    mutating func kmapLocal(page frame: UInt32, in context: CallContext) -> UInt64 {
        isHighMemory(frame)
            ? kmapLocal(pfn: UInt64(frame), in: context) : layout.virtual(frame)
    }

    /// `__kmap_local_pfn_prot()`: maps any frame, by the next of the thread's maps.
    ///
    /// - Returns: the address; 0 where the thread has too many, which is a BUG.
    mutating func kmapLocal(pfn: UInt64, in context: CallContext) -> UInt64 {
        guard highMemory.fixmap.firstMap != nil else { return layout.directAddress(pfn) }
        let held = highMemory.thread(context.cpu, context.pid)?.frames.count ?? 0
        guard held < LocalMaps.limit else {
            log.bug(
                at: "mm/highmem.c:499",
                in: "__kmap_local_pfn_prot+0xb9/0xc0",
                context
            )
            return 0
        }
        let frame = storedFrame(pfn)
        highMemory.update(context.cpu, context.pid) { [sequence] in
            if $0.isEmpty { $0.call = sequence }
            $0.frames.append(frame)
        }
        highMemory.running[context.cpu] = context.pid
        let address = localAddress(context.cpu, held)
        setLocalEntry(address, frame: UInt64(frame), cpu: context.cpu)
        return address
    }

    /// The frame that an entry has room for.
    func storedFrame(_ pfn: UInt64) -> UInt32 {
        let entry = paging.format.entry(frame: pfn & 0xffff_ffff, .present)
        return UInt32(truncatingIfNeeded: paging.format.frame(of: entry))
    }

    private mutating func setLocalEntry(_ address: UInt64, frame: UInt64, cpu: Int) {
        _ = mapKernel(address, frame: frame, [.kernelPage, .noExecute], cpu: cpu)
    }

    private mutating func clearLocalEntry(_ address: UInt64) {
        unmapKernel(address..<address + 4_096)
    }

    /// `kunmap_local_indexed()`: undoes the newest of the thread's maps, whatever it is given.
    ///
    /// An address of another of them is the kernel's warning. The entry that goes is the newest one's,
    /// and what the TLB forgets is the given address.
    mutating func kunmapLocal(_ address: UInt64, in context: CallContext) {
        // 64-bit kernels have nothing to undo, and look at nothing.
        guard highMemory.fixmap.firstMap != nil else { return }
        let page = address & ~4_095
        guard highMemory.fixmap.isMap(page) else {
            if page < layout.pageOffset {
                log.warnOnce(
                    at: "mm/highmem.c:588",
                    in: "kunmap_local_indexed+0xe0/0xf0",
                    context
                )
            }
            return
        }
        let held = highMemory.thread(context.cpu, context.pid)?.frames.count ?? 0
        let newest = held > 0 ? localAddress(context.cpu, held - 1) : 0
        if page != newest {
            log.warnOnce(
                at: "mm/highmem.c:594",
                in: "kunmap_local_indexed+0xb6/0xf0",
                context
            )
        }
        guard held > 0 else {
            log.bug(at: "mm/highmem.c:514", in: "kunmap_local_indexed+0xe8/0xf0", context)
            return
        }
        clearLocalEntry(newest)
        paging.buffer.flush(page: page)
        if page != newest { paging.isStale = true }
        highMemory.update(context.cpu, context.pid) { _ = $0.frames.popLast() }
    }

    /// Preemption and page faults go off: the first half of `kmap_atomic()`.
    mutating func enterAtomicMap(_ context: CallContext) {
        highMemory.update(context.cpu, context.pid) { [sequence] in
            if $0.isEmpty { $0.call = sequence }
            $0.atomicDepth = min($0.atomicDepth + 1, LocalMaps.depthLimit)
        }
        highMemory.running[context.cpu] = context.pid
    }

    /// They come back: the second half of `kunmap_atomic()`.
    mutating func leaveAtomicMap(_ context: CallContext) {
        highMemory.update(context.cpu, context.pid) {
            $0.atomicDepth = max($0.atomicDepth - 1, 0)
        }
    }

    /// Gives a CPU to the thread of a call: its maps come, those of the former thread go.
    ///
    /// - Returns: the context, atomic where the thread has preemption off.
    @inline(never)
    mutating func switchThread(to context: CallContext) -> CallContext {
        var context = context
        // Threads of processes that are gone are forgotten before they outnumber the living.
        if highMemory.threads.count > processes.count * machine.cpus { forgetDeadThreads() }
        if !highMemory.isClassic, let former = highMemory.running[context.cpu],
            former != context.pid
        {
            let leaving = highMemory.thread(context.cpu, former)?.frames.count ?? 0
            for number in 0..<leaving { clearLocalEntry(localAddress(context.cpu, number)) }
            let coming = highMemory.thread(context.cpu, context.pid)?.frames ?? []
            for (number, frame) in coming.enumerated() {
                let address = localAddress(context.cpu, number)
                setLocalEntry(address, frame: UInt64(frame), cpu: context.cpu)
            }
            if leaving > 0 { flushKernel() }
            highMemory.running[context.cpu] = context.pid
        }
        if let maps = highMemory.thread(context.cpu, context.pid), maps.atomicDepth > 0 {
            context.isAtomic = true
        }
        return context
    }

    private mutating func forgetDeadThreads() {
        for maps in highMemory.threads where process(maps.pid) == nil {
            guard highMemory.running[maps.cpu] == maps.pid else { continue }
            for number in maps.frames.indices {
                clearLocalEntry(localAddress(maps.cpu, number))
            }
            flushKernel()
        }
        let living = Set(processes.map(\.pid))
        highMemory.threads.removeAll { !living.contains($0.pid) }
    }
}

/// The classic kernel: a slot for each use, on each CPU.
extension Kernel {
    /// `kmap_atomic(page, type)` of 2.6.
    ///
    /// - Returns: the address; 0 where the slot is taken, or no type has the number: a BUG.
    mutating func kmapTyped(_ frame: UInt32, _ type: UInt64, in context: CallContext) -> UInt64 {
        enterAtomicMap(context)
        guard isHighMemory(frame) else { return layout.virtual(frame) }
        guard let type = KmapType(rawValue: type), typedMap(context.cpu, type) == nil else {
            log.bug(at: "arch/x86/mm/highmem_32.c:42", in: "kmap_atomic_prot+0x7c/0x90", context)
            leaveAtomicMap(context)
            return 0
        }
        highMemory.typed.append(TypedMap(cpu: context.cpu, type: type, frame: frame))
        let address = localAddress(context.cpu, Int(type.rawValue))
        setLocalEntry(address, frame: UInt64(frame), cpu: context.cpu)
        return address
    }

    /// `kunmap_atomic(kvaddr, type)` of 2.6: an address that is not the type's undoes nothing.
    mutating func kunmapTyped(_ address: UInt64, _ type: UInt64, in context: CallContext) {
        defer { leaveAtomicMap(context) }
        let page = address & ~4_095
        guard let type = KmapType(rawValue: type),
            page == localAddress(context.cpu, Int(type.rawValue)),
            let place = typedMap(context.cpu, type)
        else { return }
        highMemory.typed.remove(at: place)
        clearLocalEntry(page)
        paging.buffer.flush(page: page)
    }

    private func typedMap(_ cpu: Int, _ type: KmapType) -> Int? {
        highMemory.typed.firstIndex { $0.cpu == cpu && $0.type == type }
    }
}
