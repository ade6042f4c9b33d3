/// The parts of a verdict.
extension Kernel {
    /// Memory that callers still hold, but for what goes with a device.
    func collectLeaks(_ scope: VerdictScope, into part: inout VerdictPart) {
        let held = outstandingAllocations(since: scope.since, ofDevices: false)
        switch scope.leakRule {
        case .held:
            for allocation in held { add(allocation, "are still held", to: &part) }
        case .unreferenced:
            let scan = reachableMemory(telling: false)
            for allocation in held {
                guard let object = leakObject(at: allocation.address) else {
                    add(allocation, "are still held", to: &part)
                    continue
                }
                guard !hasReached(object.address, scan),
                    kmemleak.marks[object.address]?.isIgnored != true
                else { continue }
                add(allocation, "are still held, and no pointer leads to them", to: &part)
            }
        }
        for slot in highMemory.pkmap.slots where slot.count > 1 && slot.call > scope.since {
            part.add(
                VerdictItem(
                    kind: "kmap",
                    call: slot.call,
                    text: "PFN \(slot.frame) is still mapped by kmap, call \(slot.call).",
                    facts: [
                        Fact("pfn", .count(UInt64(slot.frame))),
                        Fact("count", .count(UInt64(slot.count) - 1)),
                    ]
                )
            )
        }
    }

    private func add(
        _ allocation: OutstandingAllocation,
        _ complaint: String,
        to part: inout VerdictPart
    ) {
        if part.count(allocation.kindName) { part.keep(item(for: allocation, complaint)) }
    }

    private func item(for allocation: OutstandingAllocation, _ complaint: String) -> VerdictItem {
        let maker = allocation.call.flatMap { function(ofCall: $0) }.map { " of \($0)" } ?? ""
        let place = allocation.cache.map { " from \(CacheName.escaped($0))" } ?? ""
        let call = allocation.call.map { ", call \($0)," } ?? ""
        return VerdictItem(
            kind: allocation.kindName,
            call: allocation.call,
            text: "\(allocation.size) bytes\(maker)\(place)\(call) \(complaint).",
            facts: [
                Fact("address", .address(allocation.address)),
                Fact("size", .count(allocation.size)),
                Fact("cache", allocation.cache.map { .text($0) } ?? .null),
                Fact("age", allocation.call.map { .count(sequence - min($0, sequence)) } ?? .null),
            ]
        )
    }

    /// What the kernel itself has reported in its log.
    func collectReports(since: UInt64, into part: inout VerdictPart) {
        for finding in findings.findings where finding.call > since {
            guard case .report(let kind, let line) = finding.what else { continue }
            part.add(
                VerdictItem(kind: kind.rawValue, call: finding.call, text: line)
            )
        }
        forget(.reports, since, &part)
    }

    /// Counts findings of a part that are not kept, all of a kind where the newest is in question.
    private func forget(_ wanted: Finding.Part, _ since: UInt64, _ part: inout VerdictPart) {
        for kind in findings.dropped where kind.part == wanted && kind.call > since {
            part.forget(kind.kind, kind.count)
        }
    }

    /// Misuse that no report tells, but for what other parts have.
    func collectWarnings(since: UInt64, into part: inout VerdictPart) {
        collectMisuse(.warnings, since, &part)
    }

    /// Failures that nobody has looked at: bytes used that a copy did not bring, and copies that
    /// stopped short without `check_result`.
    func collectUnlooked(since: UInt64, into part: inout VerdictPart) {
        collectMisuse(.unlooked, since, &part)
        for copy in unchecked.waiting where copy.call > since {
            let length = copy.range.upperBound - copy.range.lowerBound
            part.add(
                VerdictItem(
                    kind: "unchecked_result",
                    call: copy.call,
                    text:
                        "\(function(ofCall: copy.call) ?? "A copy") "
                        + (length > 0 ? "left out \(length) bytes" : "failed")
                        + ", and nobody has looked at its result.",
                    facts: [
                        Fact("address", .address(copy.range.lowerBound)),
                        Fact("length", .count(length)),
                    ]
                )
            )
        }
    }

    /// Devices whose drivers are still there, and files that are open on devices.
    func collectDevices(since: UInt64, into part: inout VerdictPart) {
        for device in devices.devices {
            if device.isRegistered {
                part.add(
                    VerdictItem(
                        kind: "registered",
                        text: "/dev/\(device.name) is still registered.",
                        facts: [Fact("path", .text("/dev/" + device.name))]
                    )
                )
            } else {
                part.add(
                    VerdictItem(
                        kind: "open_files",
                        text:
                            "/dev/\(device.name) is gone, and \(device.openFiles) files are open.",
                        facts: [
                            Fact("path", .text("/dev/" + device.name)),
                            Fact("files", .count(UInt64(max(device.openFiles, 0)))),
                        ]
                    )
                )
            }
        }
    }

    /// Devices of the driver model that are registered, their drivers, and memory mapped for them.
    func collectBusDevices(since: UInt64, into part: inout VerdictPart) {
        for device in driverModel.devices {
            if device.isRegistered, device.call > since {
                part.add(
                    VerdictItem(
                        kind: "device_registered",
                        call: device.call,
                        text: "The device \(device.name) is still registered.",
                        facts: [Fact("dev", .address(device.address))]
                    )
                )
            }
            if let driver = device.driver, driver.call > since {
                part.add(
                    VerdictItem(
                        kind: "driver_bound",
                        call: driver.call,
                        text: "The driver \(driver.name) is still bound to \(device.name).",
                        facts: [Fact("dev", .address(device.address))]
                    )
                )
            }
        }
        collectMappings(since: since, into: &part)
    }

    /// Mappings that nobody has ended; managed ones end with their devices.
    private func collectMappings(since: UInt64, into part: inout VerdictPart) {
        guard driverModel.dma.mappings.count > 0 else { return }
        let managed = deviceMemory()
        var names: [UInt64: String] = [:]
        for device in driverModel.devices { names[device.address] = device.name }
        driverModel.dma.mappings.forEach { mapping in
            guard mapping.call > since,
                !mapping.isCoherent || !managed.frames.contains(mapping.address >> 12),
                part.count("dma_mapped")
            else { return }
            let device = names[mapping.device] ?? "a device that is gone"
            part.keep(
                VerdictItem(
                    kind: "dma_mapped",
                    call: mapping.call,
                    text: "\(mapping.size) bytes are still mapped for \(device) by "
                        + "\(mapping.function).",
                    facts: [
                        Fact("dev", .address(mapping.device)),
                        Fact("address", .address(mapping.address)),
                        Fact("size", .count(mapping.size)),
                        Fact("direction", .text(mapping.direction.name)),
                    ]
                )
            )
        }
    }

    func collectMisuse(
        _ wanted: Finding.Part,
        _ since: UInt64,
        _ part: inout VerdictPart
    ) {
        for finding in findings.findings where finding.call > since {
            guard case .misuse(let warning) = finding.what, warning.part == wanted else {
                continue
            }
            part.add(
                VerdictItem(
                    kind: warning.name,
                    call: finding.call,
                    text: warning.sentence,
                    facts: [Fact("calls", .list(warning.calls.map { .count($0) }))]
                )
            )
        }
        forget(wanted, since, &part)
    }
}
