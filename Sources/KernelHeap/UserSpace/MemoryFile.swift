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
    /// Descriptors that it is open under.
    var descriptorCount = 0
    /// Pages of areas that show it; with the last of both the file goes.
    var mappedPages: UInt64 = 0
    /// Whether its whole size is promised, as that of shared anonymous memory is.
    var isReserved = false
    /// Frames by page number.
    private(set) var frames: [UInt64: UInt32] = [:]

    /// The largest size: `MAX_LFS_FILESIZE` of a file with 64-bit offsets.
    static let maximumSize: UInt64 = 1 << 63 - 1

    init(path: String, inode: UInt64) {
        self.path = path
        self.inode = inode
    }

    var isUsed: Bool { descriptorCount > 0 || mappedPages > 0 }
    var pageCount: Int { frames.count }
    /// What it adds to `Committed_AS`, in pages.
    var committedPages: UInt64 { isReserved ? (size + 4095) / 4096 : UInt64(frames.count) }

    func frame(_ page: UInt64) -> UInt32? { frames[page] }

    mutating func set(_ page: UInt64, _ frame: UInt32) { frames[page] = frame }

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
    /// The next number; the first thousand belong to files from before.
    private var nextInode: UInt64 = 1_024

    /// Files that descriptors or areas use.
    var count: Int { places.count - freePlaces.count }
    var heldBytes: Int { places.capacity * MemoryLayout<MemoryFile?>.stride }
    /// All of them, in no order that means anything.
    var all: [MemoryFile] { places.compactMap { $0 } }

    subscript(place: Int) -> MemoryFile? {
        get { places.indices.contains(place) ? places[place] : nil }
        _modify {
            precondition(places.indices.contains(place), "file place")
            yield &places[place]
        }
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
        guard places.indices.contains(place), places[place] != nil else { return }
        places[place] = nil
        freePlaces.append(place)
    }
}
