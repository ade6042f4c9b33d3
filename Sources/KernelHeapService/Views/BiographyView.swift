internal import KernelHeap

extension StateView {
    /// `GET …/biography`: every owner that the slab object at an address had.
    static let biography = StateView(
        "biography",
        parameters: ["address"]
    ) { (kernel, query) throws(Problem) in
        guard let address = try query.word("address") else {
            var problem = Problem(.missingField, "a biography needs an address", at: "/address")
            problem.valid = ["address=0xffff888000100000"]
            throw problem
        }
        let biography = kernel.biography(of: LinearAddress(rawValue: address))
        let events = biography.events.map { ($0, kernel.function(ofCall: $0.call)) }
        let flags = kernel.profile.gfp
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("address", address: address)
            json.name("place")
            if let place = biography.place {
                json.facts(place.facts, flags)
            } else {
                json.raw("null")
            }
            json.member("object_history", biography.capacity)
            json.member("dropped", biography.dropped)
            json.member("dropped_of_all", biography.droppedOfAll)
            json.member("events", objects: events) { json, row in
                let (event, function) = row
                json.member("event", event.isAllocation ? "allocated" : "freed")
                json.member("address", address: event.address.rawValue)
                json.member("call", event.call)
                json.member("function", orNull: function)
                json.member("requested", orNull: event.requested.map { UInt64($0) })
                json.member("cpu", orNull: event.cpu.map { UInt64($0) })
                json.member("pid", orNull: event.pid.map { UInt64(clamping: $0) })
            }
        }
        return ViewAnswer(json)
    }
}
