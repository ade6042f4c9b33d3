/// The recorded GFP flags (`constants/gfp_constants.json`).
public struct GFPRecording: Decodable, Sendable {
    /// A flag or a combination, with what the kernel makes of it.
    public struct Flag: Decodable, Sendable {
        /// As it stands in C: `GFP_KERNEL & ~__GFP_RECLAIM`.
        public let name: String
        public let value: UInt32
        /// What `%pGg` prints.
        public let text: String
        /// The highest zone that may serve it, on a machine with a movable zone.
        public let zone: String
        public let migratetypeName: String
        public let mayBlock: Bool
        /// 1: other nodes are out of the question.
        public let zonelistNode: Int
    }

    /// One of the sixteen combinations of zone bits.
    public struct ZoneBits: Decodable, Sendable {
        public let bits: UInt32
        public let text: String
        public let zone: String
    }

    /// A single bit, as text.
    public struct Bit: Decodable, Sendable {
        public let hex: String
        public let text: String
    }

    public let gfp: [Flag]
    public let zoneModifierCombos: [ZoneBits]
    public let unknownBitsText: [Bit]
    /// Values in hexadecimal.
    public let constants: [String: String]

    /// The recording of 6.1 on x86_64.
    public static func linux61() throws -> GFPRecording {
        try Recording.decode(GFPRecording.self, from: "constants/gfp_constants.json")
    }
}
