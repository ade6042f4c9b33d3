import KernelHeap
import Testing

@testable import KernelHeapService

@Suite("Calls: decoding")
struct CallDecoderTests {
    static let tables = MachineTables(.linux61X8664)

    private func decode(
        _ name: String,
        _ body: String,
        references: CallReferences? = nil
    ) throws -> DecodedCall {
        let descriptor = try #require(CallRegistry.byName[name])
        return try withDocument(body) { root in
            var decoder = CallDecoder(
                PreparedCall(descriptor),
                tables: Self.tables,
                cpuCount: 4,
                references: references
            )
            try decoder.read(root)
            return try decoder.finish()
        }
    }

    @Test func `flags in text, list and number are the same word`() throws {
        let text = try decode("kmalloc", #"{"size":1,"flags":"GFP_KERNEL|__GFP_ZERO"}"#)
        let list = try decode("kmalloc", #"{"flags":["GFP_KERNEL","__GFP_ZERO"],"size":1}"#)
        let number = try decode("kmalloc", #"{"size":1,"flags":3520}"#)

        #expect(text.arguments.gfp(1) == [.kernel, .zero])
        #expect(list.arguments.gfp(1) == [.kernel, .zero])
        #expect(number.arguments.gfp(1) == [.kernel, .zero])
    }

    @Test func `a frame number becomes the address of its struct page`() throws {
        let decoded = try decode("page_to_pfn", #"{"page":16448}"#)

        // 64 bytes a descriptor, from VMEMMAP_START of x86_64.
        #expect(decoded.arguments.word(0) == 0xffff_ea00_0010_1000)
    }

    @Test func `a frame number beyond the address space is refused`() {
        #expect(throws: Problem.self) {
            try decode("page_to_pfn", #"{"page":576460752303423487}"#)
        }
    }

    @Test func `an address may be text, a number or null`() throws {
        let text = try decode("kfree", #"{"objp":"0xFFFF888000001000"}"#)
        let number = try decode("kfree", #"{"objp":18446612682070036480}"#)
        let null = try decode("kfree", #"{"objp":null}"#)

        #expect(text.arguments.word(0) == 0xffff_8880_0000_1000)
        #expect(number.arguments.word(0) == 0xffff_8880_0000_1000)
        #expect(null.arguments.has(0))
        #expect(null.arguments.word(0) == 0)
    }

    @Test func `a context says where the call runs`() throws {
        let decoded = try decode(
            "kfree",
            #"{"objp":0,"context":{"cpu":3,"in":"softirq","atomic":true,"pid":7}}"#
        )

        #expect(
            decoded.context == CallContext(cpu: 3, kind: .softirq, isAtomic: true, pid: 7)
        )
    }

    @Test func `references add and subtract within 64 bits`() throws {
        var references = CallReferences()
        references.set("p", to: 0xffff_ffff_ffff_fff0)

        let sum = try decode("kfree", #"{"objp":"$p+0xf"}"#, references: references)
        let difference = try decode("kfree", #"{"objp":"$p-16"}"#, references: references)

        #expect(sum.arguments.word(0) == UInt64.max)
        #expect(difference.arguments.word(0) == 0xffff_ffff_ffff_ffe0)
        #expect(throws: Problem.self) {
            try decode("kfree", #"{"objp":"$p+16"}"#, references: references)
        }
    }

    @Test(
        "bytes have four forms",
        arguments: [
            (#"{"hex":"00fFa5"}"#, [0x00, 0xff, 0xa5] as [UInt8]),
            (#"{"text":"aé"}"#, [0x61, 0xc3, 0xa9]), (#"{"base64":"AP+l"}"#, [0x00, 0xff, 0xa5]),
            (#"{"base64":"AP8="}"#, [0x00, 0xff]), (#"{"base64":"AA"}"#, [0x00]),
            (#"{"fill":"0xa5","length":3}"#, [0xa5, 0xa5, 0xa5]), (#"{"hex":""}"#, []),
        ]
    )
    func bytes(form: String, expected: [UInt8]) throws {
        let bytes = try withDocument("{\"data\":\(form)}") { root in
            try PayloadDecoder.bytes(.json(#require(root.member("data"))))
        }

        #expect(bytes == expected)
    }

    @Test(
        "bytes in no known form are refused",
        arguments: [
            "1", "[]", "{}", #"{"hex":"0"}"#, #"{"hex":"zz"}"#, #"{"hex":1}"#, #"{"hax":"00"}"#,
            #"{"base64":"A"}"#, #"{"base64":"A*=="}"#, #"{"fill":256,"length":1}"#,
            #"{"fill":1}"#, #"{"fill":1,"length":1048577}"#, #"{"hex":"00","text":"a"}"#,
            #"{"hex":"00","length":1}"#, #"{"length":1}"#,
        ]
    )
    func wrongBytes(form: String) {
        #expect(throws: Problem.self) {
            try withDocument("{\"data\":\(form)}") { root in
                try PayloadDecoder.bytes(.json(#require(root.member("data"))))
            }
        }
    }

    @Test func `the edit distance counts insertions, deletions and substitutions`() {
        let pairs: [(String, String, Int)] = [
            ("kitten", "sitting", 3), ("", "abc", 3), ("abc", "abc", 0), ("abc", "ac", 1),
        ]
        for (left, right, distance) in pairs {
            #expect(NearestName.editDistance(Array(left.utf8), Array(right.utf8)) == distance)
        }
    }
}
