import KernelHeapService
import TestSupport
import Testing

/// Every boundary of the recorded kmalloc table, through the server as a client would ask.
@Suite("HTTP: the recorded kmalloc table")
struct KmallocTableTests {
    /// One size under one set of flags, and what the real kernel made of it.
    private struct Expected {
        let size: UInt64
        let gfp: String
        let cache: String
        let order: Int
        let ksize: UInt64
        let result: String
    }

    /// Both ends of every range, and every single size.
    private func expectations(_ variant: KmallocTable.Variant) -> [Expected] {
        let ends = variant.ranges.flatMap { range in
            Set([range.from, range.to]).sorted().map {
                Expected(
                    size: $0,
                    gfp: variant.value,
                    cache: range.cache,
                    order: range.pageOrder,
                    ksize: range.ksize,
                    result: range.result
                )
            }
        }
        let singles = variant.large.map {
            Expected(
                size: $0.size,
                gfp: variant.value,
                cache: $0.cache,
                order: $0.pageOrder,
                ksize: $0.ksize,
                result: $0.result
            )
        }
        return ends + singles
    }

    @Test("each size gets the recorded cache, order and room", arguments: KmallocTable.setups)
    func table(setup: KmallocTable.Setup) throws {
        let service = try ServiceFixture { $0.maximumBatchCalls = 100_000 }
        let session = try service.boot(
            #"{"machine":{"memory":"1G","cpus":\#(setup.cpus),"#
                + #""boot_options":"\#(setup.bootOptions)"}}"#
        )
        let expected = try KmallocTable.named(setup.name).variants.flatMap(expectations)
        var body = ""
        for one in expected {
            body += #"{"call":"kmalloc","as":"p","size":"\#(one.size)","flags":"\#(one.gfp)"}"#
            body += "\n" + #"{"call":"ksize","objp":"$p"}"#
            body += "\n" + #"{"call":"kfree","objp":"$p"}"# + "\n"
        }

        let answer = try service.send(
            "POST",
            session + "/calls?on_error=continue",
            body,
            headers: ["Content-Type": "application/x-ndjson"]
        )
        let lines = answer.lines

        #expect(expected.count > 100)
        try #require(lines.count == expected.count * 3)
        for (index, one) in expected.enumerated() {
            check(lines[index * 3], ksize: lines[index * 3 + 1], one)
        }
    }

    private func check(_ line: JSON, ksize: JSON, _ one: Expected) {
        let detail = line["detail"]
        let what = "size \(one.size), flags \(one.gfp)"
        switch one.result {
        case "NULL": #expect(line["return"] == .null && detail == .null, "\(what)")
        case "ZERO_SIZE_PTR": #expect(line["return"] == .string("0x10"), "\(what)")
        default:
            #expect(line["return"].text.hasPrefix("0xffff888"), "\(what)")
            #expect(ksize["return"] == .number(Double(one.ksize)), "\(what)")
            if one.cache == "large" {
                #expect(detail["order"] == .number(Double(one.order)), "\(what)")
            } else {
                #expect(detail["cache"] == .string(one.cache), "\(what)")
                #expect(detail["slab"]["order"] == .number(Double(one.order)), "\(what)")
            }
        }
    }
}
