import Testing

@testable import KernelHeap

/// What textbooks and driver courses say of zones, layout and `kmalloc()`.
@Suite("The classic machine")
struct ClassicMachineTests {
    private static func machine(_ memory: String, options: String = "") -> MachineDescription {
        var description = MachineDescription()
        description.profile = "linux-2.6-i386"
        description.memoryBytes = BootOptions.bytes(memory) ?? 0
        description.bootOptions = options
        return description
    }

    @Test func `there are three zones, and 896 MiB are low`() throws {
        let zones = try Kernel(Self.machine("2G")).zoneViews()

        #expect(zones.map(\.type) == [.dma, .normal, .highMem])
        #expect(zones[1].startPFN == 16 << 8)
        #expect(zones[2].startPFN == 896 << 8)
    }

    @Test func `a small machine has no high memory`() throws {
        #expect(try Kernel(Self.machine("512M")).zoneViews().map(\.type) == [.dma, .normal])
    }

    @Test func `the kernel's gigabyte has the classic windows`() throws {
        let kernel = try Kernel(Self.machine("2G"))
        let constants = Dictionary(
            uniqueKeysWithValues: kernel.constants.map { ($0.name, $0.value) }
        )

        #expect(constants["PAGE_OFFSET"] == 0xc000_0000)
        #expect(constants["TASK_SIZE"] == 0xc000_0000)
        #expect(constants["high_memory"] == 0xf800_0000)
        #expect(constants["VMALLOC_OFFSET"] == 8 << 20)
        // high_memory + 2 × 8 MiB - 1, rounded down to 8 MiB.
        #expect(constants["VMALLOC_START"] == 0xf880_0000)
        #expect(constants["FIXADDR_TOP"] == 0xffff_f000)
        let pkmap = try #require(constants["PKMAP_BASE"])
        let fixed = try #require(constants["FIXADDR_START"])
        #expect(pkmap % (4 << 20) == 0 && pkmap + 1_025 << 12 <= fixed)
        #expect(constants["VMALLOC_END"] == pkmap - 8_192)
        #expect(constants["LAST_PKMAP"] == 1_024)
    }

    @Test func `without high memory the vmalloc area ends at the fixed maps`() throws {
        let kernel = try Kernel(Self.machine("512M"))
        let fixed = kernel.layout.fixmapStart

        #expect(kernel.layout.vmallocEnd == fixed - 8_192)
    }

    @Test func `PAE reaches further, and halves the permanent maps`() throws {
        var description = Self.machine("6G")
        description.pae = true
        let kernel = try Kernel(description)
        let constants = Dictionary(
            uniqueKeysWithValues: kernel.constants.map { ($0.name, $0.value) }
        )

        #expect(constants["LAST_PKMAP"] == 512)
        #expect(try #require(constants["PKMAP_BASE"]) % (2 << 20) == 0)
        #expect(kernel.zoneViews().map(\.present).reduce(0, +) > 6 << 18 - 512)
    }

    @Test(
        "a request gets a whole object of the next power of two",
        arguments: [
            (1, 32), (32, 32), (33, 64), (65, 128), (129, 256), (192, 256), (4_097, 8_192),
            (65_537, 131_072), (131_056, 131_072),
        ]
    )
    func sizes(size: UInt64, object: UInt64) throws {
        var kernel = try Kernel(Self.machine("1G"))

        let address = kernel.kmalloc(size: size, flags: .kernel)

        #expect(kernel.ksize(address) == object)
        // Contiguous, in the direct map, one constant away from its frames.
        let physical = address.rawValue - 0xc000_0000
        #expect(kernel.layout.isMapped((physical + object - 1) >> 12))
        #expect(kernel.layout.physical(of: address.rawValue) == physical)
    }

    @Test(
        "the largest request is 128 KiB less 16 bytes, or what the machine says",
        arguments: [
            (nil, 131_056, 131_057), (UInt64(131_072), 131_072, 131_073),
            (1 << 40, 131_072, 131_073),
            (4_096, 4_096, 4_097),
        ]
    )
    func limit(limit: UInt64?, last: UInt64, beyond: UInt64) throws {
        var description = Self.machine("1G")
        description.kmallocLimit = limit
        var kernel = try Kernel(description)

        let largest = kernel.kmalloc(size: last, flags: .kernel)
        let refused = kernel.kmalloc(size: beyond, flags: .kernel)
        let absurd = kernel.kmalloc(size: .max, flags: .kernel)

        #expect(largest != .null)
        #expect(refused == .null && absurd == .null)
    }

    @Test func `longer cache lines make the smallest object larger`() throws {
        var kernel = try Kernel(Self.machine("1G", options: "cache_line_size=64"))
        let one = kernel.kmalloc(size: 1, flags: .kernel)
        let more = kernel.kmalloc(size: 65, flags: .kernel)

        #expect(kernel.ksize(one) == 64)
        #expect(kernel.ksize(more) == 128)
    }

    @Test func `kmalloc clears nothing, kzalloc does`() throws {
        var kernel = try Kernel(Self.machine("1G"))
        let first = kernel.kmalloc(size: 64, flags: .kernel)
        kernel.writeKernel(first.rawValue, [UInt8](repeating: 0xa5, count: 64))
        kernel.kfree(first)

        let second = kernel.kmalloc(size: 64, flags: .kernel)
        let dirty = kernel.kernelBytes(second.rawValue, 64)
        kernel.kfree(second)
        let third = kernel.kmalloc(size: 64, flags: .kernel.union(.zero))
        let clean = kernel.kernelBytes(third.rawValue, 64)

        #expect(second == first && third == first)
        #expect(dirty.filter { $0 == 0xa5 }.count >= 60)
        #expect(clean == [UInt8](repeating: 0, count: 64))
    }

    @Test func `GFP_DMA comes from the first zone alone, kmalloc never from high memory`() throws {
        var kernel = try Kernel(Self.machine("2G"))
        let dma = kernel.kmalloc(size: 4_096, flags: .kernel.union(.dma))
        let high = kernel.kmalloc(size: 4_096, flags: .highUser)

        #expect(dma.rawValue - 0xc000_0000 < 16 << 20)
        #expect(high.rawValue - 0xc000_0000 < 896 << 20)
    }

    @Test func `a mask searches its zone and those below`() throws {
        let kernel = try Kernel(Self.machine("2G"))
        func zones(_ flags: GFPFlags) -> [ZoneType] {
            let request = AllocationRequest(
                order: 0,
                flags: flags,
                cpu: 0,
                zones: kernel.pages.gfpZones
            )
            let list = kernel.pages.zonelist(of: request)
            return (0..<list.count).map { kernel.pages.zones[list[$0]].type }
        }

        #expect(zones([.dma]) == [.dma])
        #expect(zones([]) == [.normal, .dma])
        #expect(zones([.highMem]) == [.highMem, .normal, .dma])
    }

    @Test func `flags have their classic numbers`() {
        let table = GFPTable.linux26
        let names = [
            "GFP_KERNEL": 0xd0, "GFP_ATOMIC": 0x20, "GFP_USER": 0x2_00d0, "GFP_NOIO": 0x10,
            "GFP_HIGHUSER": 0x2_00d2, "GFP_NOFS": 0x50, "__GFP_COLD": 0x100,
            "__GFP_REPEAT": 0x400, "__GFP_ZERO": 0x8000,
        ]
        for (name, number) in names {
            #expect(table.value(of: name) == UInt32(number), "\(name)")
            let flags = table.flags(number: UInt32(number))
            #expect(table.number(of: flags) == UInt32(number), "\(name)")
            #expect(table.text(of: flags) == name)
        }
        #expect(table.value(of: "__GFP_RETRY_MAYFAIL") == nil)
        #expect(table.flags(number: 0xd0) == .kernel)
        // Whoever cannot wait may use the reserves.
        #expect(table.flags(number: 0x20).contains(.high))
        #expect(!table.flags(number: 0x20).contains(.directReclaim))
    }

    @Test func `__GFP_COLD takes the page that was freed longest ago`() throws {
        var kernel = try Kernel(Self.machine("1G"))
        let pages = (0..<3).compactMap { _ in kernel.allocPages(order: 0, flags: .kernel) }
        for zone in kernel.pages.zones.indices { kernel.pages.drainPerCPU(zone: zone) }
        for page in pages { kernel.freePages(page, order: 0) }

        let cold = kernel.allocPages(order: 0, flags: .kernel.union(.cold))
        let hot = kernel.allocPages(order: 0, flags: .kernel)

        #expect(pages.count == 3)
        #expect(cold == pages[0])
        #expect(hot == pages[2])
    }

    @Test func `GFP_ATOMIC goes on where GFP_KERNEL gives up`() throws {
        var kernel = try Kernel(Self.machine("96M"))
        let table = GFPTable.linux26
        func count(_ number: UInt32) -> Int {
            var count = 0
            let flags = table.flags(number: number).union(.noWarn)
            while kernel.allocPages(order: 0, flags: flags) != nil { count += 1 }
            return count
        }
        let ordinary = count(0xd0)
        let reserve = count(0x20)

        #expect(ordinary > 15_000)
        #expect(reserve > 100)
    }
}
