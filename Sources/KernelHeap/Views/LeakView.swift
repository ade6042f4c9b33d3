/// An object that no pointer leads to.
public struct LeakView: Sendable {
    public enum Kind: String, Hashable, Sendable {
        case object, pages, area
    }

    public var address: LinearAddress
    /// Bytes.
    public var size: UInt64
    public var kind: Kind
    /// The cache of a slab object.
    public var cache: String?
    /// The call that allocated it, and its function; nil where that is forgotten.
    public var call: UInt64
    public var function: String?
    /// Of the process that it was allocated for; known with a history of objects, else the first's.
    public var pid: Int
    public var command: String
    /// When it was allocated, and how long ago, in milliseconds.
    public var jiffies: UInt64
    public var age: UInt64
    /// The first 32 bytes, or all.
    public var bytes: [UInt8]
}

extension Kernel {
    /// Reported leaks that are still there, by address.
    ///
    /// - Parameters:
    ///   - cursor: addresses before it are left out.
    ///   - limit: most of them to give.
    /// - Returns: leaks, and the cursor to go on with, nil at the end.
    public func leakViews(from cursor: UInt64, limit: Int) -> (found: [LeakView], next: UInt64?) {
        var found: [LeakView] = []
        var low = 0
        var high = kmemleak.suspects.count
        while low < high {
            let middle = (low + high) / 2
            if kmemleak.suspects[middle].address < cursor {
                low = middle + 1
            } else {
                high = middle
            }
        }
        for suspect in kmemleak.suspects[low...] where suspect.isReported {
            guard let object = leakObject(at: suspect.address), object.call == suspect.call,
                object.address == suspect.address
            else { continue }
            guard found.count < limit else { return (found, suspect.address) }
            found.append(view(of: suspect))
        }
        return (found, nil)
    }

    private func view(of suspect: Kmemleak.Suspect) -> LeakView {
        let place = slabPlace(at: suspect.address)
        let event = history?.events(at: suspect.address).events.last { $0.isAllocation }
        let pid = event?.pid.map { Int($0) } ?? 1
        let born = callTimes.time(of: suspect.call)
        var time = MachineClock()
        time.advance(by: born)
        return LeakView(
            address: LinearAddress(rawValue: suspect.address),
            size: suspect.size,
            kind: layout.isVmalloc(suspect.address) ? .area : place == nil ? .pages : .object,
            cache: place?.cache,
            call: suspect.call,
            function: function(ofCall: suspect.call),
            pid: pid,
            command: process(pid).map { processes[$0].name } ?? "init",
            jiffies: time.jiffies(is32Bit: layout.is32Bit),
            age: (clock.nanoseconds - min(born, clock.nanoseconds)) / 1_000_000,
            bytes: firstBytes(suspect)
        )
    }

    /// `HEX_MAX_LINES` rows of 16 bytes.
    private func firstBytes(_ suspect: Kmemleak.Suspect) -> [UInt8] {
        var bytes: [UInt8] = []
        let count = min(suspect.size, 32)
        let offset = suspect.address % 4_096
        let frame =
            layout.isVmalloc(suspect.address)
            ? areaFrames(at: suspect.address)?.frame(of: suspect.address)
            : frame(ofDirectMapped: suspect.address)
        guard let frame else { return [] }
        let inside = min(count, 4_096 - offset)
        pages.contents.read(frame, offset: Int(offset), count: Int(inside), into: &bytes)
        return bytes
    }
}
