import Testing

@testable import KernelHeap

/// The i386 machines whose page tables were recorded.
enum PagingMachine {
    /// A recorded machine and the format of its tables.
    struct Recorded: Sendable, CustomTestStringConvertible {
        let name: String
        let format: PagingFormat

        var testDescription: String { name }
    }

    static let recorded = [
        Recorded(name: "686-1G", format: .twoLevel), Recorded(name: "pae-1G", format: .pae),
    ]

    static func boot(_ recorded: Recorded) throws -> Kernel {
        try I386Machine(recorded.name).boot()
    }
}

extension Kernel {
    /// The entries on the way to an address, upper first.
    func entries(_ address: UInt64, process: Int = 0) -> [PageTableEntry] {
        let boot = bootTables()
        let walk = walk(address, root: root(of: process, boot), boot)
        return (0..<walk.count).map { walk.steps[$0].entry }
    }

    /// Their bits, as the recordings print them.
    func bits(_ address: UInt64) -> [String] { entries(address).map(\.text) }
}
