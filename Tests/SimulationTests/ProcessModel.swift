@testable import KernelHeap

/// What random processes should see, as byte arrays: the model beside the machine.
///
/// A page holds one byte of meaning at its start. Private pages belong to a process, shared ones to a
/// set that a mapping made and forks joined.
struct ProcessModel {
    final class SharedPage { var byte: UInt8 = 0 }

    enum Content {
        case own(UInt8)
        case shared(SharedPage)

        var byte: UInt8 {
            switch self {
            case .own(let byte): byte
            case .shared(let page): page.byte
            }
        }
    }

    struct Page {
        var rights: MemoryRights
        var content: Content
    }

    /// Pages by process and page number.
    var processes: [Int: [UInt64: Page]] = [0: [:]]

    func byte(_ process: Int, _ page: UInt64) -> UInt8? {
        guard let page = processes[process]?[page], !page.rights.isEmpty else { return nil }
        return page.content.byte
    }

    mutating func store(_ process: Int, _ number: UInt64, _ byte: UInt8) -> Bool {
        guard let page = processes[process]?[number], page.rights.contains(.write) else {
            return false
        }
        switch page.content {
        case .own: processes[process]?[number]?.content = .own(byte)
        case .shared(let shared): shared.byte = byte
        }
        return true
    }

    mutating func map(
        _ process: Int,
        _ pages: Range<UInt64>,
        _ rights: MemoryRights,
        isShared: Bool
    ) {
        for page in pages {
            let content = isShared ? Content.shared(SharedPage()) : .own(0)
            processes[process]?[page] = Page(rights: rights, content: content)
        }
    }

    mutating func unmap(_ process: Int, _ pages: Range<UInt64>) {
        for page in pages { processes[process]?[page] = nil }
    }

    mutating func forget(_ process: Int, _ pages: Range<UInt64>) {
        for page in pages {
            guard case .own? = processes[process]?[page]?.content else { continue }
            processes[process]?[page]?.content = .own(0)
        }
    }

    /// Changes rights up to the first page that is not mapped.
    mutating func protect(_ process: Int, _ pages: Range<UInt64>, _ rights: MemoryRights) {
        for page in pages {
            guard processes[process]?[page] != nil else { return }
            processes[process]?[page]?.rights = rights
        }
    }

    mutating func move(_ process: Int, _ pages: Range<UInt64>, to target: UInt64) {
        for page in pages {
            let moved = processes[process]?[page]
            processes[process]?[page] = nil
            processes[process]?[target + page - pages.lowerBound] = moved
        }
    }

    mutating func fork(_ process: Int, _ child: Int) { processes[child] = processes[process] }

    mutating func exit(_ process: Int) { processes[process] = nil }
}
