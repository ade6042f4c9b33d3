/// One walk over everything that pointers lead to.
///
/// A slab object is a bit, by the place of its state; blocks and areas are few, and in sets.
struct LeakScan {
    /// A piece of memory that is to be looked through.
    struct Piece {
        var address: UInt64
        var size: UInt64
    }

    private var isReached: [UInt64]
    var reachedBlocks: Set<UInt32> = []
    var reachedAreas: Set<UInt64> = []
    /// The area that the last pointer into one led to: tables of pointers often stay in one.
    var lastArea: Range<UInt64> = 0..<0
    /// Reached, and not yet looked through.
    var waiting: [Piece] = []
    /// Bytes that were looked at.
    var scannedBytes: UInt64 = 0
    /// Objects that were looked at, of how many, and the work since the last word on that; nil
    /// where nobody is told.
    var doneCount: UInt64 = 0
    let totalCount: UInt64?
    private var silentWork: UInt64 = 0
    /// Work between two words: objects, and pages of large ones.
    private static let wordWork: UInt64 = 1 << 16

    /// - Parameters:
    ///   - objectStates: places of slab objects.
    ///   - objects: that can be looked at; nil where nobody is told how far the scan is.
    init(objectStates: Int, objects: UInt64?) {
        totalCount = objects
        isReached = Array(repeating: 0, count: objectStates / 64 + 1)
    }

    /// Whether an object has been reached.
    @inline(__always)
    func hasReached(_ state: Int) -> Bool {
        isReached[state >> 6] & 1 << UInt64(state & 63) != 0
    }

    /// Counts an object that was looked at.
    ///
    /// - Parameter bytes: of it.
    /// - Returns: whether it is time to say how far the scan is.
    @inline(__always)
    mutating func count(_ bytes: UInt64) -> Bool {
        doneCount += 1
        silentWork &+= 1 &+ bytes >> 12
        guard silentWork >= Self.wordWork, totalCount != nil else { return false }
        silentWork = 0
        return true
    }

    /// Reaches an object.
    ///
    /// - Returns: whether it was not reached before.
    @inline(__always)
    mutating func reach(_ state: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(state & 63)
        guard isReached[state >> 6] & bit == 0 else { return false }
        isReached[state >> 6] |= bit
        return true
    }
}

/// The walk.
extension Kernel {
    /// Looks through everything from the roots on.
    ///
    /// - Parameter telling: whether the listeners hear how far it is.
    /// - Returns: what was reached.
    func reachableMemory(telling: Bool) -> LeakScan {
        let objects = telling && onProgress != nil ? leakObjectCount : nil
        var scan = LeakScan(objectStates: slab.states.count, objects: objects)
        reachRoots(&scan)
        drain(&scan)
        return scan
    }

    /// Looks through everything that waits, and what that leads to.
    func drain(_ scan: inout LeakScan) {
        while let piece = scan.waiting.popLast() {
            look(through: piece, &scan)
            if scan.count(piece.size) { tell(scan) }
        }
    }

    /// Says how far a scan is.
    func tell(_ scan: LeakScan) {
        guard let total = scan.totalCount else { return }
        tell("kmemleak_scan", done: scan.doneCount, of: total)
    }

    /// Objects that a scan has to look at.
    private var leakObjectCount: UInt64 {
        var count = UInt64(largeObjects.count)
        for number in 0..<Int(slab.slabLimit) where slab.slabs[number].isLive {
            count += UInt64(slab.objectsInUse(of: slab.slabs[number]))
        }
        vmalloc.busy.forEach { node in
            if node.use.flags.contains(.alloc) { count += 1 }
        }
        return count
    }

    /// The kernel's data, stacks, drivers' variables, and objects that the kernel holds itself.
    private func reachRoots(_ scan: inout LeakScan) {
        for word in driverWords { follow(word, &scan) }
        for (pid, _) in devices.stacks.sorted(by: { $0.key < $1.key }) {
            guard let range = kernelStackRange(of: pid) else { continue }
            follow(range.lowerBound, &scan)
            scan.waiting.append(Piece(range))
        }
        for address in heldObjects { follow(address, &scan) }
        for (address, mark) in kmemleak.marks.sorted(by: { $0.key < $1.key })
        where mark.isNoLeak && !mark.isIgnored {
            if let object = leakObject(at: address), object.call == mark.call {
                follow(address, &scan)
            }
        }
        reachBootObjects(&scan)
        reachImage(&scan)
    }

    private typealias Piece = LeakScan.Piece

    /// What a driver has in static variables, and what callbacks will be given.
    private var driverWords: [UInt64] {
        var words = devices.devices.flatMap(\.variables)
        for device in driverModel.devices {
            words += device.driver?.variables ?? []
            for node in device.resources {
                if case .action(let action) = node.kind { words.append(action.data) }
            }
        }
        return words
    }

    /// Objects of the kernel: files, devices, managed resources, and the structures of caches.
    private var heldObjects: [UInt64] {
        var addresses = devices.files.keys.sorted()
        for device in driverModel.devices {
            addresses.append(device.address)
            addresses += device.resources.map(\.address)
        }
        for record in slab.catalog.records {
            addresses.append(record.address)
            addresses += record.nodes
        }
        return addresses
    }

    /// What the boot allocated is the kernel's own.
    private func reachBootObjects(_ scan: inout LeakScan) {
        for number in 0..<Int(slab.slabLimit) {
            let owner = slab.slabs[number]
            guard owner.isLive else { continue }
            let shape = slab.caches[Int(owner.cache)]
            let isUntracked = slab.catalog.geometries[Int(owner.cache)].flags.contains(.noLeakTrace)
            for index in 0..<Int(owner.objects) {
                let place = Int(owner.states) + index
                guard slab.isOwned(place), isUntracked || slab.states[place].call == 0
                else { continue }
                let isNew = scan.reach(place)
                guard isNew, !isUntracked else { continue }
                let begin = layout.virtual(owner.pfn) &+ shape.begin(of: index)
                scan.waiting.append(Piece(address: begin, size: UInt64(shape.objectSize)))
            }
        }
    }

    /// The image's data, where somebody wrote.
    private func reachImage(_ scan: inout LeakScan) {
        var frame = MemoryLayout61.dmaEnd
        let end = min(frame + MemoryLayout61.imagePages, UInt64(pages.map.capacity))
        while frame < end {
            let run = frameRun(at: frame, limit: end)
            let stop = min(max(run.end, frame + 1), end)
            if case .reserved = run.use {
                for number in frame..<stop {
                    let pfn = UInt32(truncatingIfNeeded: number)
                    guard pages.contents.isWritten(pfn) else { continue }
                    scan.waiting.append(Piece(address: layout.virtual(pfn), size: 4_096))
                }
            }
            frame = stop
        }
    }

    /// Reaches the object that a word points to or into, if it is the address of one.
    @inline(__always)
    private func follow(_ word: UInt64, _ scan: inout LeakScan) {
        guard word >= layout.pageOffset else { return }
        if layout.isVmalloc(word) { return followArea(word, &scan) }
        guard let frame = frame(ofDirectMapped: word) else { return }
        let page = pages.map[Int(frame)]
        guard page.kind == .slab else {
            if !largeObjects.isEmpty { followBlock(frame, &scan) }
            return
        }
        let owner = slab.slabs[Int(page.slabNumber)]
        let shape = slab.caches[Int(owner.cache)]
        let offset = word &- layout.virtual(owner.pfn)
        let slot = shape.slot(of: offset)
        guard slot < UInt32(owner.objects) else { return }
        let begin = shape.begin(of: Int(slot))
        guard offset >= begin, offset - begin < UInt64(shape.objectSize) else { return }
        let place = Int(owner.states) + Int(slot)
        // Most pointers lead to what was reached before: its bit is near, its state far away.
        guard !scan.hasReached(place), slab.isOwned(place), scan.reach(place) else { return }
        wait(layout.virtual(owner.pfn) &+ begin, UInt64(shape.objectSize), &scan)
    }

    private func followBlock(_ frame: UInt32, _ scan: inout LeakScan) {
        let head = compoundHead(of: frame)
        guard let block = largeObject(head), scan.reachedBlocks.insert(head).inserted else {
            return
        }
        wait(layout.virtual(head), block.size, &scan)
    }

    private func followArea(_ word: UInt64, _ scan: inout LeakScan) {
        guard vmalloc.isStarted, !scan.lastArea.contains(word) else { return }
        let place = vmalloc.busy.containing(word)
        guard place != 0 else { return }
        let node = vmalloc.busy[place]
        let size = UInt64(node.use.pageCount) << 12
        guard node.use.flags.contains(.alloc), word - node.start < size else { return }
        scan.lastArea = node.start..<node.start &+ size
        guard scan.reachedAreas.insert(node.start).inserted else { return }
        wait(node.start, size, &scan)
    }

    /// Puts an object among those that wait, or the parts of it that are to be scanned.
    @inline(__always)
    private func wait(_ address: UInt64, _ size: UInt64, _ scan: inout LeakScan) {
        if !kmemleak.marks.isEmpty, let mark = kmemleak.marks[address] {
            if mark.isUnscanned || mark.isIgnored { return }
            if !mark.areas.isEmpty {
                scan.waiting += mark.areas.map { Piece($0) }
                return
            }
        }
        scan.waiting.append(Piece(address: address, size: size))
    }

    /// `scan_block()`: every aligned word.
    private func look(through piece: Piece, _ scan: inout LeakScan) {
        let width = layout.wordBytes
        let first = (piece.address &+ (width - 1)) & ~(width - 1)
        let skipped = first &- piece.address
        guard piece.size >= skipped + width else { return }
        let end = first &+ ((piece.size - skipped) & ~(width - 1))
        let area = layout.isVmalloc(first) ? areaFrames(at: first) : nil
        var address = first
        while address < end {
            let offset = Int(address % 4_096)
            let length = min(Int(end - address), 4_096 - offset)
            let frame =
                area == nil ? frame(ofDirectMapped: address) : area?.frame(of: address)
            if let frame {
                scan.scannedBytes &+= UInt64(length)
                pages.contents.forEachWord(frame, offset..<offset + length, bytes: Int(width)) {
                    follow($0, &scan)
                }
            }
            address &+= UInt64(length)
        }
    }

    /// The frames behind an area of vmalloc.
    struct AreaFrames {
        let start: UInt64
        let frames: [UInt32]

        func frame(of address: UInt64) -> UInt32? {
            let place = (address &- start) >> 12
            return place < UInt64(frames.count) ? frames[Int(place)] : nil
        }
    }

    func areaFrames(at address: UInt64) -> AreaFrames? {
        guard vmalloc.isStarted else { return nil }
        let place = vmalloc.busy.containing(address)
        guard place != 0 else { return nil }
        let node = vmalloc.busy[place]
        let frames = vmalloc.frames.frames(node.use.frames, count: Int(node.use.pageCount))
        return AreaFrames(start: node.start, frames: Array(frames))
    }
}

extension LeakScan.Piece {
    fileprivate init(_ range: Range<UInt64>) {
        self.init(address: range.lowerBound, size: range.upperBound - range.lowerBound)
    }
}
