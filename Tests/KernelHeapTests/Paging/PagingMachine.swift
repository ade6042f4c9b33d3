import Testing

@testable import KernelHeap

/// Machines with the page tables of the recorded i386 kernels, on the engine of x86_64.
enum PagingMachine {
    /// A recorded machine and the format of its tables.
    struct Recorded: Sendable, CustomTestStringConvertible {
        let name: String
        let format: PagingFormat
        /// As the recorded `iomem` has it.
        let image: KernelImage
        /// `MAXMEM`, as a frame.
        let lowEnd: UInt64

        var testDescription: String { name }
    }

    static let recorded = [
        Recorded(
            name: "686-1G",
            format: .twoLevel,
            image: KernelImage(text: 0x1000..<0x191c, readOnlyData: 0x191c..<0x1c39, end: 0x1ee6),
            lowEnd: 0x36bfe
        ),
        Recorded(
            name: "pae-1G",
            format: .pae,
            image: KernelImage(text: 0x1000..<0x1934, readOnlyData: 0x1934..<0x1c51, end: 0x1f0b),
            lowEnd: 0x36ffe
        ),
    ]

    static func boot(_ recorded: Recorded) throws -> Kernel {
        var kernel = try Kernel()
        let layout = BootLayout.linux61I386(
            recorded.format,
            image: recorded.image,
            lowEnd: recorded.lowEnd,
            tableFrames: [0x1d80..<0x1e60],
            zeroFrame: recorded.image.end - 2
        )
        kernel.paging = Paging(format: recorded.format, options: BootOptions(""), layout: layout)
        return kernel
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
