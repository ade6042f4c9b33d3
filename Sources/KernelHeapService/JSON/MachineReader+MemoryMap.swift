internal import KernelHeap

/// Reads a firmware's table and what the kernel keeps of it.
extension MachineReader {
    /// The members `memory_map` and `reserved` of a machine.
    ///
    /// - Throws: a `Problem` for what is no range or no type, and for more usable memory than the
    ///   service allows.
    func readMemoryMap(
        _ object: inout ObjectReader,
        into machine: inout MachineDescription
    ) throws(Problem) {
        if let map = try object.optional("memory_map") {
            var regions: [MemoryRegion] = []
            var usable: UInt64 = 0
            for entry in try map.elements() {
                let region = try readRegion(entry)
                regions.append(region)
                guard region.kind == .usable, region.last >= region.start else { continue }
                let (sum, overflow) = usable.addingReportingOverflow(region.last - region.start)
                guard !overflow, sum <= maximumMemoryBytes else {
                    throw Problem(
                        .outOfRange,
                        "more usable memory than this service allows: \(maximumMemoryBytes) bytes",
                        at: entry
                    )
                }
                usable = sum
            }
            machine.memoryMap = regions
        }
        guard let reserved = try object.optional("reserved") else { return }
        var ranges: [MemoryReservation] = []
        for entry in try reserved.elements() {
            var range = MemoryReservation(start: 0, last: 0)
            var fields = try ObjectReader(entry, "a reserved range")
            range.start = try required("start", &fields, entry)
            range.last = try required("end", &fields, entry)
            try fields.finish()
            ranges.append(range)
        }
        machine.reserved = ranges
    }

    private func readRegion(_ entry: JSONValue) throws(Problem) -> MemoryRegion {
        var region = MemoryRegion(start: 0, last: 0, kind: .usable)
        var fields = try ObjectReader(entry, "an entry of a memory map")
        region.start = try required("start", &fields, entry)
        region.last = try required("end", &fields, entry)
        if let type = try fields.optional("type") {
            guard let kind = MemoryRegion.Kind(rawValue: try type.string(limit: 16)) else {
                throw Problem(.unknownName, "no type of memory \(type.shown)", at: type)
                    .suggesting(type.text, from: MemoryRegion.Kind.allCases.map(\.rawValue))
            }
            region.kind = kind
        }
        try fields.finish()
        return region
    }

    private func required(
        _ name: StaticString,
        _ fields: inout ObjectReader,
        _ entry: JSONValue
    ) throws(Problem) -> UInt64 {
        guard let value = try fields.optional(name) else {
            throw Problem(.missingField, "a range needs \"\(name)\"", at: entry)
        }
        return try value.wholeNumber()
    }
}
