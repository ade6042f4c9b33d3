import Testing

@Suite("Routes: machines with a memory map")
struct MemoryMapRoutesTests {
    @Test func `a machine boots from a memory map and shows it`() throws {
        let service = try ServiceFixture()

        let answer = try service.send(
            "POST",
            "/v1/sessions",
            """
            {"machine":{"memory_map":[{"start":0,"end":"0x9fbff","type":"usable"},
            {"start":"0x100000","end":"0x3ffffff"},
            {"start":"0x4000000","end":"0x40fffff","type":"ACPI data"}],
            "reserved":[{"start":"0x1000000","end":"0x1ffffff"}]}}
            """
        )
        let machine = answer.json["machine"]
        let path = try #require(answer.headers["location"])
        let log = try service.send("GET", path + "/dmesg").text

        #expect(answer.status == 201)
        #expect(
            machine["memory_map"].elements.map { $0["start"].text } == [
                "0x0", "0x100000", "0x4000000",
            ]
        )
        #expect(
            machine["memory_map"].elements.map { $0["type"].text } == [
                "usable", "usable", "ACPI data",
            ]
        )
        #expect(machine["reserved"].elements.map { $0["end"].text } == ["0x1ffffff"])
        #expect(
            log.contains(
                "BIOS-e820: [mem 0x0000000004000000-0x00000000040fffff] ACPI data\n"
            )
        )
        #expect(log.contains("  DMA32    [mem 0x0000000001000000-0x0000000003ffffff]\n"))
    }

    @Test(
        "a wrong memory map is refused at its place",
        arguments: [
            (#"{"memory_map":{}}"#, "wrong-type", "/machine/memory_map"),
            (#"{"memory_map":[{"start":0}]}"#, "missing-field", "/machine/memory_map/0"),
            (
                #"{"memory_map":[{"start":0,"end":1,"kind":2}]}"#, "unknown-field",
                "/machine/memory_map/0/kind"
            ),
            (
                #"{"memory_map":[{"start":0,"end":1,"type":"used"}]}"#, "unknown-name",
                "/machine/memory_map/0/type"
            ),
            (
                #"{"memory_map":[{"start":0,"end":"0xffffffffffffffff"}]}"#, "out-of-range",
                "/machine/memory_map/0"
            ),
            (
                #"{"memory_map":[{"start":2,"end":1}]}"#, "invalid-machine",
                "/machine/memory_map/0/end"
            ),
            (#"{"reserved":[{"start":0,"end":1}]}"#, "invalid-machine", "/machine/reserved"),
        ]
    )
    func refusals(machine: String, problem: String, pointer: String) throws {
        let service = try ServiceFixture()

        let answer = try service.send("POST", "/v1/sessions", #"{"machine":\#(machine)}"#)

        #expect(answer.status == 422)
        #expect(answer.problem == problem)
        #expect(answer.json["pointer"].text == pointer)
    }
}
