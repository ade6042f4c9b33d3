internal import KernelHeap

extension StateView {
    /// `GET …/pagemap`: memory as cells in runs, for pictures.
    static let pageMap = StateView(
        "pagemap",
        parameters: ["pfn", "cells", "pages_per_cell"]
    ) { (kernel, query) throws(Problem) in
        let end = kernel.endPFN.rawValue
        let pagesPerCell = try query.number("pages_per_cell", default: 1, in: 1...1 << 30)
        let cells = try query.number(
            "cells",
            default: Kernel.pageMapCells,
            in: 1...Kernel.pageMapCells
        )
        let first = try query.number("pfn", default: 0, in: 0...max(end, 1) - 1)
        // At most 2⁴⁶ frames: neither the product nor the sum leaves 64 bits.
        let range = first..<first + cells * pagesPerCell
        return ViewAnswer(JSONWriter.pageMap(range, pagesPerCell, of: kernel))
    }
}

extension JSONWriter {
    fileprivate static func pageMap(
        _ range: Range<UInt64>,
        _ pagesPerCell: UInt64,
        of kernel: borrowing Kernel
    ) -> JSONWriter {
        let (runs, next) = kernel.pageMap(range, pagesPerCell: pagesPerCell)
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("end_pfn", kernel.endPFN.rawValue)
            json.member("pfn", range.lowerBound)
            json.member("pages_per_cell", pagesPerCell)
            json.name("states")
            json.strings(PageMapCell.State.allCases.map(\.name))
            json.name("runs")
            json.raw("[")
            var isFirst = true
            for run in runs {
                if !isFirst { json.raw(",") }
                isFirst = false
                json.number(run.count)
                json.raw(",")
                json.number(run.cell.code)
            }
            json.raw("]")
            json.member("next_pfn", orNull: next?.rawValue)
        }
        return json
    }
}

extension PageMapCell {
    /// The cell as one number: state, order, class and use from the lowest bit on.
    fileprivate var code: UInt32 {
        UInt32(state.rawValue) | UInt32(order) << 4 | UInt32(migrateType.rawValue) << 8
            | UInt32(used) << 11
    }
}
