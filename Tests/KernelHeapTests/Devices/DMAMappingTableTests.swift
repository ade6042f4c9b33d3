import TestSupport
import Testing

@testable import KernelHeap

/// The table of mappings against a plain array of them.
@Suite("Devices: the table of mappings")
struct DMAMappingTableTests {
    private func mapping(
        _ device: UInt64,
        _ address: UInt64,
        _ size: UInt64,
        call: UInt64
    ) -> DMAMapping {
        DMAMapping(
            device: device,
            address: address,
            size: size,
            direction: .toDevice,
            isCoherent: false,
            virtual: 0,
            call: call,
            function: "dma_map_single",
            isBounced: false
        )
    }

    @Test("the newest that fits is found, whatever came and went", arguments: UInt64(1)...4)
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = DMAMappingTable()
        var model: [DMAMapping] = []
        let sizes: [UInt64] = [0, 1, 2, 3, 64, 100, 4_096, 5_000, 1 << 40, .max]
        for call in UInt64(1)...1_500 {
            let device = random.next() % 3
            let address = random.next() % 6 * 50
            let size = sizes[Int(random.next() % UInt64(sizes.count))]
            switch random.next() % 5 {
            case 0, 1:
                table.add(mapping(device, address, size, call: call))
                model.append(mapping(device, address, size, call: call))
            case 2:
                table.check(address, of: device)
                let place = model.lastIndex {
                    $0.device == device && $0.address == address && !$0.isChecked
                }
                if let place { model[place].isChecked = true }
            case 3:
                let here: (DMAMapping) -> Bool = { $0.device == device && $0.address == address }
                let place =
                    model.lastIndex { here($0) && $0.size == size } ?? model.lastIndex(where: here)
                let expected = place.map { model.remove(at: $0) }
                let taken = table.take(address, of: device, size: size)
                #expect(taken?.call == expected?.call, "call \(call)")
                #expect(taken?.isChecked == expected?.isChecked, "call \(call)")
            default:
                let expected = model.last {
                    $0.device == device && $0.address <= address
                        && $0.size >= address - $0.address
                        && $0.size - (address - $0.address) >= size
                }
                let held = table.mapping(of: device, holding: address, size: size)
                #expect(held?.call == expected?.call, "call \(call)")
            }
        }
        let listed = table.mappings(of: 1, limit: .max).map(\.call)
        var all: [UInt64] = []
        table.forEach { all.append($0.call) }

        #expect(listed == model.filter { $0.device == 1 }.map(\.call))
        #expect(table.mappings(of: 1, limit: 2).map(\.call) == Array(listed.prefix(2)))
        #expect(table.count(of: 1) == listed.count)
        #expect(table.newest(of: 1)?.call == listed.last)
        #expect(all == model.map(\.call) && table.count == model.count)
    }

    @Test func `what is unmapped leaves nothing behind`() {
        var table = DMAMappingTable()
        for round in UInt64(0)..<3 {
            for call in UInt64(1)...100 {
                table.add(mapping(1, call % 7 * 4_096, 64, call: round * 100 + call))
            }
            for call in UInt64(1)...100 { _ = table.take(call % 7 * 4_096, of: 1, size: 64) }
        }

        #expect(table.count == 0)
        // 100 slots are kept for the next mappings, and no list.
        #expect(table.heldBytes < 100 * 256)
    }

    @Test func `a view shows mappings up to its limit and counts the others`() throws {
        let machine = try CallMachine()
        let buffer = try machine.call("kmalloc", 4_096, 0xcc0).word
        for name in ["a", "b", "c"] {
            try machine.call("device_register", .text(name))
            for offset in UInt64(0)..<4 {
                let address = buffer + (3 - offset) * 64
                try machine.call("dma_map_single", .text(name), .word(address), 64, 1)
            }
        }
        let views = machine.kernel.busDeviceViews(limit: 6)
        let first = views.first?.mappings.compactMap { facts in
            facts.first { $0.name == "call" }?.value
        }

        #expect(views.map(\.mappings.count) == [4, 2, 0])
        #expect(views.map(\.omittedMappings) == [0, 2, 4])
        #expect(first == [.count(3), .count(4), .count(5), .count(6)])
    }
}
