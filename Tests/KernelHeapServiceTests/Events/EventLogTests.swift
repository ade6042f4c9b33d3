import HTTPServer
import Testing

@testable import KernelHeapService

@Suite("Event log")
struct EventLogTests {
    private func append(_ text: String, to log: inout EventLog) {
        var text = text
        text.withUTF8 { unsafe log.append(UnsafeRawBufferPointer($0)) }
    }

    private func read(_ log: borrowing EventLog, from id: UInt64, room: Int) -> (String, UInt64) {
        var bytes = [UInt8](repeating: 0, count: room)
        let end = log.nextID
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe log.copy(from: id, upTo: end, into: $0)
        }
        return (String(decoding: bytes[..<result.count], as: UTF8.self), result.nextID)
    }

    @Test func `a reader takes as many whole frames as it has room for`() {
        var log = EventLog(nextID: 5, byteCapacity: 1_024, eventCapacity: 16)
        for text in ["aa", "bbb", "cccc"] { append(text, to: &log) }

        #expect(read(log, from: 5, room: 100) == ("aabbbcccc", 8))
        #expect(read(log, from: 5, room: 8) == ("aabbb", 7))
        #expect(read(log, from: 6, room: 2) == ("", 6))
        #expect(read(log, from: 8, room: 100) == ("", 8))
        #expect(log.frameBytes(7) == 4)
        #expect(log.frameBytes(8) == nil)
    }

    @Test func `the oldest frames make room, by bytes and by number`() {
        var log = EventLog(nextID: 1, byteCapacity: 1_024, eventCapacity: 8)
        for _ in 0..<20 { append("x", to: &log) }
        #expect(log.firstID == 13)

        for _ in 0..<5 { append(String(repeating: "y", count: 250), to: &log) }

        #expect(log.nextID == 26)
        #expect(log.firstID == 22)
        #expect(read(log, from: 22, room: 2_000).0 == String(repeating: "y", count: 1_000))
    }

    @Test("every frame comes out as it went in", arguments: UInt64(1)...20)
    func ring(seed: UInt64) {
        var log = EventLog(nextID: 1, byteCapacity: 1_024, eventCapacity: 32)
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var frames: [String] = [""]
        for id in 1...500 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let frame = "<\(id)" + String(repeating: "z", count: Int(random % 200)) + ">"
            frames.append(frame)
            append(frame, to: &log)
            let expected = frames[Int(log.firstID)...].joined()
            #expect(read(log, from: log.firstID, room: 2_048).0 == expected, "seed \(seed)")
        }
    }

    @Test func `a frame beyond a quarter of the ring is not taken`() {
        var log = EventLog(nextID: 1, byteCapacity: 1_024, eventCapacity: 8)

        append(String(repeating: "x", count: 257), to: &log)

        #expect(log.nextID == 1)
    }
}
