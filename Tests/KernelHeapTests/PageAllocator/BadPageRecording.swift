import TestSupport
import Testing

@testable import KernelHeap

/// The recorded blocks of `badpage/`, and the machine that they are compared with.
enum BadPageRecording {
    static func machine() throws -> Kernel {
        var description = MachineDescription()
        description.memoryBytes = 256 << 20
        return try Kernel(description)
    }

    /// The recorded block without time stamps, process, modules and call trace.
    static func lines(of number: String) throws -> [String] {
        let text = try Recording.text("badpage/bad-page1-\(number).case-\(number).txt")
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("[") }.compactMap {
            $0.split(separator: "]", maxSplits: 1).last?.dropFirst()
        }
        let end = try #require(lines.firstIndex { $0.hasPrefix("page dumped") })
        let frame = try #require(
            lines[0].split(separator: ":").last.flatMap { UInt64($0, radix: 16) }
        )
        return normal(lines[...end].map(String.init), PFN(rawValue: frame))
    }

    /// Lines with the frame's numbers replaced by names.
    static func normal(_ lines: [String], _ pfn: PFN) -> [String] {
        let digits = String(pfn.rawValue, radix: 16)
        let address = String(AddressLayout.x8664.descriptor(pfn.rawValue) + 8, radix: 16)
        return lines.filter { !$0.hasPrefix("Disabling") }.map { line in
            guard !line.hasPrefix("BUG:") else { return "BUG: Bad page state" }
            return line.replacing(address, with: "ADDRESS")
                .replacing("pfn:0x\(digits)", with: "pfn:PFN")
        }
    }
}

extension Kernel {
    mutating func take(order: Int, _ flags: GFPFlags) throws -> PFN {
        let pfn = allocPages(order: order, flags: flags)
        return try #require(pfn)
    }

    func kind(_ pfn: PFN) -> Page.Kind { pages.map[Int(pfn.rawValue)].kind }

    mutating func drain() {
        for zone in pages.zones.indices { pages.drainPerCPU(zone: zone) }
        if !pages.badPages.isEmpty { logBadPages(.standard) }
    }
}
