import TestSupport
import Testing

@testable import KernelHeap

@Suite("Segmentation: descriptors")
struct SegmentDescriptorTests {
    @Test("the recorded GDT is decoded as the recording says", arguments: SegmentRecording.machines)
    func recordedDescriptors(machine: String) throws {
        let recording = try SegmentRecording(machine)

        #expect(recording.descriptors.count == 32)
        for line in recording.descriptors {
            let raw = try #require(SegmentRecording.number(line.raw))
            let descriptor = SegmentDescriptor(rawValue: raw)
            guard let base = SegmentRecording.number(line.base) else {
                #expect(raw == 0)
                continue
            }
            #expect(UInt64(descriptor.base) == base, "entry \(line.gdt ?? -1)")
            #expect(UInt64(descriptor.limit) == SegmentRecording.number(line.limit))
            #expect(UInt64(descriptor.lastByte) == SegmentRecording.number(line.byteLimit))
            #expect(Int(descriptor.type) == line.type)
            #expect(Int(descriptor.dpl) == line.dpl)
            let bits: [(SegmentDescriptor.Flags, Int?)] = [
                (.granular, line.g), (.present, line.p), (.segment, line.s), (.big, line.db),
                (.long, line.l), (.available, line.avl),
            ]
            for (flag, bit) in bits { #expect(descriptor.flags.contains(flag) == (bit == 1)) }
            let again = SegmentDescriptor(
                base: descriptor.base,
                limit: descriptor.limit,
                type: descriptor.type,
                dpl: descriptor.dpl,
                flags: descriptor.flags
            )
            #expect(again.rawValue == raw)
        }
    }

    @Test("what each entry is for follows from its bits", arguments: SegmentRecording.machines)
    func recordedMeanings(machine: String) throws {
        for line in try SegmentRecording(machine).descriptors {
            guard let meaning = line.meaning, let raw = SegmentRecording.number(line.raw) else {
                continue
            }
            let descriptor = SegmentDescriptor(rawValue: raw)
            switch meaning {
            case "TSS32 busy": #expect(descriptor.system == .busyTSS32)
            case "TSS32 available": #expect(descriptor.system == .availableTSS32)
            default:
                #expect(descriptor.isCode == meaning.hasPrefix("code"), "\(meaning)")
                #expect(descriptor.isReadable == meaning.contains("r"), "\(meaning)")
                #expect(descriptor.isAccessed == meaning.hasSuffix("accessed"), "\(meaning)")
                #expect(descriptor.isWritable == meaning.contains("rw"), "\(meaning)")
            }
        }
    }

    @Test("the boot's table and registers are the recorded ones")
    func bootTable() throws {
        let recording = try SegmentRecording("686-1G")
        let recorded = recording.descriptors.compactMap { SegmentRecording.number($0.raw) }
        let unit = SegmentationUnit(booted: BootDescriptors(cpu: 0))
        let kernel = try #require(recording.registers(cpl: 0))
        let tables = try #require(recording.tables)

        #expect(BootDescriptors(cpu: 0).table.map(\.rawValue) == recorded)
        #expect(UInt64(unit.gdtr.base) == SegmentRecording.number(tables.gdtrBase))
        #expect(UInt64(unit.gdtr.limit) == SegmentRecording.number(tables.gdtrLimit))
        #expect(UInt64(unit.tr.selector.rawValue) == SegmentRecording.number(tables.tr))
        #expect(UInt64(unit.ldtr.selector.rawValue) == SegmentRecording.number(tables.ldtr))
        let registers: [(SegmentRegister, String?)] = [
            (.cs, kernel.cs), (.ds, kernel.ds), (.es, kernel.es), (.fs, kernel.fs),
            (.gs, kernel.gs), (.ss, kernel.ss),
        ]
        for (register, selector) in registers {
            let number = SegmentRecording.number(selector)
            #expect(UInt64(unit[register].selector.rawValue) == number, "\(register)")
        }
    }

    // 686-1G, IDT entry 128: offset c191a10c, segment 60, type 14, DPL 3, present.
    @Test func `the gate of the system call has the fields of the recorded one`() {
        let gate = SegmentDescriptor(rawValue: 0xc191_ee00_0060_a10c)

        #expect(gate.system == .interruptGate32)
        #expect(gate.gateOffset == 0xc191_a10c)
        #expect(gate.gateSelector == Selector(rawValue: 0x60))
        #expect(gate.dpl == 3 && gate.isPresent)
        let made = SegmentDescriptor(
            gate: .interruptGate32,
            selector: Selector(rawValue: 0x60),
            offset: 0xc191_a10c,
            dpl: 3
        )
        #expect(made == gate)
    }

    @Test func `a selector is an index, a table and a privilege level`() {
        for raw in UInt16.min...UInt16.max {
            let selector = Selector(rawValue: raw)
            #expect(
                selector.index * 8 + (selector.isLocal ? 4 : 0) + Int(selector.rpl) == Int(raw)
            )
        }
        #expect((0..<5).map { Selector(rawValue: $0).isNull } == [true, true, true, true, false])
    }
}
