/// Files of the machine's disk and their pages in memory.
let pageCacheCalls: [any KernelCall.Type] = [
    PageCacheRead.self, PageCacheWrite.self, OpenFileOnDisk.self, Sync.self, DropCaches.self,
]

private let pathParameter = Parameter("path", .text, "A file of the disk; made where it is new.")
private let offsetParameter = Parameter(
    "offset",
    .size,
    "Where in the file, in bytes.",
    optional: true,
    isFixedWidth: true
)
/// Most bytes that one call moves.
private let transferLimit: UInt64 = 1 << 30

extension Kernel {
    /// A path as the machine keeps it, or why it takes none.
    fileprivate func checkedPath(_ path: String) -> Result<String, Errno> {
        if path.isEmpty { return .failure(.ENOENT) }
        if path.utf8.count > 255 { return .failure(.ENAMETOOLONG) }
        let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        return isPlain ? .success(path) : .failure(.EINVAL)
    }

    /// The file of a path for a call.
    fileprivate mutating func diskFile(at path: String) -> Result<Int, Errno> {
        checkedPath(path).flatMap { makeDiskFile($0) }
    }

    /// What of a file is in memory, for a call's detail.
    fileprivate func fileFacts(_ place: Int) -> [Fact] {
        guard let file = files[place] else { return [] }
        return [
            Fact("path", .text(file.path)), Fact("size", .count(file.size)),
            Fact("cached_pages", .number(Int64(file.pageCount))),
        ]
    }
}

/// A read that goes through the page cache: `filemap_read()`.
struct PageCacheRead: KernelCall {
    static let signature = CallSignature(
        "page_cache_read",
        returns: "ssize_t",
        [
            pathParameter,
            Parameter(
                "count",
                .size,
                "Bytes; what lies behind the end of the file makes it longer, for there is no disk "
                    + "to find it on.",
                maximum: transferLimit,
                isWork: true,
                isFixedWidth: true
            ),
            offsetParameter,
        ],
        "Reads a file's pages into memory and marks them as used."
    )

    var path: String
    var count: UInt64
    var offset: UInt64

    init(_ arguments: borrowing CallArguments) {
        path = arguments.text(0)
        count = min(arguments.word(1), transferLimit)
        offset = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard offset <= Kernel.maximumDiskFileBytes - count else { return kernel.status(.EFBIG) }
        switch kernel.diskFile(at: path) {
        case .failure(let errno): return kernel.status(errno)
        case .success(let place):
            kernel.growDiskFile(place, to: offset + count)
            let numbers = offset / 4096..<(offset + count + 4095) / 4096
            let pages = kernel.readPages(place, numbers, in: context)
            let end = min((offset / 4096 + UInt64(pages.read)) * 4096, offset + count)
            let done = end > offset ? end - offset : 0
            guard done > 0 || count == 0 else { return kernel.status(.ENOMEM) }
            return CallResult(
                .unsigned(done),
                detail: .facts(
                    kernel.fileFacts(place) + [
                        Fact("pages", .number(Int64(pages.read))),
                        Fact("found_in_memory", .number(Int64(pages.found))),
                    ]
                )
            )
        }
    }
}

/// A write that goes through the page cache: `generic_perform_write()`.
struct PageCacheWrite: KernelCall {
    static let signature = CallSignature(
        "page_cache_write",
        returns: "ssize_t",
        [pathParameter, Parameter("data", .bytes, "The bytes.", isWork: true), offsetParameter],
        "Writes to a file's pages in memory, which are dirty until the disk has them."
    )

    var path: String
    var data: [UInt8]
    var offset: UInt64

    init(_ arguments: borrowing CallArguments) {
        path = arguments.text(0)
        data = arguments.bytes(1)
        offset = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard offset <= Kernel.maximumDiskFileBytes - UInt64(data.count) else {
            return kernel.status(.EFBIG)
        }
        switch kernel.diskFile(at: path) {
        case .failure(let errno): return kernel.status(errno)
        case .success(let place):
            let done = kernel.write(data, to: place, at: offset, in: context)
            guard done > 0 || data.isEmpty else { return kernel.status(.ENOMEM) }
            return CallResult(
                .unsigned(done),
                detail: .facts(
                    kernel.fileFacts(place) + [
                        Fact("dirty_pages", .number(Int64(kernel.dirtyPageCount))),
                        Fact("writeback_pages", .number(Int64(kernel.writebackPageCount))),
                    ]
                )
            )
        }
    }
}

/// The call `int open(const char *pathname, int flags)` for a file of the disk.
struct OpenFileOnDisk: KernelCall {
    static let signature = CallSignature(
        "open_file",
        returns: "int",
        [pathParameter],
        "Opens a file of the disk for the calling process, to map, read, write or cut it."
    )

    var path: String

    init(_ arguments: borrowing CallArguments) { path = arguments.text(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let process = kernel.processIndex(context)
        let opened = kernel.checkedPath(path).flatMap { kernel.openDiskFile(process, $0) }
        switch opened {
        case .failure(let errno): return kernel.status(errno)
        case .success(let descriptor): return CallResult(.integer(Int64(descriptor)))
        }
    }
}

/// The call `void sync(void)`.
struct Sync: KernelCall {
    static let signature = CallSignature(
        "sync",
        returns: "void",
        [],
        "Writes every dirty page to the disk, and waits until that is done.",
        takesLong: true
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let pages = kernel.syncDisk()
        return CallResult(.void, detail: .facts([Fact("written_pages", .number(Int64(pages)))]))
    }
}

/// A write to `/proc/sys/vm/drop_caches`.
struct DropCaches: KernelCall {
    static let signature = CallSignature(
        "drop_caches",
        returns: "void",
        [
            Parameter(
                "what",
                .uint,
                "1: clean pages of files that nothing maps; 2: what shrinkers give; 3: both.",
                maximum: 7
            )
        ],
        "Frees clean pages of files, and asks the shrinkers for all that they have.",
        takesLong: true
    )

    var what: UInt32

    init(_ arguments: borrowing CallArguments) { what = arguments.uint(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard what & 3 != 0 else { return kernel.status(.EINVAL) }
        let result = kernel.dropCaches(what, in: context)
        return CallResult(
            .void,
            detail: .facts([
                Fact("pages", .number(Int64(result.pages))),
                Fact("slab_pages", .number(Int64(result.slabPages))),
            ])
        )
    }
}
