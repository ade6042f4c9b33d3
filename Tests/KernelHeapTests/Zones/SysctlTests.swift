import TestSupport
import Testing

@testable import KernelHeap

@Suite("Zones: sysctl")
struct SysctlTests {
    static let series = ((try? BootTable.watermarkSeries()) ?? [:]).keys.sorted()

    @Test func `ten boots have a series of 31 settings`() throws {
        let series = try BootTable.watermarkSeries()

        #expect(series.count == 10)
        #expect(series.values.allSatisfy { $0.count == 31 })
    }

    @Test("each write gives the recorded marks, reserves and list sizes", arguments: series)
    func followsSeries(name: String) throws {
        let boot = try #require(try BootTable.boots()[name])
        let settings = try #require(try BootTable.watermarkSeries()[name])
        var kernel = try Kernel(description(of: boot))
        var last = settings[0]

        // The recorder looked at the ratios first.
        #expect(try call(&kernel, "vm.lowmem_reserve_ratio").detail == "256\t256\t32\t0\t0")
        for (place, setting) in settings.enumerated() {
            for (file, value, old) in zip3(texts(setting), texts(last)) where value != old {
                #expect(try call(&kernel, file, value).value == .integer(0))
            }
            last = setting

            let read = try texts(setting).map { try call(&kernel, $0.0).detail }
            #expect(read == texts(setting).map { $0.1.replacing(" ", with: "\t") })
            expectZones(of: kernel, setting, "\(name), setting \(place)")
        }
    }

    private func description(of boot: BootTable.Boot) throws -> MachineDescription {
        var description = MachineDescription()
        description.cpus = boot.smp
        description.nodes = Set(boot.zones.map(\.node)).count
        description.zones = try boot.zones.map { recorded in
            var zone = ZoneDescription()
            zone.node = recorded.node
            zone.name = try #require(recorded.type)
            zone.startPFN = recorded.startPfn
            zone.spanned = recorded.spanned
            zone.present = recorded.present
            zone.managed = recorded.managed
            return zone
        }
        return description
    }

    private func texts(_ setting: BootTable.Setting) -> [(String, String)] {
        let ratios = setting.lowmemReserveRatio.map { String($0) }.joined(separator: " ")
        return [
            ("vm.min_free_kbytes", String(setting.minFreeKbytes)),
            ("vm.watermark_scale_factor", String(setting.watermarkScaleFactor)),
            ("vm.lowmem_reserve_ratio", ratios),
            ("vm.percpu_pagelist_high_fraction", String(setting.percpuPagelistHighFraction)),
        ]
    }

    private func zip3(
        _ new: [(String, String)],
        _ old: [(String, String)]
    ) -> [(String, String, String)] {
        zip(new, old).map { ($0.0, $0.1, $1.1) }
    }

    private func expectZones(
        of kernel: borrowing Kernel,
        _ setting: BootTable.Setting,
        _ comment: Comment
    ) {
        let views = kernel.zoneViews()
        #expect(views.count == setting.zones.count, comment)
        for (zone, recorded) in zip(views, setting.zones) {
            #expect(zone.type == recorded.type, comment)
            #expect(zone.boost == recorded.boost, comment)
            #expect(zone.min == recorded.min, comment)
            #expect(zone.low == recorded.low, comment)
            #expect(zone.high == recorded.high, comment)
            #expect(zone.protection == recorded.protection, comment)
            #expect(zone.pageSets.allSatisfy { $0.high == recorded.pcpHigh }, comment)
            #expect(zone.pageSets.allSatisfy { $0.batch == recorded.pcpBatch }, comment)
        }
    }

    private struct Answer {
        var value: ReturnValue
        var errno: Errno?
        /// The text of the file after the call.
        var detail: String
    }

    private func call(
        _ kernel: inout Kernel,
        _ name: String,
        _ value: String? = nil
    ) throws -> Answer {
        let sysctl = try #require(CallRegistry.byName["sysctl"])
        var arguments = CallArguments()
        arguments.set(0, payload: .text(name))
        if let value { arguments.set(1, payload: .text(value)) }
        let result = kernel.apply(sysctl, arguments, in: CallContext()).result
        var text = ""
        if case .facts(let facts) = result.detail, case .text(let found)? = facts.last?.value {
            text = found
        }
        return Answer(value: result.value, errno: result.errno, detail: text)
    }

    @Test(
        "a value that the file does not take is -EINVAL and changes nothing",
        arguments: [
            ("vm.min_free_kbytes", "-1"), ("vm.min_free_kbytes", "2147483648"),
            ("vm.min_free_kbytes", ""), ("vm.min_free_kbytes", "12x"),
            ("vm.min_free_kbytes", "089"), ("vm.min_free_kbytes", "0x"),
            ("vm.min_free_kbytes", "+5"), ("vm.min_free_kbytes", "0x-1"),
            ("vm.min_free_kbytes", "99999999999999999999999"),
            ("vm.watermark_scale_factor", "0"), ("vm.watermark_scale_factor", "3001"),
            ("vm.watermark_boost_factor", "-1"),
            ("vm.percpu_pagelist_high_fraction", "7"), ("vm.percpu_pagelist_high_fraction", "-8"),
        ]
    )
    func refuses(name: String, value: String) throws {
        var kernel = try Kernel()
        let before = try call(&kernel, name)

        let answer = try call(&kernel, name, value)
        let after = try call(&kernel, name)

        #expect(answer.value == .integer(-22))
        #expect(answer.errno == .EINVAL)
        #expect(after.value == before.value)
    }

    @Test func `numbers are read as the kernel reads them`() throws {
        var kernel = try Kernel()

        #expect(try call(&kernel, "vm.min_free_kbytes", " 0x1000 7").detail == "4096")
        #expect(try call(&kernel, "vm/min_free_kbytes", "010\n").detail == "8")
        #expect(try call(&kernel, "vm.watermark_boost_factor").value == .integer(15_000))
        #expect(try call(&kernel, "vm.no_such_file").errno == .ENOENT)
    }

    @Test func `reserve ratios are taken up to the first wrong one`() throws {
        var kernel = try Kernel()

        let short = try call(&kernel, "vm.lowmem_reserve_ratio", "64 -3")
        let wrong = try call(&kernel, "vm.lowmem_reserve_ratio", "128 none 8")

        #expect(short.detail == "64\t0\t32\t0\t0")
        #expect(wrong.value == .integer(0))
        #expect(wrong.detail == "128\t0\t32\t0\t0")
    }

    @Test func `without a boost factor a stolen pageblock raises no boost`() throws {
        var kernel = try Kernel()

        let off = try call(&kernel, "vm.watermark_boost_factor", "0")

        #expect(off.value == .integer(0))
        #expect(kernel.pages.boostFactor == 0)
    }
}
