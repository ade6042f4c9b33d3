/// What processes and files should hold, whatever reclaim does to the pages behind it.
///
/// A page has two words that are looked at, one at its start and one further on, so that it can be
/// cut between them.
struct ReclaimModel {
    struct Words: Hashable {
        var head: UInt64 = 0
        var tail: UInt64 = 0
    }

    /// A page of a process.
    struct Page {
        /// The file that it shows, and the page of it.
        var source: (file: Int, number: UInt64)?
        var isShared = false
        /// Its own words; a private page of a file has none until it is stored to.
        var own: Words?
        /// Whether it was given up, and may be zeros by now.
        var mayBeGone = false
    }

    struct File {
        var bytes: UInt64 = 0
        var words: [UInt64: Words] = [:]
    }

    /// What a load may find.
    enum Expectation: Hashable {
        case words(Words)
        case wordsOrZeros(Words)
        case refused
    }

    static let tailOffset: UInt64 = 1_000

    /// By number of the process, then by page.
    var processes: [Int: [UInt64: Page]] = [1: [:]]
    var files: [File]

    func expected(_ pid: Int, _ number: UInt64) -> Expectation {
        guard let page = processes[pid]?[number] else { return .refused }
        if let source = page.source {
            guard source.number * 4096 < files[source.file].bytes else { return .refused }
            return .words(page.own ?? files[source.file].words[source.number] ?? Words())
        }
        let words = page.own ?? Words()
        return page.mayBeGone ? .wordsOrZeros(words) : .words(words)
    }

    /// A word was stored; `found` is what the page held before.
    mutating func store(_ pid: Int, _ number: UInt64, _ word: UInt64, atTail: Bool, found: Words) {
        guard var page = processes[pid]?[number] else { return }
        var words = found
        if atTail { words.tail = word } else { words.head = word }
        if let source = page.source, page.isShared {
            files[source.file].words[source.number] = words
            return
        }
        page.own = words
        page.mayBeGone = false
        processes[pid]?[number] = page
    }

    /// A load found a page that had been given up.
    mutating func settle(_ pid: Int, _ number: UInt64, _ words: Words) {
        guard words == Words(), processes[pid]?[number]?.mayBeGone == true else { return }
        processes[pid]?[number]?.own = words
        processes[pid]?[number]?.mayBeGone = false
    }

    mutating func map(_ pid: Int, _ pages: Range<UInt64>, file: Int?, first: UInt64, isShared: Bool)
    {
        for number in pages {
            let source = file.map { (file: $0, number: first + number - pages.lowerBound) }
            let own = file == nil ? Words() : nil
            processes[pid]?[number] = Page(source: source, isShared: isShared, own: own)
        }
    }

    mutating func unmap(_ pid: Int, _ pages: Range<UInt64>) {
        for number in pages { processes[pid]?[number] = nil }
    }

    /// `MADV_DONTNEED`: own words are forgotten.
    mutating func forget(_ pid: Int, _ pages: Range<UInt64>) {
        for number in pages {
            guard let page = processes[pid]?[number] else { continue }
            processes[pid]?[number]?.own = page.source == nil ? Words() : nil
            processes[pid]?[number]?.mayBeGone = false
        }
    }

    /// `MADV_FREE`.
    mutating func giveUp(_ pid: Int, _ pages: Range<UInt64>) {
        for number in pages where processes[pid]?[number]?.source == nil {
            processes[pid]?[number]?.mayBeGone = true
        }
    }

    mutating func cut(_ file: Int, to bytes: UInt64) {
        let old = files[file].bytes
        files[file].bytes = bytes
        guard bytes < old else { return }
        let first = (bytes + 4095) / 4096
        for number in files[file].words.keys.filter({ $0 >= first }) {
            files[file].words[number] = nil
        }
        if bytes % 4096 > 0, bytes % 4096 <= Self.tailOffset {
            files[file].words[bytes / 4096]?.tail = 0
        }
        for pid in processes.keys {
            for (number, page) in processes[pid] ?? [:] {
                guard let source = page.source, source.file == file, source.number >= first else {
                    continue
                }
                processes[pid]?[number]?.own = nil
            }
        }
    }

    /// Stores to a file by a call; the file grows with it.
    mutating func write(_ file: Int, _ number: UInt64, head: UInt64) {
        files[file].words[number, default: Words()].head = head
        files[file].bytes = max(files[file].bytes, number * 4096 + 8)
    }
}
