internal import KernelHeap

extension StateView {
    /// `GET …/highmem`: the permanent maps, who waits for one, and the short maps of each thread.
    static let highMemory = StateView("highmem") { (kernel, _) throws(Problem) in
        let view = kernel.highMemoryView()
        var json = JSONWriter(capacity: 16_384)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("high_pages", view.highPages)
            json.member("pkmap_base", addressOrNull: view.base?.rawValue)
            json.member("last_pkmap", view.slotCount)
            json.member("free_slots", view.freeSlots)
            json.member("unflushed_slots", view.unflushedSlots)
            json.member("used_slots", view.usedSlots)
            json.member("last_pkmap_nr", view.last)
            json.member("flushes", view.flushes)
            let named = view.slots.map { ($0, kernel.function(ofCall: $0.call)) }
            json.member("slots", objects: named) { $0.slot($1.0, function: $1.1) }
            json.member("sleepers", objects: view.sleepers) { json, sleeper in
                json.member("call", sleeper.call)
                json.member("pid", sleeper.pid)
                json.member("pfn", sleeper.pfn.rawValue)
            }
            json.member("fixaddr_start", address: view.fixmapStart.rawValue)
            json.member("fixaddr_top", address: view.fixmapTop.rawValue)
            json.member("threads", objects: view.threads) { $0.thread($1) }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func slot(_ slot: HighMemoryView.Slot, function: String?) {
        member("slot", slot.number)
        member("address", address: slot.address.rawValue)
        member("pfn", slot.pfn.rawValue)
        member("pkmap_count", slot.count)
        member("state", slot.count > 1 ? "in_use" : "unmapped_not_flushed")
        member("call", slot.call)
        member("function", orNull: function)
    }

    fileprivate mutating func thread(_ thread: HighMemoryView.Thread) {
        member("cpu", thread.cpu)
        member("pid", thread.pid)
        member("running", thread.isRunning)
        member("preempt_disabled", thread.atomicDepth)
        member("maps", objects: thread.maps) { json, map in
            json.member("fix_index", map.index)
            json.member("address", address: map.address.rawValue)
            json.member("pfn", map.pfn.rawValue)
            json.member("type", orNull: map.type)
        }
    }
}
