import TestSupport
import Testing

@testable import KernelHeap

/// Random work on a machine that has less memory than is asked for, beside a model of its bytes.
struct ReclaimRun: ~Copyable {
    static let first: UInt64 = 0x4_0000
    /// Pages of the window that each process works in: 48 MiB.
    static let window = 12_000
    static let paths = ["/a", "/b", "/c"]
    /// A file that lives in memory, behind those of the disk.
    static let memoryFile = paths.count

    var kernel: Kernel
    var model: ReclaimModel
    var random: SeededRandom
    var descriptors: [UInt64] = []
    var held: [UInt64] = []
    /// Blocks of 2 MiB that are out of the run's reach, so that the rest is soon in use.
    var blocks: [UInt64] = []
    /// Loads that found something else than they should.
    var wrong: [String] = []
    let freePagesBefore: UInt64

    init(seed: UInt64, profile: String, bootOptions: String = "") throws {
        var description = MachineDescription()
        description.profile = profile
        description.bootOptions = bootOptions
        description.memoryBytes = 96 << 20
        description.swapBytes = 48 << 20
        kernel = try Kernel(description)
        random = SeededRandom(seed: seed)
        model = ReclaimModel(files: Array(repeating: .init(), count: Self.paths.count + 1))
        freePagesBefore = kernel.pages.ownPages()
    }

    /// Opens the files that process 1 and its children work with, and makes memory short.
    mutating func openFiles() throws {
        for path in Self.paths { descriptors.append(try call("open_file", text: path).word) }
        descriptors.append(try call("memfd_create", text: "m").word)
        for _ in 0..<18 {
            let block = try call("__get_free_pages", UInt64(GFPFlags.noWait.rawValue), 9)
            if block.word != 0 { blocks.append(block.word) }
        }
        try call("page_cache_read", 64 << 20, text: "/large")
    }

    @discardableResult
    mutating func call(
        _ name: String,
        _ words: UInt64...,
        text: String? = nil,
        bytes: [UInt8]? = nil,
        pid: Int = 1
    ) throws -> CallOutcome {
        let descriptor = try #require(CallRegistry.byName[name])
        var arguments = CallArguments()
        var place = 0
        if let text {
            arguments.set(place, payload: .text(text))
            place += 1
        }
        for (index, word) in words.enumerated() {
            // The bytes of a call stand behind its text, or behind its first word.
            if let bytes, index == (text == nil ? 1 : 0) {
                arguments.set(place, payload: .bytes(bytes))
                place += 1
            }
            arguments.set(place, word: word)
            place += 1
        }
        if let bytes, words.count == 1, text == nil {
            arguments.set(place, payload: .bytes(bytes))
        }
        let outcome = kernel.apply(descriptor, arguments, in: CallContext(pid: pid))
        for pid in model.processes.keys where !kernel.hasProcess(pid) {
            model.processes[pid] = nil
        }
        return outcome
    }

    /// One piece of work for a random process.
    mutating func step() throws {
        let pid = random.pick(model.processes.keys.sorted())
        let start = Self.first + UInt64(random.below(Self.window))
        let range = start..<start + 1 + UInt64(random.below(512))
        switch random.below(24) {
        case 0...6: try store(pid, range)
        case 7...8: try load(pid, range)
        case 9...11: try map(pid, range)
        case 12: try unmap(pid, range)
        case 13: try advise(pid, range)
        case 14: try lock(pid, range)
        case 15 where model.processes.count < 5: try fork(pid)
        case 16 where pid != 1: try exit(pid)
        case 17...18: try writeFile()
        case 19: try readFile()
        case 20: try cutFile()
        case 21: try takePages()
        case 22: try changeMachine()
        default: try store(pid, range)
        }
    }

    private mutating func store(_ pid: Int, _ range: Range<UInt64>) throws {
        for number in range {
            guard model.processes[pid] != nil else { return }
            let expected = model.expected(pid, number)
            guard let found = try words(pid, number, expected) else { continue }
            let word = random.next()
            let atTail = random.oneIn(4)
            let address = number << 12 + (atTail ? ReclaimModel.tailOffset : 0)
            let outcome = try call("user_write", address, bytes: Self.bytes(word), pid: pid)
            // A process that is killed meanwhile may have stored or not.
            if outcome.word == 8 {
                model.store(pid, number, word, atTail: atTail, found: found)
            } else if model.processes[pid] != nil {
                wrong.append("process \(pid) cannot store to \(number): \(outcome.everything)")
            }
        }
    }

    private mutating func load(_ pid: Int, _ range: Range<UInt64>) throws {
        for number in range where model.processes[pid] != nil {
            _ = try words(pid, number, model.expected(pid, number))
        }
    }

    /// Loads a page's words and holds them to what is expected.
    ///
    /// - Returns: nil where the process may not load them, or is gone.
    @discardableResult
    mutating func words(
        _ pid: Int,
        _ number: UInt64,
        _ expected: ReclaimModel.Expectation
    ) throws -> ReclaimModel.Words? {
        let outcome = try call("user_read", number << 12, ReclaimModel.tailOffset + 8, pid: pid)
        guard model.processes[pid] != nil else { return nil }
        guard outcome.word > 0, case .bytes(let bytes)? = outcome.fact("data") else {
            if expected != .refused { wrong.append("process \(pid), \(number): \(outcome)") }
            return nil
        }
        let found = ReclaimModel.Words(
            head: Self.word(bytes[0..<8]),
            tail: Self.word(bytes[Int(ReclaimModel.tailOffset)...])
        )
        switch expected {
        case .words(found), .wordsOrZeros(found): break
        case .wordsOrZeros where found == ReclaimModel.Words(): break
        default: wrong.append("process \(pid), page \(number): \(found), not \(expected)")
        }
        model.settle(pid, number, found)
        return found
    }

    static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }

    static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// What a step may do.
extension ReclaimRun {
    private mutating func map(_ pid: Int, _ range: Range<UInt64>) throws {
        let file = random.oneIn(2) ? random.below(Self.paths.count + 1) : nil
        let isShared = file != nil && random.oneIn(2)
        // Children have the descriptors of process 1.
        let first = UInt64(random.below(2_000))
        let type = isShared ? MapFlags.shared : MapFlags.private
        let outcome = try call(
            "mmap",
            range.lowerBound << 12,
            UInt64(range.count) << 12,
            3,
            type | MapFlags.fixed | (file == nil ? MapFlags.anonymous : 0),
            file.map { descriptors[$0] } ?? 0,
            file == nil ? 0 : first << 12,
            pid: pid
        )
        guard model.processes[pid] != nil else { return }
        guard outcome.word == range.lowerBound << 12 else {
            return wrong.append("mmap: \(outcome.everything)")
        }
        model.map(pid, range, file: file, first: first, isShared: isShared)
    }

    private mutating func unmap(_ pid: Int, _ range: Range<UInt64>) throws {
        try call("munmap", range.lowerBound << 12, UInt64(range.count) << 12, pid: pid)
        model.unmap(pid, range)
    }

    private mutating func advise(_ pid: Int, _ range: Range<UInt64>) throws {
        let advice = random.pick([MemoryAdvice.dontNeed, .free, .cold, .pageOut])
        for number in range {
            // Page by page, for the answer tells whether the advice was taken.
            let outcome = try call("madvise", number << 12, 4096, advice.rawValue, pid: pid)
            guard model.processes[pid] != nil else { return }
            guard outcome.result.errno == nil else { continue }
            if advice == .dontNeed { model.forget(pid, number..<number + 1) }
            if advice == .free { model.giveUp(pid, number..<number + 1) }
        }
    }

    private mutating func lock(_ pid: Int, _ range: Range<UInt64>) throws {
        let isFile = range.contains { model.processes[pid]?[$0]?.source != nil }
        let length = UInt64(range.count) << 12
        // A locked private page of a file is a copy from then on, which the model does not know.
        let isLocked = !isFile && random.oneIn(2)
        try call(isLocked ? "mlock" : "munlock", range.lowerBound << 12, length, pid: pid)
    }

    private mutating func fork(_ pid: Int) throws {
        let outcome = try call("fork", pid: pid)
        guard outcome.result.errno == nil, let pages = model.processes[pid] else { return }
        model.processes[Int(outcome.word)] = pages
    }

    private mutating func exit(_ pid: Int) throws {
        try call("process_exit", pid: pid)
        let isThere = kernel.hasProcess(pid)
        #expect(!isThere)
    }

    private mutating func writeFile() throws {
        let file = random.below(Self.paths.count + 1)
        let start = UInt64(random.below(3_000))
        for number in start..<start + 1 + UInt64(random.below(256)) {
            let word = random.next()
            let bytes = Self.bytes(word)
            let outcome =
                file == Self.memoryFile
                ? try call("pwrite", descriptors[file], number << 12, bytes: bytes)
                : try call("page_cache_write", number << 12, text: Self.paths[file], bytes: bytes)
            guard outcome.result.errno != .ENOMEM else { return }
            guard outcome.word == 8 else { return wrong.append("write: \(outcome.everything)") }
            model.write(file, number, head: word)
        }
    }

    /// Reads a file by a call, page by page where its words are known.
    private mutating func readFile() throws {
        let file = random.below(Self.paths.count + 1)
        let start = UInt64(random.below(3_000))
        for number in start..<start + 256 where number * 4096 + 8 <= model.files[file].bytes {
            let outcome = try call("pread", descriptors[file], 8, number << 12)
            guard case .bytes(let bytes)? = outcome.fact("data") else { continue }
            let expected = model.files[file].words[number]?.head ?? 0
            if Self.word(bytes[...]) != expected { wrong.append("file \(file), page \(number)") }
        }
    }

    private mutating func cutFile() throws {
        let file = random.below(Self.paths.count + 1)
        let inner = random.pick([UInt64(0), 512, 1_000, 2_048])
        let bytes = UInt64(random.below(3_500)) << 12 + inner
        let outcome = try call("ftruncate", descriptors[file], bytes)
        #expect(outcome.result.errno == nil)
        model.cut(file, to: bytes)
    }

    /// The kernel takes blocks, or gives them back.
    private mutating func takePages() throws {
        let giveBack = held.count > 200 || random.oneIn(2)
        if giveBack {
            for address in held { try call("free_pages", address, 0) }
            held = []
            return
        }
        for _ in 0..<64 {
            let outcome = try call("__get_free_pages", UInt64(GFPFlags.kernel.rawValue), 0)
            if outcome.word != 0 { held.append(outcome.word) }
        }
    }

    private mutating func changeMachine() throws {
        switch random.below(6) {
        case 0: try call("drop_caches", UInt64(1 + random.below(3)))
        case 1: try call("sync")
        case 2: try call("swapon", 24 << 20, text: "/swapfile")
        case 3: try call("swapoff", text: "/swapfile")
        case 4: try call("balance")
        default: try call("page_cache_read", 8 << 20, text: "/large")
        }
    }
}
