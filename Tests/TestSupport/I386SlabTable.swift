import Foundation

/// The slab caches and kmalloc sizes of 32-bit kernels (`i386-nomerge/`, `i386/*/kmalloc.jsonl`).
public enum I386SlabTable {
    /// A row of `slabs.txt`: what `/sys/kernel/slab` tells of a cache that shares nothing.
    public struct Cache: Hashable, Sendable {
        public let name: String
        public let objectSize: Int
        public let slabSize: Int
        public let align: Int
        public let order: Int
        public let objectsPerSlab: Int
        public let cpuPartial: Int
        public let minPartial: Int
        public let isLineAligned: Bool
        public let isDMA: Bool
        public let isReclaimable: Bool
        public let usercopySize: Int
        public let isFreedByRCU: Bool

        public init(
            name: String,
            objectSize: Int,
            slabSize: Int,
            align: Int,
            order: Int,
            objectsPerSlab: Int,
            cpuPartial: Int,
            minPartial: Int,
            isLineAligned: Bool,
            isDMA: Bool,
            isReclaimable: Bool,
            usercopySize: Int,
            isFreedByRCU: Bool
        ) {
            self.name = name
            self.objectSize = objectSize
            self.slabSize = slabSize
            self.align = align
            self.order = order
            self.objectsPerSlab = objectsPerSlab
            self.cpuPartial = cpuPartial
            self.minPartial = minPartial
            self.isLineAligned = isLineAligned
            self.isDMA = isDMA
            self.isReclaimable = isReclaimable
            self.usercopySize = usercopySize
            self.isFreedByRCU = isFreedByRCU
        }
    }

    /// A row of `geom.jsonl`: a cache of `from` bytes, made for the purpose.
    public struct Shape: Decodable, Hashable, Sendable {
        /// `SLAB_HWCACHE_ALIGN` or nothing.
        public let flags: UInt32
        public let from: UInt64
        public let slabSize: Int
        public let align: Int
        public let order: Int
        public let objects: Int
        public let minOrder: Int
        public let minObjects: Int
        public let inuse: Int
        public let offset: Int
        public let cpuPartial: Int
        public let cpuPartialSlabs: Int
        public let minPartial: Int
    }

    /// A row of `kmalloc.jsonl`: sizes with one outcome, or one large size, or something else.
    public struct Sizes: Decodable, Hashable, Sendable {
        /// The flags as C writes them, or `large`, `align`, `kvmalloc`.
        public let kind: String
        public let from: UInt64?
        public let to: UInt64?
        public let size: UInt64?
        public let ksize: UInt64?
        public let cache: String?
        public let order: Int?
    }

    /// Every cache of a kernel that merges none.
    public static func caches() throws -> [Cache] {
        try Recording.text("i386-nomerge/slabs.txt").split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            guard words.count == 13 else { throw Unreadable(line: String(line)) }
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard numbers.count == 12 else { throw Unreadable(line: String(line)) }
            return Cache(
                name: String(words[0]),
                objectSize: numbers[0],
                slabSize: numbers[1],
                align: numbers[2],
                order: numbers[3],
                objectsPerSlab: numbers[4],
                cpuPartial: numbers[5],
                minPartial: numbers[6],
                isLineAligned: numbers[7] == 1,
                isDMA: numbers[8] == 1,
                isReclaimable: numbers[9] == 1,
                usercopySize: numbers[10],
                isFreedByRCU: numbers[11] == 1
            )
        }
    }

    public static func shapes() throws -> [Shape] { try rows("i386-nomerge/geom.jsonl") }

    /// What every size of `kmalloc()` becomes, by the boot's folder.
    public static func kmalloc(_ folder: String) throws -> [Sizes] {
        try rows("\(folder)/kmalloc.jsonl")
    }

    /// A line with other columns than the recording's.
    public struct Unreadable: Error {
        public let line: String
    }

    private static func rows<Row: Decodable>(_ path: String) throws -> [Row] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try Recording.bytes(path).split(separator: UInt8(ascii: "\n")).map {
            try decoder.decode(Row.self, from: Data($0))
        }
    }
}
