internal import KernelHeap

extension StateView {
    /// `GET …/layout`: the regions of the address space.
    static let layout = StateView("layout") { (kernel, _) throws(Problem) in
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("profile", kernel.profile.name)
            json.member("regions", objects: kernel.regionViews()) { json, region in
                json.member("name", region.name)
                json.member("start", address: region.start.rawValue)
                json.member("last", address: region.last.rawValue)
                json.member("size", region.size)
                json.member("used", orNull: region.usedBytes)
                json.member("summary", region.summary)
            }
        }
        return ViewAnswer(json)
    }
}
