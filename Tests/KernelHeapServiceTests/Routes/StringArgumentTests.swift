import Testing

/// C strings: as text, or where they lie in kernel memory.
@Suite("HTTP: strings as arguments")
struct StringArgumentTests {
    let service: ServiceFixture
    let session: String

    init() throws {
        service = try ServiceFixture()
        session = try service.boot()
    }

    private func call(_ name: String, _ body: String) throws -> JSON {
        try service.send("POST", session + "/calls/" + name, body).json
    }

    private func bytes(at address: JSON, _ length: Int) throws -> String {
        try call("kernel_read", #"{"address":"\#(address.text)","length":\#(length)}"#)["detail"][
            "data"
        ].text
    }

    @Test func `a batch copies a string from where another call has put it`() throws {
        let answers = try service.send(
            "POST",
            session + "/calls",
            #"""
            [{"call":"kstrdup","as":"p","s":"sensor","gfp":"GFP_KERNEL"},
             {"call":"kstrdup","s":{"address":"$p+3"},"gfp":"GFP_KERNEL"},
             {"call":"kstrdup","s":null,"gfp":"GFP_KERNEL"},
             {"call":"kstrdup","s":"$p","gfp":"GFP_KERNEL"}]
            """#
        ).json.elements

        #expect(try bytes(at: answers[1]["return"], 4) == "736f7200")
        #expect(answers[2]["return"] == .null)
        #expect(try bytes(at: answers[3]["return"], 3) == "247000")
    }

    @Test func `a driver's method copies the string that it was called with`() throws {
        let methods = #"""
            {"ioctl": [{"call":"kstrdup","s":{"address":"$arg"},"gfp":"GFP_KERNEL","as":"copy"},
                       {"call":"strlen","s":"$copy","as":"length"}, {"return":"$length"}]}
            """#
        _ = try call("chrdev_register", #"{"name":"own","methods":\#(methods)}"#)
        _ = try call("sys_open", #"{"pathname":"/dev/own","flags":"O_RDWR"}"#)
        let string = try call("kstrdup", #"{"s":"four","gfp":"GFP_KERNEL"}"#)["return"].text

        let length = try call("sys_ioctl", #"{"fd":3,"cmd":1,"arg":"\#(string)"}"#)

        #expect(length["return"] == .number(4))
    }

    @Test(
        "what is neither is refused with the place",
        arguments: [
            #"{"text":"a"}"#, "{}", #"{"address":"0x10","length":1}"#, "17", "true",
            #"{"address":"far"}"#, #"{"address":-1}"#, "[1]",
        ]
    )
    func refused(string: String) throws {
        let answer = try service.send(
            "POST",
            session + "/calls/kstrdup",
            #"{"s":\#(string),"gfp":"GFP_KERNEL"}"#
        )

        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer.json["pointer"].text.hasPrefix("/s"), "\(answer.text)")
    }

    @Test func `the list of functions says that a string may be an address`() throws {
        let functions = try service.send("GET", session + "/functions").json["functions"].elements
        let copy = functions.first { $0["name"].text == "devm_kstrdup" }
        let parameter = copy?["parameters"].elements.first { $0["name"].text == "s" }

        #expect(parameter?["type"].text == "c_string")
        #expect(functions.contains { $0["name"].text == "strscpy" })
    }
}
