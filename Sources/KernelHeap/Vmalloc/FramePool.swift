/// Lists of frame numbers of any length: what `vm_struct.pages` points to.
///
/// A list has room for a power of two of numbers; room given back is chained by length.
struct FramePool: ~Copyable {
    private var numbers = ChunkedColumn<UInt32>(count: 0)
    /// First list of each length that is free, as its place; 0 for none.
    private var free: InlineArray<32, UInt32> = InlineArray(repeating: 0)
    /// Place 0 is no list.
    private var end = 1

    init() {}

    private init(forkOf other: inout FramePool) {
        numbers = other.numbers.fork()
        free = other.free
        end = other.end
    }

    mutating func fork() -> FramePool { FramePool(forkOf: &self) }

    var heldBytes: Int { numbers.heldBytes }

    /// Keeps a list.
    ///
    /// - Returns: its place; 0 for an empty one, and where there is no room among 2^32 numbers.
    mutating func add(_ frames: [UInt32]) -> UInt32 {
        guard !frames.isEmpty, frames.count <= Self.longest, let place = takeRoom(frames.count)
        else { return 0 }
        for (index, frame) in frames.enumerated() { numbers[place + index] = frame }
        return UInt32(truncatingIfNeeded: place)
    }

    /// The list at a place.
    func frames(_ place: UInt32, count: Int) -> [UInt32] {
        guard place != 0 else { return [] }
        return (0..<count).map { numbers[Int(place) + $0] }
    }

    mutating func remove(_ place: UInt32, count: Int) {
        guard place != 0, count > 0 else { return }
        let length = Self.length(count)
        numbers[Int(place)] = free[length]
        free[length] = place
    }

    private mutating func takeRoom(_ count: Int) -> Int? {
        let length = Self.length(count)
        if free[length] != 0 {
            let place = Int(free[length])
            free[length] = numbers[place]
            return place
        }
        let place = end
        guard place + 1 << length < 1 << 32 else { return nil }
        end += 1 << length
        if end > numbers.capacity { numbers.grow(toAtLeast: end) }
        return place
    }

    private static let longest = 1 << 31

    /// The power of two that holds so many, as an exponent; at most 31 for what `add` takes.
    private static func length(_ count: Int) -> Int {
        Int.bitWidth - (count - 1).leadingZeroBitCount
    }
}
