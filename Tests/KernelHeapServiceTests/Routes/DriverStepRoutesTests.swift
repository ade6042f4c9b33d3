import Testing

/// What a call's detail says of the steps of a driver's methods.
@Suite("HTTP: steps of a driver's methods")
struct DriverStepRoutesTests {
    @Test func `the step that does something wrong says so`() throws {
        let service = try ServiceFixture()
        let session = try service.boot()
        let calls = session + "/calls/"
        _ = try service.send("POST", calls + "device_register", "name=nic")
        let attached = try service.send(
            "POST",
            calls + "device_driver_attach",
            #"""
            {"drv": "own", "dev": "nic", "methods": {"probe": [
               {"call": "kmalloc", "size": 32, "flags": "GFP_KERNEL", "as": "a"},
               {"call": "pfn_to_page", "pfn": 99999999},
               {"call": "kfree", "objp": "$a"}]}}
            """#
        ).json

        let steps = attached["detail"]["steps"].elements
        #expect(steps.map { $0["call"].text } == ["kmalloc", "pfn_to_page", "kfree"])
        #expect(
            steps.map { $0["warnings"].elements.map(\.text) } == [[], ["wrong_conversion"], []]
        )
    }
}
