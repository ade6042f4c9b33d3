import TestSupport
import Testing

@testable import KernelHeap

/// A machine like one of the recorded 32-bit boots, named after its folder.
struct I386Machine: Sendable, CustomTestStringConvertible {
    let folder: String

    init(_ folder: String) { self.folder = folder }

    static let all = [
        "686-512M", "686-1G", "686-1G-nothp", "686-3G", "686-4G", "686-4G-nothp", "pae-1G",
        "pae-4G",
    ].map { I386Machine($0) }

    var testDescription: String { folder }

    var description: MachineDescription {
        var description = MachineDescription()
        description.profile = "linux-6.1-i386"
        let parts = folder.split(separator: "-")
        description.pae = parts[0] == "pae"
        description.memoryBytes = BootOptions.bytes(parts[1]) ?? 0
        if folder.hasSuffix("nothp") { description.bootOptions = "transparent_hugepage=never" }
        return description
    }

    func boot() throws -> Kernel { try Kernel(description) }
}
