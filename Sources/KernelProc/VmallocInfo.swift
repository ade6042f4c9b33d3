public import KernelHeap

/// `/proc/vmallocinfo`: a line for each area, then what was freed and is not purged.
///
/// Follows `s_show()` and `show_purge_info()`, `mm/vmalloc.c`, 6.1. Addresses are shown as with
/// `no_hash_pointers`; in the place of the function that asked stands `call_` with the number of the
/// call.
public enum VmallocInfo {
    /// The text for a machine.
    public static func text(_ view: VmallocView) -> String {
        var text = ""
        for area in view.areas {
            append(area.start, area.size, to: &text)
            if area.use == .vmMapRAM {
                text += " vm_map_ram\n"
                continue
            }
            text += " " + area.maker
            if area.pageCount > 0 { text += " pages=\(area.pageCount)" }
            if let physical = area.physical, physical.rawValue != 0 {
                let digits = String(physical.rawValue, radix: 16)
                text +=
                    " phys=0x"
                    + String(
                        repeating: "0",
                        count: max(view.physicalDigits - digits.count, 0)
                    ) + digits
            }
            for word in area.words { text += " " + word }
            if area.hasMappedPageArray { text += " vpages" }
            for (node, pages) in area.nodePages.enumerated() where pages > 0 {
                text += " N\(node)=\(pages)"
            }
            text += "\n"
        }
        for range in view.lazy {
            append(range.start, range.size, to: &text)
            text += " unpurged vm_area\n"
        }
        return text
    }

    private static func append(_ start: LinearAddress, _ size: UInt64, to text: inout String) {
        let end = start.rawValue &+ size
        text += "0x\(String(start.rawValue, radix: 16))-0x\(String(end, radix: 16)) "
        text.append(size, right: 7)
    }
}
