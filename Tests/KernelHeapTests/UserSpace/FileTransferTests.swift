import Testing

@testable import KernelHeap

/// `read()`, `write()`, `lseek()` and `poll()` of files in memory.
@Suite("Files in memory: read, write, seek, poll")
struct FileTransferTests {
    private static let user: UInt64 = 0x40_0000

    /// A machine with two user pages, a hole behind them, and an empty file under descriptor 3.
    private func machine() throws -> CallMachine {
        let machine = try CallMachine()
        try machine.call("mmap", .word(Self.user), 8_192, 3, 0x32)
        #expect(try machine.call("memfd_create", "f").word == 3)
        return machine
    }

    private func load(_ machine: CallMachine, _ address: UInt64, _ count: UInt64) throws -> [UInt8]
    {
        let outcome = try machine.call("user_read", .word(address), .word(count))
        guard case .bytes(let bytes)? = outcome.fact("data") else { return [] }
        return bytes
    }

    private func seek(
        _ machine: CallMachine,
        _ offset: Int64,
        _ whence: UInt64
    ) throws -> CallOutcome {
        try machine.call("sys_lseek", 3, .word(UInt64(bitPattern: offset)), .word(whence))
    }

    @Test func `what is written at the position is read back from there`() throws {
        let machine = try machine()
        try machine.call("user_write", .word(Self.user), .bytes(Array("hello, file".utf8)))

        let written = try machine.call("sys_write", 3, .word(Self.user), 11)
        let end = try machine.call("sys_read", 3, .word(Self.user + 100), 4)
        let start = try seek(machine, 7, 0)
        let read = try machine.call("sys_read", 3, .word(Self.user + 100), 100)

        #expect(written.word == 11 && end.word == 0)
        #expect(start.word == 7 && read.word == 4)
        #expect(try load(machine, Self.user + 100, 5) == Array("file".utf8) + [0])
        #expect(read.fact("position") == .count(11))
        #expect(machine.violations.isEmpty)
    }

    @Test func `a fork reads on where its parent stopped`() throws {
        let machine = try machine()
        try machine.call("pwrite", 3, .bytes([1, 2, 3, 4]), 0)
        try machine.call("sys_read", 3, .word(Self.user), 3)
        let child = Int(try machine.call("fork").word)

        let rest = try machine.call("sys_read", [3, .word(Self.user), 9], pid: child)
        let end = try machine.call("sys_read", 3, .word(Self.user), 9)

        #expect(rest.word == 1 && end.word == 0)
    }

    @Test func `a buffer that ends in a hole gets what fits, one that begins there EFAULT`() throws
    {
        let machine = try machine()
        try machine.call("ftruncate", 3, 10_000)
        let free = machine.kernel.pages.ownPages()

        let short = try machine.call("sys_read", 3, .word(Self.user + 4_096), 9_000)
        let none = try machine.call("sys_read", 3, .word(Self.user + 8_192), 10)
        let unread = try machine.call("sys_write", 3, .word(Self.user + 8_192), 10)
        let beyond = try machine.call("sys_write", 3, 0x7fff_ffff_f000, 1)
        let closed = try machine.call("sys_read", 4, .word(Self.user), 1)

        #expect(short.word == 4_096)
        #expect(none.result.errno == .EFAULT && unread.result.errno == .EFAULT)
        #expect(beyond.result.errno == .EFAULT && closed.result.errno == .EBADF)
        // The page that was read into and its tables; the file has none.
        #expect(machine.kernel.files[0]?.pageCount == 0)
        #expect(machine.kernel.pages.ownPages() < free)
    }

    //   | page 0: none | page 1: data | page 2: data | page 3: none, ends at 12,388 |
    @Test func `seeking knows the end, data and holes`() throws {
        let machine = try machine()
        try machine.call("pwrite", 3, .bytes([9]), 4_196)
        try machine.call("pwrite", 3, .bytes([9]), 8_192)
        try machine.call("ftruncate", 3, 12_388)
        func position(_ offset: Int64, _ whence: UInt64) throws -> Int64 {
            Int64(bitPattern: try seek(machine, offset, whence).word)
        }

        #expect(try position(-88, 2) == 12_300)
        #expect(try position(10, 1) == 12_310)
        #expect(try position(-13_000, 2) == -22)
        #expect(try position(.max, 1) == -22)
        #expect(try position(0, 1) == 12_310)
        #expect(try position(0, 3) == 4_096)
        #expect(try position(5_000, 3) == 5_000)
        #expect(try position(5_000, 4) == 12_288)
        #expect(try position(17, 4) == 17)
        #expect(try position(12_300, 3) == -6)
        #expect(try position(12_388, 4) == -6)
        #expect(try position(-1, 3) == -6)
        #expect(try position(0, 5) == -22)
    }

    @Test func `writing behind the end leaves zeros between`() throws {
        let machine = try machine()
        try machine.call("user_write", .word(Self.user), .bytes([7]))
        _ = try seek(machine, 5_000, 0)
        try machine.call("sys_write", 3, .word(Self.user), 1)
        _ = try seek(machine, 4_998, 0)

        let read = try machine.call("sys_read", 3, .word(Self.user + 10), 50)

        #expect(read.word == 3)
        #expect(try load(machine, Self.user + 10, 4) == [0, 0, 7, 0])
    }

    //   struct pollfd: int fd; short events; short revents
    @Test func `a file in memory is always ready, and what is not open says so`() throws {
        let machine = try machine()
        let polls: [UInt8] = [
            3, 0, 0, 0, 1, 0, 0xee, 0xee,
            9, 0, 0, 0, 1, 0, 0xee, 0xee,
            0xff, 0xff, 0xff, 0xff, 1, 0, 0xee, 0xee,
        ]
        try machine.call("user_write", .word(Self.user), .bytes(polls))

        let ready = try machine.call("sys_poll", .word(Self.user), 3, 0)
        let unmapped = try machine.call("sys_poll", .word(Self.user + 8_190), 1, 0)
        let many = try machine.call("sys_poll", .word(Self.user), 1_025, 0)
        let answers = try load(machine, Self.user, 24)
        let waiting = try machine.call("sys_poll", .word(Self.user + 16), 1, .word(0xffff_ffff))

        #expect(ready.word == 2)
        #expect(Array(answers[6..<8]) == [1, 0] && Array(answers[14..<16]) == [0x20, 0])
        #expect(Array(answers[22..<24]) == [0, 0])
        #expect(unmapped.result.errno == .EFAULT && many.result.errno == .EINVAL)
        #expect(waiting.result.errno == .EINTR)
    }
}
