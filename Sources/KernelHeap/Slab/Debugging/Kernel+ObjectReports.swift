/// The reports of `slub_debug`, line by line as in the recordings `texts/bad-slab-debug`; call traces,
/// modules and registers are left out.
extension Kernel {
    /// An address as the kernel prints it: 16 hexadecimal digits, 8 on a 32-bit machine.
    func pointer(_ address: UInt64) -> String { pages.layout.text(address) }

    /// `slab_bug()`: the head of a report.
    mutating func logSlabBug(_ number: UInt32, _ text: String) {
        let name = escapedName(ofCacheOf: number)
        log.append(String(repeating: "=", count: 77))
        log.append("BUG \(name) (\(log.taint.text)): \(text)")
        log.append(String(repeating: "-", count: 77))
        log.append("")
    }

    /// `slab_fix()`: what was done about it.
    mutating func logFix(_ number: UInt32, _ text: String) {
        let name = escapedName(ofCacheOf: number)
        log.append("FIX \(name): \(text)")
    }

    private func escapedName(ofCacheOf number: UInt32) -> String {
        let cache = CacheID(rawValue: slab.slabs[Int(number)].cache)
        return CacheName.escaped(slab.catalog.name(cache))
    }

    /// `slab_err()`: a report on a slab.
    mutating func reportSlab(_ number: UInt32, _ text: String, in context: CallContext) {
        logSlabBug(number, text)
        logSlab(number)
        logProcess(context)
        taintBySlab()
    }

    /// `object_err()`: a report on an object.
    mutating func reportObject(
        _ address: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        _ text: String,
        in context: CallContext
    ) {
        logSlabBug(number, text)
        logTrailer(address, number, layout, in: context)
    }

    /// `print_trailer()`: who had the object, where it lies, and what is in it; then the taint.
    mutating func logTrailer(
        _ address: UInt64,
        _ number: UInt32,
        _ layout: CheckedLayout,
        in context: CallContext
    ) {
        logTracks(address, layout)
        logSlab(number)
        let start = pages.layout.virtual(slab.slabs[Int(number)].pfn)
        let next = freePointer(of: address, number, layout) ?? 0
        log.append("Object 0x\(pointer(address)) @offset=\(address &- start) fp=0x\(pointer(next))")
        log.append("")
        let hasZones = layout.flags.contains(.redZone)
        if hasZones {
            logSection("Redzone  ", address &- layout.redLeftPad, layout.redLeftPad)
        } else if address > start &+ 16 {
            logSection("Bytes b4 ", address &- 16, 16)
        }
        logSection("Object   ", address, min(layout.objectSize, 4_096))
        if hasZones {
            let place = address &+ layout.objectSize
            logSection("Redzone  ", place, layout.inuse - layout.objectSize)
        }
        if layout.padding != layout.end {
            logSection("Padding  ", address &+ layout.padding, layout.end - layout.padding)
        }
        logProcess(context)
        taintBySlab()
    }

    /// `print_tracking()`: who allocated the object, and who freed it.
    mutating func logTracks(_ address: UInt64, _ layout: CheckedLayout) {
        guard layout.flags.contains(.storeUser) else { return }
        for (offset, what) in [(UInt64(0), "Allocated"), (layout.trackBytes, "Freed")] {
            let place = address &+ layout.tracks &+ offset
            guard let track = ObjectTrack(kernelBytes(place, Int(layout.trackBytes))) else {
                continue
            }
            let age = Self.jiffies(atCall: sequence) &- track.jiffies
            log.append("\(what) in call_\(track.call) age=\(age) cpu=\(track.cpu) pid=\(track.pid)")
        }
    }

    private mutating func logSlab(_ number: UInt32) {
        let owner = slab.slabs[Int(number)]
        let place = pointer(pages.layout.descriptor(UInt64(owner.pfn)))
        let head = pointer(slab.head(of: number))
        log.append(
            "Slab 0x\(place) objects=\(owner.objects) used=\(owner.inuse) fp=0x\(head) "
                + "flags=\(pageFlags(of: owner))"
        )
    }

    /// The flags of a slab's first page: `%pGp`.
    private func pageFlags(of owner: Slab) -> String {
        let zone = pages.zones[pages.map[Int(owner.pfn)].zone]
        let last: UInt64 = 0x1f_ffff
        let head: UInt64 = owner.order > 0 ? 0x1_0000 : 0
        let flags =
            0x200 | head | last << 30 | UInt64(zone.type.rawValue) << 51 | UInt64(zone.node) << 54
        let names = owner.order > 0 ? "slab|head" : "slab"
        return "0x\(String(flags, radix: 16))(\(names)|node=\(zone.node)|zone=\(zone.type.rawValue)"
            + "|lastcpupid=0x\(String(last, radix: 16)))"
    }

    /// The line of `dump_stack()` that says who ran.
    mutating func logProcess(_ context: CallContext) { log.append(processLine(context)) }

    func processLine(_ context: CallContext) -> String {
        let name = process(context.pid).map { processes[$0].name } ?? "swapper/\(context.cpu)"
        return "CPU: \(context.cpu) PID: \(context.pid) Comm: \(name) \(log.taint.text) "
            + "\(profile.kernelRelease) \(profile.kernelBuild)"
    }

    private mutating func taintBySlab() {
        log.taint.insert(.badPage)
        log.appendOnce("Disabling lock debugging due to kernel taint")
    }

    /// `print_section()`: bytes with their addresses, sixteen in a line.
    mutating func logSection(_ title: String, _ address: UInt64, _ count: UInt64) {
        let bytes = kernelBytes(address, Int(count))
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            let place = pointer(address &+ UInt64(start))
            let digits = line.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            let hex = digits.joined(separator: " ")
            let gap = String(repeating: " ", count: 49 - hex.utf8.count)
            let text = line.map { (0x20..<0x7f).contains($0) ? Character(UnicodeScalar($0)) : "." }
            log.append("\(title)\(place): \(hex)\(gap)\(String(text))")
        }
    }
}
