/// A move of a file's position: `fs/read_write.c`, 6.1.
struct FileSeek: Hashable, Sendable {
    /// From where the offset counts.
    enum Origin: UInt64, CaseIterable, Hashable, Sendable {
        case start, current, end, data, hole

        /// The C name: `SEEK_SET`.
        var name: String {
            switch self {
            case .start: "SEEK_SET"
            case .current: "SEEK_CUR"
            case .end: "SEEK_END"
            case .data: "SEEK_DATA"
            case .hole: "SEEK_HOLE"
            }
        }
    }

    /// Bytes.
    var offset: Int64
    /// Nil for a number that means nothing.
    var origin: Origin?

    static let names = FlagNames(
        "whence",
        Origin.allCases.map { FlagName($0.name, $0.rawValue) }
    )

    /// The new position: `generic_file_llseek_size()`, without holes.
    ///
    /// - Parameters:
    ///   - position: the old one.
    ///   - end: of the file, in bytes.
    ///   - limit: the highest position.
    /// - Returns: `EINVAL` for a position that none can be.
    func position(from position: Int64, end: Int64, limit: Int64) -> Result<Int64, Errno> {
        let base: Int64
        switch origin {
        case .start: base = 0
        case .current: base = position
        case .end: base = end
        case .data, .hole, nil: return .failure(.EINVAL)
        }
        let (sum, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, sum >= 0, sum <= limit else { return .failure(.EINVAL) }
        return .success(sum)
    }
}

extension Kernel {
    /// `lseek()`: a file in memory knows its end and its holes; a device's driver decides.
    mutating func seekFile(
        _ descriptor: Int,
        _ seek: FileSeek,
        in context: CallContext
    ) -> DeviceOutcome {
        let memory = processes[processIndex(context)].file(descriptor)
        let device = deviceFile(descriptor, in: context)
        guard memory != nil || device != nil else { return .failure(.EBADF) }
        guard seek.origin != nil else { return .failure(.EINVAL) }
        if let place = memory, let file = files[place] {
            switch file.position(after: seek) {
            case .failure(let errno): return .failure(errno)
            case .success(let position):
                files[place]?.position = UInt64(position)
                return DeviceOutcome(value: position)
            }
        }
        guard let (address, file, place) = device else { return .failure(.EBADF) }
        // do_dentry_open() takes FMODE_LSEEK from a file whose driver has no llseek.
        guard !devices.devices[place].script[.llseek].isEmpty else { return .failure(.ESPIPE) }
        let run = run(
            .llseek,
            ofDevice: file.major,
            [
                (.file, address), (.offset, UInt64(bitPattern: seek.offset)),
                (.whence, seek.origin?.rawValue ?? 0),
            ],
            in: context
        )
        return DeviceOutcome(
            value: run.value.map { Int64(bitPattern: $0) },
            facts: [Fact("steps", .list(run.steps))]
        )
    }

    /// `fixed_size_llseek()`: moves the position of a device's `struct file`.
    ///
    /// - Returns: the position, or an error; nil where it cannot be loaded.
    mutating func seekDevice(
        _ file: UInt64,
        _ seek: FileSeek,
        size: Int64,
        in context: CallContext
    ) -> Int64? {
        let member = file &+ FileLayout(is32Bit: layout.is32Bit).position
        let (bytes, fault) = loadKernel(member, 8, in: context)
        if let fault {
            logAccessFault(at: member &+ UInt64(bytes.count), code: fault.code)
            return nil
        }
        let old = Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
        switch seek.position(from: old, end: size, limit: size) {
        case .failure(let errno): return -Int64(errno.rawValue)
        case .success(let new):
            _ = storeKernel(member, UInt64(bitPattern: new).littleEndianBytes, in: context)
            return new
        }
    }
}

extension MemoryFile {
    /// `shmem_file_llseek()`.
    fileprivate func position(after seek: FileSeek) -> Result<Int64, Errno> {
        let (end, limit) = (Int64(clamping: size), Int64(clamping: Self.maximumSize))
        guard seek.origin == .data || seek.origin == .hole else {
            return seek.position(from: Int64(clamping: position), end: end, limit: limit)
        }
        guard seek.offset >= 0, seek.offset < end else { return .failure(.ENXIO) }
        let start = UInt64(seek.offset)
        let numbers = pageNumbers.filter { $0 >= start / 4096 && $0 * 4096 < size }.sorted()
        if seek.origin == .data {
            guard let first = numbers.first else { return .failure(.ENXIO) }
            return .success(Int64(clamping: max(first * 4096, start)))
        }
        var page = start / 4096
        for number in numbers where number == page { page += 1 }
        return .success(Int64(clamping: max(min(page * 4096, size), start)))
    }
}
