/// The boot option `page_owner=on`: what calls leave in `PageOwners`, and what reports tell of it.
extension Kernel {
    /// Whether a machine keeps the owners of its pages: `early_page_owner_param()`.
    ///
    /// Linux 2.6 knows no such option, and passes over it.
    static func tracksPageOwners(_ options: BootOptions, on profile: MachineProfile) -> Bool {
        guard profile.platform != .classicI386 else { return false }
        return BootOptions.truth(options.value("page_owner")) ?? false
    }

    /// Whether the machine knows who allocated its pages.
    public var tracksPageOwners: Bool { pages.owners.isOn }

    /// Notes who makes a call, for the pages that it allocates and frees.
    @inline(never)
    mutating func noteOwner(_ context: CallContext, call index: Int) {
        let hasProcess = process(context.pid) != nil
        pages.owners.caller = PageOwner.Caller(
            call: UInt32(truncatingIfNeeded: sequence),
            place: UInt16(exactly: index + 1) ?? 0,
            pid: hasProcess ? Int32(clamping: context.pid) : 0,
            command: CommandName(taskName(context)),
            now: clock.nanoseconds
        )
    }

    /// What a report of a page says of its owner: `__dump_page_owner()`.
    func dumpLines(of owner: PageOwner) -> [String] {
        guard owner.isKnown else { return ["page_owner info is not present (never set?)"] }
        let table = profile.gfp
        let mask = hexadecimal(UInt64(table.number(of: owner.flags)))
        let state = owner.isAllocated ? "allocated" : "freed"
        var lines = [
            "page_owner tracks the page as \(state)",
            "page last allocated via order \(owner.order), migratetype "
                + "\(owner.flags.migrateType.name), gfp_mask \(mask)"
                + "(\(table.text(of: owner.flags))), pid \(owner.pid), tgid \(owner.pid) "
                + "(\(owner.command.text)), ts \(owner.allocatedAt), free_ts \(owner.freedAt)",
        ]
        lines += stackLines(owner.allocatingFunction, owner.allocatingCall)
        if owner.hasFree {
            lines.append("page last free stack trace:")
            lines += stackLines(owner.freeingFunction, owner.freeingCall)
        } else {
            lines.append("page_owner free stack trace missing")
        }
        if owner.isMigrated {
            lines.append("page has been migrated, last migrate reason: \(Self.migrateReason)")
        }
        return lines
    }

    /// `MR_COMPACTION`: nothing else moves pages of this machine.
    static let migrateReason = "compaction"

    /// What is known of a stack: the function and the call that ran it, or that it was the boot.
    func stackLines(_ function: String?, _ call: UInt32) -> [String] {
        guard let call = self.call(call) else { return [" " + symbol("start_kernel")] }
        return (function.map { [" " + symbol($0)] } ?? []) + [" call_\(call)"]
    }
}
