import Testing

@testable import KernelHeapService

@Suite("JSON: reading")
struct JSONDocumentTests {
    @Test func `an object keeps its members in order with their kinds`() throws {
        let text = #"{"a":1,"b":-2,"c":"x","d":[true,false,null],"e":{"f":1.5}}"#
        let kinds = try withDocument(text) { root in
            root.children.map { "\(String($0.key)) \($0.kind)" }
        }

        #expect(kinds == ["a unsigned", "b negative", "c string", "d array", "e object"])
    }

    @Test func `numbers keep all their 64 bits`() throws {
        let text = "[18446744073709551615, -9223372036854775808, 18446744073709551616, 1e3, 0, -0]"
        let shown = try withDocument(text) { root in
            root.children.map { "\($0.kind) \($0.shown)" }
        }

        #expect(
            shown == [
                "unsigned 18446744073709551615", "negative -9223372036854775808",
                "big 18446744073709551616", "fraction 1e3", "unsigned 0", "unsigned 0",
            ]
        )
    }

    @Test func `escapes in keys and strings are undone`() throws {
        let text = #"{"s\u0069ze":"a\n\"\u00e9\ud83d\ude00"}"#
        let pair = try withDocument(text) { root in
            root.children.map { [String($0.key), String($0.text)] }
        }

        #expect(pair == [["size", "a\n\"é😀"]])
    }

    @Test func `a value knows its pointer`() throws {
        let text = #"{"machine":{"zones":[{"name":"DMA"},{"a/b~":[1,2]}]}}"#
        let pointer = try withDocument(text) { root in
            let zones = root.member("machine")?.member("zones")
            let second = zones.flatMap { Array($0.children).last }
            let numbers = second.flatMap { Array($0.children).first }
            return numbers.flatMap { Array($0.children).last }?.pointer
        }

        #expect(pointer == "/machine/zones/1/a~1b~0/1")
    }

    @Test(
        "a text that is no JSON document is refused",
        arguments: [
            "", " ", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":+1}",
            "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":--1}", "{\"a\":0x10}",
            "{\"a\":nul}", "{\"a\":nullx}", "{\"a\":truex}", "{\"a\":tru}", "{\"a\":\"}",
            "{\"a\":\"\\x\"}", "{\"a\":\"\u{01}\"}", "{\"a\":\"\\ud800\"}", "{\"a\":1}x",
            "{\"a\":1}{}", "{} []", "[1,2", "[1 2]", "[1,,2]", "{\"a\":1]", "[1}", "{a:1}",
            "{'a':1}", "{\"a\":1,\"b\"}", "{1:2}", "[\"a\":1]", "{\"a\" 1}", "{,}", "[,]",
        ]
    )
    func malformed(text: String) {
        #expect(throws: Problem.self) { try withDocument(text) { $0.kind } }
    }

    @Test func `nesting is bounded`() {
        let text =
            String(repeating: "[", count: 200) + "1" + String(repeating: "]", count: 200)

        #expect(throws: Problem.self) { try withDocument(text) { $0.kind } }
    }

    @Test func `a body that is not UTF-8 is refused`() {
        let bytes: [UInt8] = Array("{\"a\":\"".utf8) + [0xff, 0xfe] + Array("\"}".utf8)

        #expect(throws: Problem.self) { try withDocument(bytes) { $0.kind } }
    }

    @Test func `every cut of a good document is refused`() throws {
        let whole = Array(#"{"size":192,"flags":["GFP_KERNEL",null],"o":{"x":true}}"#.utf8)

        for length in 0..<whole.count {
            #expect(throws: Problem.self, "cut at \(length)") {
                try withDocument(Array(whole[..<length])) { $0.kind }
            }
        }
    }
}

/// Parses text with the padding that the reader wants.
func withDocument<Result>(
    _ text: String,
    _ body: (JSONValue) throws -> Result
) throws -> Result {
    try withDocument(Array(text.utf8), body)
}

func withDocument<Result>(
    _ bytes: [UInt8],
    _ body: (JSONValue) throws -> Result
) throws -> Result {
    let padded = bytes + [UInt8](repeating: 0, count: JSONParser.padding)
    return try unsafe padded.withUnsafeBytes { raw in
        let slice = unsafe ByteSlice(UnsafeRawBufferPointer(rebasing: raw[..<bytes.count]))
        return try body(JSONParser.parseOnThread(slice))
    }
}
