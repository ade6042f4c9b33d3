import Foundation
import TestSupport
import Testing

@testable import KernelHeap

/// Each report as a whole block, against the one of a real kernel booted with `slub_debug=FZPU`.
@Suite("Slab: what slub_debug reports")
struct SlabReportTests {
    @Test func `a byte written just past an object is found when it is freed`() throws {
        var machine = try CheckedMachine()
        let object = machine.allocate()
        machine.kernel.writeKernel(object + 200, [0x11])
        machine.free(object)
        #expect(machine.report(object) == (try Report.recorded("52")))
        machine.free(object)
        #expect(machine.lines.isEmpty, "the zone was repaired")
    }

    @Test func `a byte written before an object is found when it is freed`() throws {
        var machine = try CheckedMachine()
        _ = machine.allocate()
        let object = machine.allocate()
        machine.kernel.writeKernel(object - 1, [0x22])
        machine.free(object)
        #expect(machine.report(object) == (try Report.recorded("53")))
    }

    @Test func `a byte written after a free is found when the object is to be handed out`() throws {
        var machine = try CheckedMachine()
        _ = (machine.allocate(), machine.allocate())
        let object = machine.allocate()
        machine.free(object)
        machine.kernel.writeKernel(object + 100, [0x33])
        let next = machine.allocate()
        #expect(machine.report(object) == (try Report.recorded("54")))
        #expect(next & ~0xfff != object & ~0xfff, "the slab is given up, a new one serves")
    }

    @Test(arguments: [("55", UInt64(200)), ("56", 64)])
    func `an address inside an object is not freed`(recording: String, size: UInt64) throws {
        var machine = try CheckedMachine(size: size == 200 ? nil : size)
        _ = machine.allocate()
        let object = machine.allocate()
        machine.free(object + 8)
        let wanted = try Report.recorded(recording)
        #expect(machine.report(object + 8) == wanted)
        machine.free(object)
        #expect(machine.lines.isEmpty)
    }

    @Test func `an object freed twice is reported and stays free`() throws {
        var machine = try CheckedMachine(size: 64)
        let object = machine.allocate()
        _ = machine.allocate()
        machine.free(object)
        machine.free(object)
        #expect(machine.report(object) == (try Report.recorded("50")))
        #expect(machine.allocate() == object)
        #expect(machine.allocate() == 0, "the second free cut the list behind the object")
        let lost = "BUG: kernel NULL pointer dereference, address: 0000000000000048"
        #expect(machine.lines.first == lost)
    }

    @Test func `a free pointer written over is found before it is followed`() throws {
        var machine = try CheckedMachine()
        let object = machine.allocate()
        for _ in 1..<13 { _ = machine.allocate() }
        machine.free(object)
        machine.kernel.writeKernel(object + 208, [UInt8](repeating: 0x41, count: 8))
        let next = machine.allocate()
        let reports = try Report.blocks(recorded: "69")
        #expect(machine.report(object) == reports[1])
        #expect(next & ~0xfff != object & ~0xfff)
    }

    @Test func `a byte past what was asked for, but inside the object, goes unnoticed`() throws {
        var machine = try CheckedMachine(size: 13)
        let object = machine.allocate()
        machine.kernel.writeKernel(object + 14, [0x44])
        machine.free(object)
        #expect(machine.lines.isEmpty)
    }

    @Test func `what lies behind the last object is checked and repaired`() throws {
        var machine = try CheckedMachine()
        let object = machine.allocate()
        let end = object & ~0xfff + 4_096
        machine.kernel.writeKernel(end - 100, [1, 2, 3])
        machine.free(object)
        let name = "BUG lab-plain (Not tainted): Padding overwritten. "
        let range = "0x\(machine.kernel.pointer(end - 100))-0x\(machine.kernel.pointer(end - 98))"
        #expect(machine.lines.contains("\(name)\(range) @offset=3996"))
        #expect(machine.lines.contains("FIX lab-plain: Restoring slab padding \(range)=0x5a"))
        #expect(machine.kernel.kernelBytes(end - 100, 3) == [0x5a, 0x5a, 0x5a])
        #expect(machine.allocate() == object, "the object was freed all the same")
    }

    @Test func `a freelist that leads away is cut where it can last be followed`() throws {
        var machine = try CheckedMachine()
        let objects = (0..<3).map { _ in machine.allocate() }
        machine.free(objects[0])
        machine.free(objects[1])
        machine.kernel.writeKernel(objects[0] + 208, [UInt8](repeating: 0x41, count: 8))
        machine.free(objects[2])
        let reports = machine.lines.filter { $0.hasPrefix("BUG") || $0.hasPrefix("FIX") }
        #expect(
            reports == [
                "BUG lab-plain (Not tainted): Freechain corrupt",
                "BUG lab-plain (Tainted: G    B             ): Wrong object count. "
                    + "Counter is 1 but counted were 11",
                "FIX lab-plain: Object count adjusted",
            ]
        )
        let again = (0..<3).map { _ in machine.allocate() }
        #expect(again[..<2] == [objects[2], objects[1]])
        #expect(machine.kernel.checkInvariants(misuse: true) == [])
    }

    @Test func `the taint is written as the recordings have it`() {
        let module = Taint(rawValue: 1 << 12 | 1 << 13)
        #expect(Taint([]).text == "Not tainted")
        #expect(module.text == "Tainted: G           OE     ")
        #expect(module.union([.badPage, .warned]).text == "Tainted: G    B   W  OE     ")
        let all = module.union([.badPage, .died, .warned])
        #expect(all.text == "Tainted: G    B D W  OE     ")
    }

    @Test(arguments: ["slub_debug=F", "slub_debug=Z", "slub_debug=P", "slub_debug=U", "slub_debug"])
    func `a checked cache serves and takes back any number of objects`(options: String) throws {
        var machine = try CheckedMachine(options: options)
        let objects = (0..<500).map { _ in machine.allocate() }
        #expect(Set(objects).count == 500)
        for object in objects { machine.kernel.fillKernel(object, 200, with: 0xee) }
        #expect(machine.kernel.checkInvariants(misuse: false) == [])
        for object in objects.reversed() { machine.free(object) }
        #expect(machine.lines.isEmpty)
        #expect(machine.kernel.checkInvariants(misuse: false) == [])
        let view = machine.kernel.slab.view(machine.cache)
        #expect(view.slabs <= 6, "the node keeps so many, and what it had before")
    }
}

/// A machine with `slub_debug` and the cache of the recordings.
private struct CheckedMachine: ~Copyable {
    var kernel: Kernel
    let cache: Int
    private let size: UInt64?
    private var seen = 0

    init(size: UInt64? = nil, options: String = "slub_debug=FZPU") throws {
        var description = MachineDescription()
        description.bootOptions = "slub_nomerge " + options
        kernel = try Kernel(description)
        cache = Int(kernel.slab.create(SlabRequest(name: "lab-plain", size: 200))?.rawValue ?? 0)
        self.size = size
    }

    mutating func allocate() -> UInt64 {
        seen = kernel.log.lines.count
        if let size { return kernel.kmalloc(size: size, flags: .kernel).rawValue }
        return kernel.address(
            of: kernel.allocate(from: cache, requested: 0, flags: .kernel, in: .standard)
        )
    }

    mutating func free(_ address: UInt64) {
        seen = kernel.log.lines.count
        kernel.kfree(LinearAddress(rawValue: address))
    }

    /// What the last call logged.
    var lines: [String] { Array(kernel.log.lines[seen...]) }

    func report(_ object: UInt64) -> [String] { Report.normal(lines, object) }
}

/// Blocks of log lines with addresses, times and symbols replaced by what they mean.
private enum Report {
    static func recorded(_ number: String) throws -> [String] {
        try #require(try blocks(recorded: number).last)
    }

    /// The blocks of a recording, each with the fixes that end it.
    static func blocks(recorded number: String) throws -> [[String]] {
        let text = try Recording.text("slabtexts/bad-slab-debug.case-\(number).txt")
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("[") }.compactMap {
            $0.split(separator: "]", maxSplits: 1).last.map { String($0.dropFirst()) }
        }
        var blocks: [[String]] = []
        for line in lines {
            if line.hasPrefix("=====") { blocks.append([]) }
            if !blocks.isEmpty { blocks[blocks.count - 1].append(line) }
        }
        return try blocks.map { normal($0, try object($0)) }
    }

    private static func object(_ lines: [String]) throws -> UInt64 {
        let place = lines.compactMap { line -> Substring? in
            if line.hasPrefix("Object 0x") { return line.dropFirst(9).prefix(16) }
            return line.range(of: "pointer 0x").map { line[$0.upperBound...].prefix(16) }
        }
        return place.first.flatMap { UInt64($0, radix: 16) } ?? 0
    }

    static func normal(_ lines: [String], _ object: UInt64) -> [String] {
        var isTrace = false
        var result: [String] = []
        let start = object & 0xfff
        for line in lines where !line.hasPrefix("Disabling") && !line.hasPrefix(" ") {
            if line.hasPrefix("CPU:") { isTrace = true }
            if line.hasPrefix("FIX") || line.hasPrefix("====") { isTrace = false }
            if isTrace { continue }
            var text = line
            text.replace(/\((Not tainted|Tainted: .{19})\)/) { _ in "(TAINT)" }
            text.replace(/(Allocated|Freed) in \S+( \[lab\])? age=\d+ cpu=0 pid=\d+/) { match in
                "\(match.1) in CALLER"
            }
            text.replace(/Slab 0x[0-9a-f]{16}/) { _ in "Slab ADDRESS" }
            text.replace(/fp=0x(\w{16})/) { match in
                match.1 == "0000000000000000" ? "fp=NULL" : "fp=POINTER"
            }
            text.replace(/@offset=(\d+)/) { match in
                "@object+\((Int(match.1) ?? 0) - Int(start))"
            }
            text.replace(/ffff8880[0-9a-f]{8}/) { match in
                let place = UInt64(match.0, radix: 16) ?? 0
                return "object+\(Int64(bitPattern: place &- object))"
            }
            text.replace(/objects=16 used=\d+/) { _ in "objects=16 used=N" }
            result.append(text)
        }
        return result
    }
}
