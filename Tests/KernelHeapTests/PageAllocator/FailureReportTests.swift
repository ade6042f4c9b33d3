import TestSupport
import Testing

@testable import KernelHeap

/// A recorded allocation failure, and the call that brings it about.
struct RecordedFailure: Sendable, CustomTestStringConvertible {
    let file: String
    let call: String
    let words: [UInt64]

    var testDescription: String { "\(file): \(call)" }

    static let all = [
        RecordedFailure(file: "bad-fail.case-84", call: "alloc_pages", words: [0xcc0, 10]),
        RecordedFailure(file: "bad-fail-85.case-85", call: "alloc_page", words: [0x800]),
        RecordedFailure(file: "bad-fail-86.case-86", call: "kmalloc", words: [200, 0x800]),
        RecordedFailure(file: "bad-fail-99.case-99", call: "kmalloc", words: [2 << 20, 0xcc0]),
        RecordedFailure(file: "bad-fail-100.case-100", call: "alloc_pages", words: [0x1_0cc0, 10]),
    ]
}

/// Machines with the recorded zones fail the recorded calls, and print the recorded report.
///
/// Left out of the comparison: the process, the call trace, and what only processes and the page
/// cache of a running system move.
@Suite("Page allocator: recorded failures")
struct FailureReportTests {
    @Test("the same call fails with the same report", arguments: RecordedFailure.all)
    func fails(failure: RecordedFailure) throws {
        let block = try MemInfoBlock(named: failure.file + ".txt")
        let text = try Recording.text("texts/\(failure.file).txt").split(separator: "\n")
        let header = text.first { $0.contains("page allocation failure") }.map(String.init)
        var description = MachineDescription()
        description.zones = try block.report.nodes[0].zones.map { try Self.zone($0) }
        var kernel = try Kernel(description)
        let descriptor = try #require(CallRegistry.byName[failure.call])
        var arguments = CallArguments()
        for (index, word) in failure.words.enumerated() { arguments.set(index, word: word) }

        let outcome = kernel.apply(descriptor, arguments, in: .standard)

        #expect(outcome.result.value == .pointer(0))
        let printed = Array(outcome.log)
        #expect(Self.afterName(printed.first) == Self.afterName(header))
        #expect(Self.zoneFacts(printed) == Self.zoneFacts(block.lines))
        #expect(Self.zoneFacts(printed).count >= 12)
    }

    /// A zone with as many free blocks of each class, and as many pages on the per-CPU lists.
    private static func zone(_ view: ZoneView) throws -> ZoneDescription {
        var zone = ZoneDescription()
        zone.name = view.type
        zone.startPFN = view.type == .dma ? 1 : 4_096
        zone.spanned = view.type == .dma ? 4_095 : view.present
        zone.present = view.present
        zone.managed = view.managed
        zone.watermarks = WatermarksDescription(
            min: view.min - view.boost,
            low: view.low - view.boost,
            high: view.high - view.boost,
            boost: view.boost
        )
        zone.lowmemReserve = view.protection
        var next = zone.startPFN
        // Every block stands beside a neighbour in use, so that none can merge.
        func place(order: Int) -> UInt64 {
            let size: UInt64 = 2 << UInt64(order)
            let start = (next + size - 1) / size * size
            next = start + size
            return start
        }
        zone.freeLists = view.freeBlocks.enumerated().reversed().flatMap { order, types in
            types.enumerated().map { type, count in
                FreeListDescription(
                    order: order,
                    migrateType: MigrateType(rawValue: UInt8(type)) ?? .movable,
                    pfns: (0..<count).map { _ in place(order: order) }
                )
            }
        }
        let held = (0..<(view.pageSets.first?.count ?? 0)).map { _ in place(order: 0) }
        zone.pcp = [PerCPUPagesDescription(cpu: 0, lists: [.init(index: 0, pfns: held)])]
        try #require(next <= zone.startPFN + zone.spanned)
        return zone
    }

    private static func afterName(_ line: String?) -> Substring? {
        line.flatMap { line in line.firstRange(of: ": page").map { line[$0.lowerBound...] } }
    }

    /// The lines that follow from the zones, without the counters of LRU lists.
    private static func zoneFacts(_ lines: [String]) -> [String] {
        let others = [
            "active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable",
            "writepending", "mlocked", "bounce",
        ]
        guard let start = lines.firstIndex(of: "Mem-Info:"),
            let end = lines[start...].firstIndex(where: { $0.hasSuffix("pages hwpoisoned") })
        else { return [] }
        return lines[start...end].compactMap { line in
            let isProcess = line.contains("_anon:") && !line.contains("managed:")
            let isFile = ["active_file:", " unevictable:", " slab_", " mapped:", " kernel_misc"]
                .contains { line.hasPrefix($0) || line.hasPrefix(" " + $0) }
            guard !isProcess, !isFile, !line.hasSuffix("total pagecache pages") else { return nil }
            return line.split(separator: " ").filter { word in
                !others.contains { word.hasPrefix($0 + ":") }
            }.joined(separator: " ")
        }
    }
}
