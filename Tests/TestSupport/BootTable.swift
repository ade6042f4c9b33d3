public import KernelHeap

/// Zones and watermarks of booted machines (`boot/zones.json`, `boot/watermarks.json`).
public enum BootTable {
    /// One boot: what the machine was given and what it made of it.
    public struct Boot: Decodable, Sendable {
        /// The value of qemu's `-m`: `1G`.
        public let memory: String
        public let smp: Int
        public let bootParameters: String
        public let minFreeKbytes: UInt64
        public let watermarkScaleFactor: UInt64
        public let watermarkBoostFactor: UInt64
        /// One divisor per zone type, DMA first.
        public let lowmemReserveRatio: [UInt64]
        public let zones: [Zone]

        /// Installed memory in bytes.
        public var memoryBytes: UInt64 {
            let units: [Character: UInt64] = ["M": 1 << 20, "G": 1 << 30]
            return (UInt64(memory.dropLast()) ?? 0) * (memory.last.flatMap { units[$0] } ?? 0)
        }
    }

    /// A line group of `/proc/zoneinfo`, pages throughout.
    public struct Zone: Decodable, Sendable {
        public let node: Int
        /// The zone's name.
        public let zone: String
        public let free: UInt64
        public let boost: UInt64
        public let min: UInt64
        public let low: UInt64
        public let high: UInt64
        public let spanned: UInt64
        public let present: UInt64
        public let managed: UInt64
        public let cma: UInt64
        public let protection: [UInt64]
        public let pcpCount: UInt64
        public let pcpHigh: UInt64
        public let pcpBatch: UInt64
        public let statThreshold: Int
        public let startPfn: UInt64

        public var type: ZoneType? { ZoneType(name: zone) }
    }

    /// The watermarks after one write to a sysctl.
    public struct Setting: Decodable, Sendable {
        public let minFreeKbytes: UInt64
        public let watermarkScaleFactor: UInt64
        public let lowmemReserveRatio: [UInt64]
        public let percpuPagelistHighFraction: UInt64
        public let zones: [SettingZone]
    }

    /// What a zone has after a write.
    public struct SettingZone: Decodable, Sendable {
        public let node: Int
        public let zone: String
        public let boost: UInt64
        public let min: UInt64
        public let low: UInt64
        public let high: UInt64
        public let managed: UInt64
        public let protection: [UInt64]
        public let pcpCount: UInt64
        public let pcpHigh: UInt64
        public let pcpBatch: UInt64
        public let statThreshold: Int

        public var type: ZoneType? { ZoneType(name: zone) }
    }

    /// Every boot by the name of its setup: `1G`, `numa2-2G`, `movablecore-1G`.
    public static func boots() throws -> [String: Boot] {
        try Recording.decode([String: Boot].self, from: "boot/zones.json")
    }

    /// The series of writes of every setup, in order; the first entry is the state at boot.
    public static func watermarkSeries() throws -> [String: [Setting]] {
        try Recording.decode([String: [Setting]].self, from: "boot/watermarks.json")
    }
}
