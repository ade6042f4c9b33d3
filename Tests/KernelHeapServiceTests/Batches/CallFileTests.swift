import KernelHeapService
import Testing

/// Files of calls, run without a server.
@Suite("kheapd run")
struct CallFileTests {
    private static let sound = #"""
        [{"call": "kmalloc", "as": "p", "size": 64, "flags": "GFP_KERNEL"},
         {"call": "kfree", "objp": "$p"}]
        """#

    private func run(
        _ text: String,
        _ format: CallFile.Format = .json,
        isQuiet: Bool = false,
        countsUnreferenced: Bool = false
    ) -> (end: CallFile.End, lines: [String]) {
        // Only this thread calls the closure.
        let lines = Lines()
        let file = CallFile(
            format: format,
            isQuiet: isQuiet,
            countsUnreferenced: countsUnreferenced
        ) { lines.list.append($0) }
        let end = file.run(Array(text.utf8))
        return (end, lines.list)
    }

    private final class Lines {
        var list: [String] = []
    }

    @Test func `an array is run call by call, and its verdict is the last line`() {
        let (end, lines) = run(Self.sound)

        let answers = lines.map { JSON($0) }
        #expect(end == .ok && lines.count == 3)
        #expect(answers.first?["call"].text == "kmalloc")
        #expect(answers.last?["verdict"]["ok"] == .boolean(true))
    }

    @Test func `the sanitizer's quarantine is no leak`() {
        let text = #"{"machine":{"kasan":true,"memory":"96M"},"calls":\#(Self.sound)}"#

        #expect(run(text).end == .ok)
    }

    @Test func `a forced failure that is passed on is unlooked at`() {
        let text = #"""
            [{"call": "fail_nth", "n": 1},
             {"call": "kmalloc", "as": "p", "size": 64, "flags": "GFP_KERNEL"},
             {"call": "kernel_write", "address": "$p", "data": {"hex": "00"}},
             {"call": "kfree", "objp": "$p"}]
            """#
        let verdict = run(text).lines.last.map { JSON($0) }?["verdict"]

        let unlooked = verdict?["unlooked"]["items"].elements ?? []
        #expect(unlooked.map { $0["kind"].text } == ["unlooked_failure"])
        #expect(unlooked.map { $0["function"].text } == ["kernel_write"])
    }

    @Test func `what a driver keeps in a variable is held, and not unreferenced`() {
        let text = #"""
            [{"call": "chrdev_register", "name": "own", "methods": {"open": [
               {"call": "kmalloc", "size": 64, "flags": "GFP_KERNEL", "as": "kept"}]}},
             {"call": "sys_open", "pathname": "/dev/own", "as": "fd"},
             {"call": "sys_close", "fd": "$fd"}]
            """#
        let held = run(text).lines.last.map { JSON($0) }?["verdict"]
        let lone = run(text, countsUnreferenced: true).lines.last.map { JSON($0) }?["verdict"]

        #expect(held?["leaks"]["total"] == .number(1))
        #expect(lone?["leaks"]["total"] == .number(0))
        #expect(lone?["leak_rule"].text == "unreferenced")
    }

    @Test func `people see NULL where a pointer is missing, and nothing of functions without`() {
        let text = #"""
            [{"call": "kmalloc", "as": "p", "size": 8388608, "flags": "GFP_KERNEL"},
             {"call": "kfree", "objp": "$p"}]
            """#
        let heads = run(text, .text).lines.filter { $0.hasPrefix("#") }

        #expect(heads == ["#1 kmalloc = NULL", "#2 kfree"])
    }

    @Test(
        "the same calls as NDJSON, and in an object with their machine",
        arguments: [
            #"{"call":"kmalloc","as":"p","size":64,"flags":"GFP_KERNEL"}"# + "\n\n"
                + #"{"call":"kfree","objp":"$p"}"# + "\n",
            #"{"machine":{"memory":"128M"}}"# + "\n"
                + #"{"call":"kmalloc","as":"p","size":64,"flags":"GFP_KERNEL"}"# + "\n"
                + #"{"call":"kfree","objp":"$p"}"#,
            #"{"machine":{"memory":"128M"},"calls":"# + sound + "}",
        ]
    )
    func forms(text: String) {
        let (end, lines) = run(text)

        #expect(end == .ok && lines.count == 3)
        #expect(lines.map { JSON($0)["seq"] }.prefix(2) == [.number(1), .number(2)])
    }

    @Test func `the machine of the file is the one that boots`() {
        let text = #"{"machine":{"memory":"128M"},"calls":[{"call":"pfn_valid","pfn":40000}]}"#
        let small = run(text).lines.first.map { JSON($0)["return"] }
        let usual = run(#"[{"call":"pfn_valid","pfn":40000}]"#).lines.first.map {
            JSON($0)["return"]
        }

        #expect(small == .number(0) && usual == .number(1))
    }

    @Test func `a leak is a bad verdict`() {
        let (end, lines) = run(
            #"{"call":"kmalloc","size":64,"flags":"GFP_KERNEL"}"#,
            isQuiet: true
        )

        let verdict = lines.last.map { JSON($0)["verdict"] }
        #expect(end == .bad && lines.count == 1)
        #expect(verdict?["leaks"]["total"] == .number(1))
    }

    @Test func `a machine that dies ends the run with its verdict`() {
        let (end, lines) = run(
            #"[{"call":"process_exit","code":1},{"call":"pfn_valid","pfn":1}]"#
        )

        #expect(end == .bad)
        #expect(lines.last.map { JSON($0)["verdict"]["panicked"] } == .boolean(true))
    }

    @Test func `text is for people`() {
        let (end, lines) = run(
            #"{"call":"kmalloc","size":64,"flags":"GFP_KERNEL"}"#,
            .text
        )

        #expect(end == .bad)
        #expect(lines.first?.hasPrefix("#1 kmalloc = 0xffff8880") == true)
        #expect(lines.contains("verdict: bad") && lines.contains("  leaks: 1"))
    }

    @Test(
        "a file that cannot be run says why",
        arguments: [
            "", "[", "7", "{}x", #"{"call":"kmaloc"}"#, #"{"foo":1}"#,
            #"{"machine":{"profile":"none"},"calls":[]}"#, #"{"calls":[],"more":1}"#,
            #"{"machine":{"memory":"1K"},"calls":[]}"#, #"[{"call":"kfree","objp":"$p"}]"#, "[7]",
            #"{"call":"kfree","objp":0}"# + "\n{", "\u{0}",
        ]
    )
    func unusable(text: String) {
        let (end, lines) = run(text)

        #expect(end == .unusable)
        #expect(lines.last.map { JSON($0)["type"].text.hasPrefix("/problems/") } == true)
    }

    @Test func `a problem in NDJSON names its line`() {
        let (end, lines) = run(#"{"call":"kfree","objp":0}"# + "\n\n" + #"{"call":"kmaloc"}"#)

        #expect(end == .unusable)
        #expect(lines.last.map { JSON($0)["line"] } == .number(3))
    }

    private static let badItems: [(text: String, pointer: String)] = [
        (#"[{"call":"kfree","objp":0},{"call":"kmalloc","size":8}]"#, "/1/flags"),
        (#"{"calls":[{"call":"kfree","objp":0},{"call":"kmalloc","size":8}]}"#, "/calls/1/flags"),
        (#"[{"call":"kfree","objp":0,"context":{"pid":9}}]"#, "/0/context/pid"),
        (#"[{"call":"kfree","objp":0},{"call":"kfree","objp":[]}]"#, "/1/objp"),
    ]

    @Test("a problem of an item names the item", arguments: badItems)
    func pointers(text: String, pointer: String) {
        let last = run(text).lines.last.map { JSON($0) }

        #expect(last?["pointer"].text == pointer)
    }

    /// Texts with a line that is no JSON, and its number.
    private static let badLines: [(text: String, line: Int)] = [
        ("{\"call\":\"kfree\",\"objp\":0}\n{\"call\":\"kfree\",\"objp\":}", 2),
        ("{\"call\":\"kfree\",\"objp\":\n{\"call\":\"kfree\",\"objp\":0}", 1),
        ("{\"machine\":{}}\n\n{\"call\":\"kfree\",\"objp\":0}}", 3),
        ("{\"machine\":{}\n{\"call\":\"kfree\",\"objp\":0}", 1),
    ]

    @Test("a line that is no JSON is named, wherever it is", arguments: badLines)
    func lines(text: String, line: Int) {
        let last = run(text).lines.last.map { JSON($0) }
        let words = run(text, .text).lines.last ?? ""

        #expect(last?["type"].text == "/problems/malformed-json")
        #expect(last?["line"] == .number(Double(line)))
        #expect(words.hasPrefix("error: line \(line): "))
    }
}
