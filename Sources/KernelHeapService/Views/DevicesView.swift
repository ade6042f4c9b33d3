internal import KernelHeap

extension StateView {
    /// `GET …/devices`: the character devices, their drivers' variables, and who has them open, a
    /// part of the open files at a time; and the devices of the driver model with their resources.
    static let devices = StateView(
        "devices",
        parameters: ["cursor", "limit"],
        isLong: { (kernel, query) throws(Problem) in
            let limit = try resourceLimit(query)
            return kernel.busDeviceCount > 256 || limit > 1_000
        }
    ) { (kernel, query) throws(Problem) in
        let limit = try resourceLimit(query)
        let cursor = try query.word("cursor") ?? 0
        let (devices, next) = kernel.deviceViews(filesFrom: cursor, limit: limit)
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("devices", objects: devices) { $0.device($1) }
            json.member("bus_devices", objects: kernel.busDeviceViews(limit: limit)) {
                $0.busDevice($1, gfp: kernel.profile.gfp)
            }
            json.name("next_cursor")
            if let next { json.string(String(next)) } else { json.raw("null") }
        }
        return ViewAnswer(json)
    }

    private static func resourceLimit(_ query: ViewQuery) throws(Problem) -> Int {
        Int(try query.number("limit", default: 1_000, in: 1...10_000))
    }
}

extension JSONWriter {
    fileprivate mutating func device(_ device: DeviceView) {
        member("name", device.name)
        member("path", "/dev/" + device.name)
        member("major", device.major)
        member("registered", device.isRegistered)
        name("methods")
        strings(device.methods.map(\.name))
        member("variables", objects: device.variables) { json, variable in
            json.member("name", variable.name)
            json.member("value", address: variable.value)
        }
        member("files", objects: device.files) { json, file in
            json.member("pid", file.pid)
            json.member("fd", file.descriptor)
            json.member("file", address: file.address.rawValue)
        }
    }

    fileprivate mutating func busDevice(_ device: BusDeviceView, gfp: GFPTable) {
        member("name", device.name)
        member("dev", address: device.address.rawValue)
        member("call", device.call)
        member("driver", orNull: device.driver)
        member("registered", device.isRegistered)
        member("references", device.references)
        name("character_devices")
        strings(device.characterDevices)
        member("open_files", device.openFiles)
        name("resources")
        list(device.resources) { (json, facts) in json.facts(facts, gfp) }
        member("omitted_resources", device.omittedResources)
        member("dma_mask", address: device.mask)
        member("coherent_dma_mask", address: device.coherentMask)
        name("mappings")
        list(device.mappings) { (json, facts) in json.facts(facts, gfp) }
        member("omitted_mappings", device.omittedMappings)
    }
}
