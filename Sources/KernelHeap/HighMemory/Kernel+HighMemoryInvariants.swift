extension Kernel {
    /// The windows agree with the page tables, and the window's two directions with each other.
    func checkHighMemory(_ violations: inout Violations) {
        let pkmap = highMemory.pkmap
        for (number, slot) in pkmap.slots.enumerated() {
            let behind = frame(behind: pkmap.address(of: number))
            let expected = slot.count == 0 ? nil : UInt64(slot.frame)
            violations.check(
                behind == expected,
                "pkmap slot \(number) of count \(slot.count) maps \(behind as UInt64?)"
            )
            violations.check(
                slot.count == 0 || pkmap.slot(of: slot.frame) == number,
                "frame \(slot.frame) does not know its pkmap slot \(number)"
            )
        }
        violations.check(
            pkmap.sleepers.isEmpty || pkmap.slots.allSatisfy { $0.count > 1 },
            "\(pkmap.sleepers.count) wait for a pkmap slot, though one is free"
        )
        violations.check(
            pkmap.sleepers.count <= PkmapTable.sleeperLimit,
            "\(pkmap.sleepers.count) sleepers"
        )
        checkShortMaps(&violations)
    }

    private func checkShortMaps(_ violations: inout Violations) {
        var expected: [UInt64: UInt64] = [:]
        for maps in highMemory.threads where highMemory.running[maps.cpu] == maps.pid {
            for (number, frame) in maps.frames.enumerated() {
                expected[localAddress(maps.cpu, number)] = UInt64(frame)
            }
        }
        for map in highMemory.typed {
            expected[localAddress(map.cpu, Int(map.type.rawValue))] = UInt64(map.frame)
        }
        let fixmap = highMemory.fixmap
        guard let first = fixmap.firstMap else { return }
        for index in first..<first + UInt64(machine.cpus) * fixmap.mapsPerCPU {
            let address = fixmap.address(of: index)
            let behind = frame(behind: address)
            violations.check(
                behind == expected[address],
                "fixed map \(index) maps \(behind as UInt64?), not \(expected[address] as UInt64?)"
            )
        }
        for maps in highMemory.threads {
            violations.check(!maps.isEmpty, "a thread that holds nothing is kept")
            violations.check(maps.frames.count <= LocalMaps.limit, "too many short maps")
        }
    }
}
