internal import KernelHeap

/// What the codec must know about a machine before it can read a call.
///
/// Names and numbers differ between profiles. Built once and shared by sessions where it can be.
final class MachineTables: Sendable {
    let profile: MachineProfile
    /// Every GFP name of the machine; the position is that of `gfpValues`.
    let gfpNames: NameTable
    private let gfpValues: [UInt32]
    /// Where the machine's kernel sees its memory.
    let layout: AddressLayout

    init(_ profile: MachineProfile, _ layout: AddressLayout = .x8664) {
        self.profile = profile
        self.layout = layout
        gfpNames = NameTable(profile.gfp.entries.map(\.name))
        gfpValues = profile.gfp.entries.map(\.value)
    }

    private static let x8664 = MachineTables(.linux61X8664)

    /// The tables of a machine; on 32 bits its memory decides where descriptors lie.
    static func of(_ kernel: borrowing Kernel) -> MachineTables {
        if kernel.layout == x8664.layout, kernel.profile.name == x8664.profile.name {
            return x8664
        }
        return MachineTables(kernel.profile, kernel.layout)
    }

    /// The machine's number of a GFP name, or nil.
    func gfpNumber(named name: ByteSlice) -> UInt32? {
        gfpNames.position(of: name).map { gfpValues[$0] }
    }

    /// The address of a frame's `struct page`, or nil where it would leave the address space.
    func pageAddress(ofFrame pfn: UInt64) -> UInt64? {
        let (offset, tooFar) = pfn.multipliedReportingOverflow(by: layout.descriptorBytes)
        let (address, overflow) = layout.descriptors.addingReportingOverflow(offset)
        return tooFar || overflow || address > layout.addressMask ? nil : address
    }
}
