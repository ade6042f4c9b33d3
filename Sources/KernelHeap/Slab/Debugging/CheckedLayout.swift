/// Where the parts of a checked slot lie, in bytes from the object's start.
///
///     | red_left_pad | object | red zone | free pointer | allocated by | freed by | asked | padding |
///                    0        objectSize inuse          tracks                    |       padding  end
///
/// Each part is there only with its flag; see `SlabGeometry`.
struct CheckedLayout {
    let flags: SlabFlags
    /// Bytes of one `struct track`.
    let trackBytes: UInt64
    let objectSize: UInt64
    let inuse: UInt64
    let redLeftPad: UInt64
    let pointer: UInt64
    /// Two notes of who allocated and who freed; valid with `SLAB_STORE_USER`.
    let tracks: UInt64
    /// What `kmalloc()` was asked for; nil where nothing notes it.
    let requested: UInt64?
    let padding: UInt64
    let end: UInt64

    init(_ geometry: SlabGeometry, wordBytes: Int) {
        trackBytes = wordBytes == 8 ? 32 : 20
        flags = geometry.flags
        objectSize = UInt64(clamping: geometry.objectSize)
        inuse = UInt64(clamping: geometry.inuse)
        redLeftPad = UInt64(clamping: geometry.redLeftPad)
        pointer = UInt64(clamping: geometry.offset)
        end = UInt64(clamping: geometry.size - geometry.redLeftPad)
        // The free pointer stands behind the object where checks or users read all of it.
        var place = pointer >= inuse ? inuse + UInt64(wordBytes) : inuse
        tracks = place
        if flags.contains(.storeUser) { place += 2 * trackBytes }
        let notesSize = flags.contains(.storeUser) && flags.contains(.kmalloc)
        requested = notesSize ? place : nil
        if notesSize { place += 4 }
        padding = place
    }

    var isPointerOutside: Bool { pointer >= inuse }
}

/// The bytes that mark memory: `include/linux/poison.h`.
enum SlabPoison {
    static let inactive: UInt8 = 0xbb
    static let active: UInt8 = 0xcc
    static let inUse: UInt8 = 0x5a
    static let free: UInt8 = 0x6b
    static let end: UInt8 = 0xa5
}

/// Who allocated or freed an object: `struct track`, kept in the slot's own bytes.
///
///     0          8         12    16    20       24        32
///     | caller   | stack   | cpu | pid | unused | jiffies |
///
/// With words of four bytes it has 20: five words without a gap.
///
/// The caller is the session's call, its number in the low half of what is an address in the kernel.
struct ObjectTrack {
    var call: UInt64
    var cpu: Int32
    var pid: Int32
    var jiffies: UInt64

    init(call: UInt64, cpu: Int, pid: Int) {
        self.call = call
        self.cpu = Int32(truncatingIfNeeded: cpu)
        self.pid = Int32(truncatingIfNeeded: pid)
        jiffies = Kernel.jiffies(atCall: call)
    }

    /// Reads a track; nil where nobody is noted.
    init?(_ bytes: [UInt8]) {
        func word(_ start: Int, _ count: Int) -> UInt64 {
            bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let isShort = bytes.count == 20
        guard isShort || bytes.count == 32, word(0, isShort ? 4 : 8) != 0 else { return nil }
        call = word(0, 4)
        guard !isShort else {
            cpu = Int32(truncatingIfNeeded: word(8, 4))
            pid = Int32(truncatingIfNeeded: word(12, 4))
            jiffies = word(16, 4)
            return
        }
        cpu = Int32(truncatingIfNeeded: word(12, 4))
        pid = Int32(truncatingIfNeeded: word(16, 4))
        jiffies = word(24, 8)
    }

    /// The bytes in memory, so many as the machine's tracks have.
    func stored(count: UInt64) -> [UInt8] {
        let none = UInt32(0).littleEndianBytes
        let place = cpu.littleEndianBytes + pid.littleEndianBytes
        if count == 20 {
            return call.littleEndianBytes(count: 4) + none + place
                + jiffies.littleEndianBytes(count: 4)
        }
        let caller = call & 0xffff_ffff | 0xffff_ffff << 32
        return caller.littleEndianBytes + none + place + none + jiffies.littleEndianBytes
    }
}
