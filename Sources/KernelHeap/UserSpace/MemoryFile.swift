/// A file that lives in memory only, as in tmpfs: what `memfd_create` and shared anonymous memory
/// have behind them.
///
/// Its pages are the page cache: there is nowhere else that they could be. A page that nobody wrote
/// or mapped does not exist, and reads as zeros.
struct MemoryFile: Sendable {
    /// As in `/proc/<pid>/maps`.
    let path: String
    let inode: UInt64
    /// Bytes.
    var size: UInt64 = 0
    /// Where it is read and written next; its descriptors share one `struct file`.
    var position: UInt64 = 0
    /// Descriptors that it is open under.
    var descriptorCount = 0
    /// Pages of areas that show it; with the last of both the file goes.
    var mappedPages: UInt64 = 0
    /// Whether its whole size is promised, as that of shared anonymous memory is.
    var isReserved = false
    /// Whether it is on a disk, and its pages in memory are copies.
    var isOnDisk = false
    /// Pages of a file without a disk that were swapped out, with their slots.
    private(set) var swapped: [UInt64: SwapSlot] = [:]
    /// What the disk holds, without the zeros at the end of a page.
    private(set) var stored: [UInt64: [UInt8]] = [:]
    private(set) var storedBytes = 0
    /// Frames by page number.
    private(set) var frames: [UInt64: UInt32] = [:]

    /// The largest size: `MAX_LFS_FILESIZE` of a file with 64-bit offsets.
    static let maximumSize: UInt64 = 1 << 63 - 1

    init(path: String, inode: UInt64) {
        self.path = path
        self.inode = inode
    }

    /// A disk keeps its files.
    var isUsed: Bool { descriptorCount > 0 || mappedPages > 0 || isOnDisk }
    var pageCount: Int { frames.count }
    /// Of pages that are there, in no order that means anything.
    var pageNumbers: some Collection<UInt64> { frames.keys }
    /// What it adds to `Committed_AS`, in pages.
    var committedPages: UInt64 {
        guard !isOnDisk else { return 0 }
        return isReserved ? (size + 4095) / 4096 : UInt64(frames.count + swapped.count)
    }
    var heldBytes: Int {
        frames.capacity * 16 + swapped.capacity * 32 + stored.capacity * 24 + storedBytes
    }

    func frame(_ page: UInt64) -> UInt32? { frames[page] }

    mutating func set(_ page: UInt64, _ frame: UInt32) { frames[page] = frame }

    /// A page of the file is no longer in memory.
    mutating func forget(_ page: UInt64) { frames[page] = nil }

    /// The page is in a swap area, or is no longer.
    mutating func setSwapped(_ page: UInt64, _ slot: SwapSlot?) { swapped[page] = slot }

    /// Takes swapped pages out, ascending.
    mutating func takeSwapped(_ range: Range<UInt64>) -> [SwapSlot] {
        let numbers = swapped.keys.filter { range.contains($0) }.sorted()
        return numbers.compactMap { swapped.removeValue(forKey: $0) }
    }

    /// Writes a page to the disk.
    mutating func store(_ bytes: [UInt8], at page: UInt64) {
        storedBytes += bytes.count - (stored[page]?.count ?? 0)
        stored[page] = bytes.isEmpty ? nil : bytes
    }

    /// Cuts what the disk holds.
    mutating func cutStored(to size: UInt64) {
        dropStored((size + 4095) / 4096..<UInt64.max)
        let rest = Int(size % 4096)
        if rest > 0, let last = stored[size / 4096], last.count > rest {
            store(Array(last[..<rest]), at: size / 4096)
        }
    }

    /// Makes a hole in what the disk holds.
    mutating func dropStored(_ pages: Range<UInt64>) {
        for page in stored.keys.filter({ pages.contains($0) }) { store([], at: page) }
    }

    /// Whether the file reaches a page.
    func reaches(_ page: UInt64) -> Bool { page < size / 4096 + (size % 4096 > 0 ? 1 : 0) }

    /// Takes pages out, ascending.
    mutating func take(_ range: Range<UInt64>) -> [UInt32] {
        let numbers = frames.keys.filter { range.contains($0) }.sorted()
        return numbers.compactMap { frames.removeValue(forKey: $0) }
    }
}

/// The files of a machine, in places that are used again.
struct MemoryFiles: Sendable {
    private var places: [MemoryFile?] = []
    private var freePlaces: [Int] = []
    /// The files of the disk by their paths.
    private(set) var diskPlaces: [String: Int] = [:]
    /// The next number; the first thousand belong to files from before.
    private var nextInode: UInt64 = 1_024

    /// Files that descriptors or areas use.
    var count: Int { places.count - freePlaces.count }
    var heldBytes: Int {
        places.reduce(places.capacity * MemoryLayout<MemoryFile?>.stride) {
            $0 + ($1?.heldBytes ?? 0)
        }
    }
    /// The places of files that have pages in swap areas.
    var swappedPlaces: [Int] {
        places.indices.filter { !(places[$0]?.swapped.isEmpty ?? true) }
    }
    /// Files on the disk, and how much of each place in order.
    var onDisk: [(place: Int, file: MemoryFile)] {
        places.indices.compactMap { place in
            places[place].flatMap { $0.isOnDisk ? (place, $0) : nil }
        }
    }
    /// All of them, in no order that means anything.
    var all: [MemoryFile] { places.compactMap { $0 } }

    subscript(place: Int) -> MemoryFile? {
        get { places.indices.contains(place) ? places[place] : nil }
        _modify {
            precondition(places.indices.contains(place), "file place")
            yield &places[place]
        }
    }

    /// Makes an empty file of the disk.
    mutating func makeOnDisk(_ path: String) -> Int {
        let place = make(path)
        places[place]?.isOnDisk = true
        diskPlaces[path] = place
        return place
    }

    /// Makes an empty file without users.
    mutating func make(_ path: String) -> Int {
        let file = MemoryFile(path: path, inode: nextInode)
        nextInode += 1
        if let place = freePlaces.popLast() {
            places[place] = file
            return place
        }
        places.append(file)
        return places.count - 1
    }

    /// Forgets a file that nothing uses.
    mutating func remove(_ place: Int) {
        guard places.indices.contains(place), let file = places[place] else { return }
        if file.isOnDisk { diskPlaces[file.path] = nil }
        places[place] = nil
        freePlaces.append(place)
    }
}
