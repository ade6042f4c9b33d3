/// Scans for leaks and what clients say of objects: `mm/kmemleak.c`, 6.1.
extension Kernel {
    /// An object that the detector knows of.
    struct LeakObject {
        var address: UInt64
        var size: UInt64
        /// The call that allocated it; 0 for the boot's.
        var call: UInt64
    }

    /// A block that a large `kmalloc()` gave.
    struct LargeObject: Sendable {
        var size: UInt64
        var call: UInt64
    }

    /// A large `kmalloc()`'s block that is still there.
    func largeObject(_ head: UInt32) -> LargeObject? {
        guard let block = largeObjects[head] else { return nil }
        let page = pages.map[Int(head)]
        return page.kind == .allocated && page.isCompound ? block : nil
    }

    /// The tracked object that holds an address: of a slab, a large `kmalloc()`, or vmalloc.
    func leakObject(at address: UInt64) -> LeakObject? {
        if layout.isVmalloc(address) {
            guard vmalloc.isStarted else { return nil }
            let place = vmalloc.busy.containing(address)
            guard place != 0 else { return nil }
            let node = vmalloc.busy[place]
            let size = UInt64(node.use.pageCount) << 12
            // The guard page behind the area is not the object's.
            guard node.use.flags.contains(.alloc), address - node.start < size else { return nil }
            let call = node.use.isBoot ? 0 : self.call(node.use.maker) ?? 0
            return LeakObject(address: node.start, size: size, call: call)
        }
        guard let frame = frame(ofDirectMapped: address) else { return nil }
        if let place = slabPlace(at: address) {
            guard place.region == .object, place.isAllocated else { return nil }
            return LeakObject(
                address: place.begin.rawValue,
                size: place.size,
                call: place.call ?? 0
            )
        }
        let head = compoundHead(of: frame)
        guard let block = largeObject(head) else { return nil }
        return LeakObject(address: layout.virtual(head), size: block.size, call: block.call)
    }

    /// What a scan came to.
    struct LeakScanResult {
        /// Suspects that were not reported before.
        var new = 0
        /// Suspects in all, and those that are too young or have changed since the last scan.
        var suspects = 0
        var tooYoung = 0
        var changed = 0
        var scannedBytes: UInt64 = 0
    }

    /// `kmemleak_scan()`.
    ///
    /// An object whose bytes changed since the last scan is somebody's: it is taken for reachable
    /// this time, and so is what it points to.
    ///
    /// - Parameter minimumAge: milliseconds since the allocation; younger objects are not reported.
    /// - Returns: what was found.
    mutating func scanForLeaks(minimumAge: UInt64) -> LeakScanResult {
        dropStaleMarks()
        var scan = reachableMemory(telling: true)
        var result = LeakScanResult()
        let white = unreached(scan)
        var suspects: [Kmemleak.Suspect] = []
        suspects.reserveCapacity(min(white.count, Kmemleak.suspectLimit))
        let remembered = kmemleak.remembered
        var known = remembered[...]
        var changed: [Int] = []
        for object in white.prefix(Kmemleak.suspectLimit) {
            while let first = known.first, first.address < object.address { known.removeFirst() }
            let last = known.first.flatMap {
                $0.address == object.address && $0.call == object.call ? $0 : nil
            }
            let checksum = checksum(of: object)
            if scan.count(object.size) { tell(scan) }
            if checksum != last?.checksum ?? 0 { changed.append(suspects.count) }
            suspects.append(
                Kmemleak.Suspect(
                    address: object.address,
                    size: object.size,
                    call: object.call,
                    checksum: checksum,
                    isReported: last?.isReported ?? false
                )
            )
        }
        let isChanged = Set(changed)
        for place in changed { reach(suspects[place], &scan) }
        result.scannedBytes = scan.scannedBytes
        let oldest = clock.nanoseconds
        for place in suspects.indices {
            result.suspects += 1
            if isChanged.contains(place) || hasReached(suspects[place].address, scan) {
                result.changed += 1
                continue
            }
            let born = callTimes.time(of: suspects[place].call)
            let (due, overflow) = born.addingReportingOverflow(minimumAge &* 1_000_000)
            guard !overflow, due <= oldest else {
                result.tooYoung += 1
                continue
            }
            guard !suspects[place].isReported else { continue }
            suspects[place].isReported = true
            result.new += 1
        }
        remember(remembered, beside: suspects)
        kmemleak.suspects = suspects
        if result.new > 0 {
            log.append(
                "kmemleak: \(result.new) new suspected memory leaks "
                    + "(see /sys/kernel/debug/kmemleak)"
            )
        }
        return result
    }

    /// Keeps what is known of objects that are reachable now: a leak that was reported is not told
    /// as a new one when its last pointer is lost again.
    private mutating func remember(
        _ old: [Kmemleak.Suspect],
        beside suspects: [Kmemleak.Suspect]
    ) {
        var current = suspects[...]
        kmemleak.reachable = old.filter { former in
            while let first = current.first, first.address < former.address {
                current.removeFirst()
            }
            if current.first?.address == former.address { return false }
            guard let object = leakObject(at: former.address) else { return false }
            return object.address == former.address && object.call == former.call
        }
    }

    /// `echo clear`: what was reported is not told again.
    mutating func clearLeaks() -> Int {
        let reported = kmemleak.suspects.filter(\.isReported)
        for suspect in reported {
            mark(suspect.address) { $0.isNoLeak = true }
        }
        kmemleak.suspects.removeAll(where: \.isReported)
        return reported.count
    }

    /// Notes what a client says of the object that begins at an address.
    ///
    /// - Parameters:
    ///   - address: of the object.
    ///   - complaint: what the log says where no object begins, with `%` for the address.
    ///   - change: made to the note.
    mutating func mark(
        _ address: UInt64,
        else complaint: String = "",
        _ change: (inout Kmemleak.Mark) -> Void
    ) {
        guard let object = leakObject(at: address), object.address == address else {
            return complainOfLeak(complaint, address)
        }
        var mark = kmemleak.marks[address] ?? Kmemleak.Mark(call: object.call)
        if mark.call != object.call { mark = Kmemleak.Mark(call: object.call) }
        change(&mark)
        guard kmemleak.marks[address] != nil || kmemleak.marks.count < Kmemleak.markLimit else {
            return
        }
        kmemleak.areaCount += mark.areas.count - (kmemleak.marks[address]?.areas.count ?? 0)
        kmemleak.marks[address] = mark
    }

    /// `kmemleak_warn()`; the stack behind it is left out.
    mutating func complainOfLeak(_ complaint: String, _ address: UInt64) {
        guard !complaint.isEmpty else { return }
        let digits = String(address, radix: 16)
        let padded = String(repeating: "0", count: max(8 - digits.count, 0)) + digits
        let parts = complaint.split(separator: "%", omittingEmptySubsequences: false)
        log.append("kmemleak: " + parts.joined(separator: "0x" + padded))
    }

    private mutating func dropStaleMarks() {
        for (address, mark) in kmemleak.marks
        where leakObject(at: address).map({ $0.address != address || $0.call != mark.call }) ?? true
        {
            kmemleak.areaCount -= mark.areas.count
            kmemleak.marks[address] = nil
        }
        largeObjects = largeObjects.filter { largeObject($0.key) != nil }
    }

    /// Objects that the walk did not reach, by address.
    private func unreached(_ scan: LeakScan) -> [LeakObject] {
        var white: [LeakObject] = []
        for number in 0..<Int(slab.slabLimit) {
            let owner = slab.slabs[number]
            guard owner.isLive else { continue }
            let shape = slab.caches[Int(owner.cache)]
            let start = layout.virtual(owner.pfn)
            for index in 0..<Int(owner.objects) {
                let place = Int(owner.states) + index
                guard slab.isOwned(place), !scan.hasReached(place) else { continue }
                white.append(
                    LeakObject(
                        address: start &+ shape.begin(of: index),
                        size: UInt64(shape.objectSize),
                        call: call(slab.states[place].call) ?? 0
                    )
                )
            }
        }
        for head in largeObjects.keys where !scan.reachedBlocks.contains(head) {
            if let block = largeObject(head) {
                white.append(
                    LeakObject(address: layout.virtual(head), size: block.size, call: block.call)
                )
            }
        }
        vmalloc.busy.forEach { node in
            guard node.use.flags.contains(.alloc), !node.use.isBoot, !node.use.isPageArray,
                !scan.reachedAreas.contains(node.start),
                let object = leakObject(at: node.start)
            else { return }
            white.append(object)
        }
        if !kmemleak.marks.isEmpty {
            white.removeAll {
                kmemleak.marks[$0.address].map { $0.isIgnored || $0.isNoLeak } ?? false
            }
        }
        white.sort { $0.address < $1.address }
        return white
    }

    private func reach(_ suspect: Kmemleak.Suspect, _ scan: inout LeakScan) {
        scan.waiting.append(LeakScan.Piece(address: suspect.address, size: suspect.size))
        drain(&scan)
    }

    /// Whether a scan has reached the object that begins at an address.
    func hasReached(_ address: UInt64, _ scan: LeakScan) -> Bool {
        if layout.isVmalloc(address) { return scan.reachedAreas.contains(address) }
        guard let frame = frame(ofDirectMapped: address) else { return false }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else {
            return scan.reachedBlocks.contains(compoundHead(of: frame))
        }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let slot = shape.slot(of: address &- layout.virtual(owner.pfn))
        return scan.hasReached(Int(owner.states) + Int(slot))
    }

    /// `crc32(0, …)` of an object's bytes, with which unwritten ones count as nothing.
    private func checksum(of object: LeakObject) -> UInt32 {
        var sum = CRC32()
        let area = layout.isVmalloc(object.address) ? areaFrames(at: object.address) : nil
        var bytes: [UInt8] = []
        var done: UInt64 = 0
        while done < object.size {
            let address = object.address &+ done
            let length = min(object.size - done, 4_096 - address % 4_096)
            let frame = area == nil ? frame(ofDirectMapped: address) : area?.frame(of: address)
            if let frame, pages.contents.isWritten(frame) {
                bytes.removeAll(keepingCapacity: true)
                pages.contents.read(
                    frame,
                    offset: Int(address % 4_096),
                    count: Int(length),
                    into: &bytes
                )
                sum.add(bytes)
            } else {
                sum.addZeros(length)
            }
            done += length
        }
        return sum.value
    }
}

/// The kernel's `crc32_le()`, from 0 and without inversion.
struct CRC32 {
    private static let table: [UInt32] = (0..<256).map { number in
        (0..<8).reduce(UInt32(number)) { sum, _ in
            sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xedb8_8320
        }
    }

    private(set) var value: UInt32 = 0

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes {
            value = value >> 8 ^ Self.table[Int((value ^ UInt32(byte)) & 0xff)]
        }
    }

    /// What 1, 2, 4, 8, … zero bytes make of a sum: for each of its bits, the bits that it sets.
    private static let zeroSteps: [[UInt32]] = {
        let single = (0..<32).map { bit in
            let sum: UInt32 = 1 << UInt32(bit)
            return sum >> 8 ^ table[Int(sum & 0xff)]
        }
        return (1..<64).reduce(into: [single]) { steps, _ in
            guard let last = steps.last else { return }
            steps.append(last.map { apply(last, to: $0) })
        }
    }()

    private static func apply(_ step: [UInt32], to sum: UInt32) -> UInt32 {
        step.indices.reduce(0) { sum >> UInt32($1) & 1 == 0 ? $0 : $0 ^ step[$1] }
    }

    /// Adds so many zeros; they leave 0 as it is.
    mutating func addZeros(_ count: UInt64) {
        guard value != 0 else { return }
        for (bit, step) in Self.zeroSteps.enumerated() where count >> UInt64(bit) & 1 != 0 {
            value = Self.apply(step, to: value)
        }
    }
}
