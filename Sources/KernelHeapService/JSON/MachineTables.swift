internal import KernelHeap

/// What the codec must know about a machine before it can read a call.
///
/// Names and numbers differ between profiles. Built once per profile and shared by its sessions.
final class MachineTables: Sendable {
    let profile: MachineProfile
    /// Every GFP name of the machine; the position is that of `gfpValues`.
    let gfpNames: NameTable
    private let gfpValues: [UInt32]
    private let vmemmapStart: UInt64
    private let pageStructBytes: UInt64

    init(_ profile: MachineProfile) {
        self.profile = profile
        gfpNames = NameTable(profile.gfp.entries.map(\.name))
        gfpValues = profile.gfp.entries.map(\.value)
        vmemmapStart = MachineTables.constant("VMEMMAP_START", of: profile)
        let size = MachineTables.constant("sizeof(struct page)", of: profile)
        pageStructBytes = size == 0 ? 64 : size
    }

    private static let all = MachineProfile.all.map(MachineTables.init)

    /// The tables of a profile; those of a profile outside the list are made anew.
    static func of(_ profile: MachineProfile) -> MachineTables {
        all.first { $0.profile.name == profile.name } ?? MachineTables(profile)
    }

    private static func constant(_ name: String, of profile: MachineProfile) -> UInt64 {
        profile.constants.first { $0.name == name }?.value ?? 0
    }

    /// The machine's number of a GFP name, or nil.
    func gfpNumber(named name: ByteSlice) -> UInt32? {
        gfpNames.position(of: name).map { gfpValues[$0] }
    }

    /// The address of a frame's `struct page`, or nil where it would leave the address space.
    func pageAddress(ofFrame pfn: UInt64) -> UInt64? {
        let (offset, tooFar) = pfn.multipliedReportingOverflow(by: pageStructBytes)
        let (address, overflow) = vmemmapStart.addingReportingOverflow(offset)
        return tooFar || overflow ? nil : address
    }
}
