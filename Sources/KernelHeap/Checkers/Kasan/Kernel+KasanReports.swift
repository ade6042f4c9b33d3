/// Making reports, and printing them: `mm/kasan/report.c`, 6.1.
///
/// Every report is printed, as a kernel booted with `kasan_multi_shot` does. Of the stacks there is
/// what the machine knows: the function and the call that ran it.
extension Kernel {
    /// Bytes of memory on either side of the bad one that a report shows.
    private static let bytesAround: UInt64 = 32

    /// Adds a report to the call's warnings, and prints it; of more than a call's warnings hold only
    /// the number is kept.
    @inline(never)
    mutating func report(_ access: SanitizedAccess, in context: CallContext) {
        guard misuse.hasRoom, !isPanicked else { return misuse.omit() }
        var report = KasanReport(
            kind: access.bug,
            access: access.kind,
            function: access.function,
            address: LinearAddress(rawValue: access.address),
            length: access.length,
            firstBad: LinearAddress(rawValue: access.firstBad),
            bytesAddress: LinearAddress(rawValue: access.firstBad)
        )
        if access.address >= ShadowByte.firstAddress {
            locate(&report)
            addSurroundings(to: &report)
        }
        report.text = lines(of: report, in: context)
        misuse.add(.kasan(report))
        for line in report.text { log.append(line) }
        log.checkPanicOnWarn("KASAN")
        if log.panicPolicy.onSanitizerReport { log.panic("kasan.fault=panic set ...") }
        log.taint.insert(.badPage)
        log.appendOnce("Disabling lock debugging due to kernel taint")
    }

    /// Finds what lies at the address and whose it was.
    private func locate(_ report: inout KasanReport) {
        let address = report.address.rawValue
        guard var place = slabPlace(at: address) else { return locateBlock(&report) }
        if let object = nearestObject(to: address) {
            report.allocation = object.kept.allocation
            report.release = object.kept.release
            report.region = object.begin..<object.begin &+ object.size
            if place.index == nil, let nearest = slabPlace(at: object.begin) {
                place.begin = nearest.begin
            }
            report.biography = biography(at: object.begin, object.kept)
        }
        report.place = place
    }

    private func locateBlock(_ report: inout KasanReport) {
        let address = report.address.rawValue
        if let frame = frame(ofDirectMapped: address) {
            report.page = pagePlace(at: address)
            guard let head = trackedBlock(holding: frame) else { return }
            let block = sanitizer.pages[Int(head)]
            report.allocation = block.allocation
            report.release = block.release
            let start = layout.virtual(head)
            let bytes =
                block.requested > 0 ? UInt64(block.requested) : 4096 << UInt64(block.order)
            report.region = start..<start &+ bytes
        } else if layout.isVmalloc(address) {
            let place = vmalloc.busy.containing(address)
            if place == 0, let gone = sanitizer.goneArea(holding: address) {
                report.region = gone.start..<gone.start &+ gone.area.requested
                report.allocation = gone.area.allocation
                report.release = gone.release
            }
            guard place != 0, let area = sanitizer.areas[vmalloc.busy[place].start] else { return }
            let start = vmalloc.busy[place].start
            report.region = start..<start &+ area.requested
            report.allocation = area.allocation
        }
    }

    /// An object of a slab: where it begins, its bytes, what is kept of it.
    struct NearestObject {
        var begin: UInt64
        var size: UInt64
        var kept: SanitizedObject
    }

    /// The object of the slot that an address lies in; the last one behind them all: `nearest_obj()`.
    func nearestObject(to address: UInt64) -> NearestObject? {
        guard let frame = frame(ofDirectMapped: address) else { return nil }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else { return nil }
        let owner = slab.slabs[Int(page.slabNumber)]
        guard owner.objects > 0 else { return nil }
        let shape = slab.caches[Int(owner.cache)]
        let start = layout.virtual(owner.pfn)
        let slot = min(Int(shape.slot(of: address &- start)), Int(owner.objects) - 1)
        return NearestObject(
            begin: start &+ shape.begin(of: slot),
            size: UInt64(shape.objectSize),
            kept: slab.sanitized[Int(owner.states) + slot]
        )
    }

    /// The first frame of the block that was allocated or freed last around a frame.
    func trackedBlock(holding frame: UInt32) -> UInt32? {
        var found: UInt32?
        var newest: UInt64 = 0
        for order in 0...Zone.maxOrder {
            let head = frame & ~UInt32((1 << order) - 1)
            let block = sanitizer.pages[Int(head)]
            guard Int(block.order) >= order, block.newestCall > newest else { continue }
            newest = block.newestCall
            found = head
        }
        return found
    }

    /// What is known of an object's owners.
    private func biography(at begin: UInt64, _ object: SanitizedObject) -> [ObjectEvent] {
        if let events = history?.events(at: begin).events, !events.isEmpty { return events }
        let tracks = [(object.allocation, true), (object.release, false)]
        return tracks.compactMap { track, isAllocation in
            track.map { track in
                ObjectEvent(
                    address: LinearAddress(rawValue: begin),
                    isAllocation: isAllocation,
                    requested: isAllocation ? UInt16(clamping: object.usableBytes) : nil,
                    cpu: UInt8(clamping: track.cpu),
                    call: track.call,
                    pid: Int32(clamping: track.pid)
                )
            }
        }
    }

    /// Adds the shadow and the bytes around the bad one.
    private func addSurroundings(to report: inout KasanReport) {
        let row = ShadowByte.rowBytes * ShadowByte.granule
        let bad = report.firstBad.rawValue
        let middle = guiltyAddress(of: report) & ~(row - 1)
        for place in 0...2 * ShadowByte.rowsAround {
            let start = middle &+ place &* row &- ShadowByte.rowsAround &* row
            let bytes = (0..<ShadowByte.rowBytes).map {
                shadowByte(of: start &+ $0 &* ShadowByte.granule)
            }
            report.shadow.append(
                KasanReport.ShadowRow(address: LinearAddress(rawValue: start), bytes: bytes)
            )
        }
        let start = (bad & ~15) &- Self.bytesAround
        guard frame(ofDirectMapped: start) != nil else { return }
        report.bytesAddress = LinearAddress(rawValue: start)
        report.bytes = kernelBytes(start, Int(2 * Self.bytesAround))
    }

    /// The address in steps of eight from the first one whose granule is the first bad one:
    /// `kasan_find_first_bad_addr()`.
    func guiltyAddress(of report: KasanReport) -> UInt64 {
        let address = report.address.rawValue
        let granule = report.firstBad.rawValue & ~7
        guard granule > address else { return address }
        return address &+ (granule - address + 7) / 8 * 8
    }
}
