internal import HTTPServer

extension ResponseBody {
    /// Whether the answer comes later or piece by piece.
    var isPending: Bool {
        switch self {
        case .empty: false
        case .bytes: false
        case .stream: true
        case .deferred: true
        }
    }

    /// How many bytes are there; 0 where they come later.
    var byteCount: Int {
        switch self {
        case .empty: 0
        case .bytes(let buffer): buffer.count
        case .stream: 0
        case .deferred: 0
        }
    }

    /// A copy of the bytes; empty where there are none yet.
    var copiedBytes: [UInt8] {
        switch self {
        case .empty: []
        case .bytes(let buffer): unsafe buffer.withUnsafeBytes { unsafe Array($0) }
        case .stream: []
        case .deferred: []
        }
    }
}
