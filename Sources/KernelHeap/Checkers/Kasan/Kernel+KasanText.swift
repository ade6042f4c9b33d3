/// The lines of a report: `print_report()`, `mm/kasan/report.c`, 6.1.
///
/// Left out are the stacks below the function, the raw words of the page, and the hardware's name.
extension Kernel {
    private static let line = String(repeating: "=", count: 66)

    /// A function as the kernel's `%pS` prints it; how far into it the code is nobody knows.
    func symbol(_ function: String) -> String { "\(function)+0x0/0x0" }

    func lines(of report: KasanReport, in context: CallContext) -> [String] {
        let task = "\(taskName(context))/\(context.pid)"
        let place = pointer(report.address.rawValue)
        var lines = [
            Self.line, "BUG: KASAN: \(report.kind.rawValue) in \(symbol(report.function))",
        ]
        switch report.access {
        case .free: lines.append("Free of addr \(place) by task \(task)")
        case .read: lines.append("Read of size \(report.length) at addr \(place) by task \(task)")
        case .write: lines.append("Write of size \(report.length) at addr \(place) by task \(task)")
        }
        lines += ["", processLine(context)]
        if !report.shadow.isEmpty {
            lines.append("")
            lines += objectLines(report) + areaLines(report) + pageLines(report)
            lines += shadowLines(report)
        }
        return lines + [Self.line]
    }

    /// Who allocated and who freed an object, and where in it the address lies: `describe_object()`.
    private func objectLines(_ report: KasanReport) -> [String] {
        guard let place = report.place, let region = report.region else { return [] }
        var lines: [String] = []
        for (track, what) in [(report.allocation, "Allocated"), (report.release, "Freed")] {
            guard let track else { continue }
            lines.append("\(what) by task \(track.pid):")
            lines += stackLines(ofCall: track.call) + [""]
        }
        let (begin, end) = (region.lowerBound, region.upperBound)
        let size = end - begin
        lines += [
            "The buggy address belongs to the object at \(pointer(begin))",
            " which belongs to the cache \(CacheName.escaped(place.cache)) of size \(size)",
        ]
        let address = report.address.rawValue
        let position =
            address < begin
            ? "\(begin - address) bytes to the left"
            : address >= end
                ? "\(address - end) bytes to the right" : "\(address - begin) bytes inside"
        return lines + [
            "The buggy address is located \(position) of",
            " \(size)-byte region [\(pointer(begin)), \(pointer(end)))", "",
        ]
    }

    /// What is known of a stack: the function and the call that ran it.
    func stackLines(ofCall call: UInt64) -> [String] {
        let function = function(ofCall: call).map { [" " + symbol($0)] } ?? []
        return function + [" call_\(call)"]
    }

    private func areaLines(_ report: KasanReport) -> [String] {
        let address = report.address.rawValue
        guard layout.isVmalloc(address) else { return [] }
        let place = vmalloc.busy.containing(address)
        guard place != 0, vmalloc.busy[place].use.kind == .area else { return [] }
        let node = vmalloc.busy[place]
        let maker = report.allocation.map { stackLines(ofCall: $0.call) } ?? []
        return [
            "The buggy address belongs to the virtual mapping at",
            " [\(pointer(node.start)), \(pointer(node.end))) created by:",
        ] + maker.prefix(1) + [""]
    }

    /// The page of the address: `dump_page()`.
    ///
    /// Of the direct map it is the head, as `addr_to_page()` gives it, of a vmalloc area the page itself.
    private func pageLines(_ report: KasanReport) -> [String] {
        let address = report.address.rawValue
        let direct = frame(ofDirectMapped: address)
        guard let frame = direct ?? frame(ofVmalloc: address), Int(frame) < pages.map.capacity
        else { return [] }
        let page = pages.map[Int(frame)]
        let isSlab = page.kind == .slab
        let head = isSlab ? slab.slabs[Int(page.slabNumber)].pfn : compoundHead(of: frame)
        let order = isSlab ? Int(slab.slabs[Int(page.slabNumber)].order) : 0
        let headPage = pages.map[Int(head)]
        let shown = direct == nil ? frame : head
        let count = isSlab ? 1 : headPage.kind == .allocated ? headPage.word : 0
        var lines = [
            "The buggy address belongs to the physical page:",
            "page:\(pointer(layout.descriptor(UInt64(shown)))) refcount:\(count) "
                + "mapcount:\(mapCount(of: shown)) mapping:0000000000000000 "
                + "index:0x0 pfn:0x\(String(shown, radix: 16))",
        ]
        let isCompound = isSlab ? order > 0 : headPage.kind == .allocated && headPage.isCompound
        if isCompound {
            lines.append(
                "head:\(pointer(layout.descriptor(UInt64(head)))) order:"
                    + "\(isSlab ? order : headPage.order) compound_mapcount:0 compound_pincount:0"
            )
        }
        lines.append("flags: " + flagsText(of: head, isSlab: isSlab, isHead: isCompound))
        lines.append("page dumped because: kasan: bad access detected")
        if pages.owners.isOn { lines += dumpLines(of: pages.owners[shown]) }
        return lines + [""]
    }

    private func frame(ofVmalloc address: UInt64) -> UInt32? {
        guard layout.isVmalloc(address) else { return nil }
        return mapping(of: address, process: 0).flatMap {
            UInt32(exactly: $0.physical.pfn.rawValue)
        }
    }

    /// What `page_mapcount()` reads where the head of a free block has `PageBuddy` in its place.
    private func mapCount(of frame: UInt32) -> Int {
        let run = frameRun(at: UInt64(frame), limit: UInt64(frame) + 1)
        switch run.use {
        case .block(let page) where page.kind == .buddy:
            return run.start == UInt64(frame) ? Self.buddyMapCount : 0
        case .block(let page) where page.kind == .allocated && page.isOnLRU:
            return Int(page.mapCount)
        case .untouched:
            // Only the largest blocks make up such a run.
            let offset = UInt64(frame) - min(run.start, UInt64(frame))
            return offset % (1 << UInt64(Zone.maxOrder)) == 0 ? Self.buddyMapCount : 0
        case .block, .slab, .reserved, .hole: return 0
        }
    }

    /// -1 without the bit of `PG_buddy`, 0x80, and one more.
    private static let buddyMapCount = -128

    private func flagsText(of frame: UInt32, isSlab: Bool, isHead: Bool) -> String {
        let zone = pages.zoneIndex(of: UInt64(frame)).map { pages.zones[$0] }
        let (type, node) = (UInt64(zone?.type.rawValue ?? 0), UInt64(zone?.node ?? 0))
        let last: UInt64 = 0x1f_ffff
        let marks: UInt64 = (isSlab ? 0x200 : 0) | (isHead ? 0x1_0000 : 0)
        let flags = marks | last << 30 | type << 51 | node << 54
        let names = [isSlab ? "slab" : nil, isHead ? "head" : nil].compactMap(\.self)
        let all = names + ["node=\(node)", "zone=\(type)", "lastcpupid=0x1fffff"]
        return "0x\(String(flags, radix: 16))(\(all.joined(separator: "|")))"
    }

    /// Five rows of shadow and a caret under the bad byte: `print_memory_metadata()`.
    private func shadowLines(_ report: KasanReport) -> [String] {
        let guilty = guiltyAddress(of: report)
        let row = ShadowByte.rowBytes * ShadowByte.granule
        var lines = ["Memory state around the buggy address:"]
        for (place, shadow) in report.shadow.enumerated() {
            let start = shadow.address.rawValue
            let mark = place == Int(ShadowByte.rowsAround) ? ">" : " "
            let digits = shadow.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            lines.append("\(mark)\(pointer(start)): \(digits.joined(separator: " "))")
            guard guilty >= start, guilty - start < row else { continue }
            let column = Int((guilty - start) / ShadowByte.granule) * 3 + 19
            lines.append(String(repeating: " ", count: column) + "^")
        }
        return lines
    }
}
