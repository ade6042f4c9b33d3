internal import KernelHeap

extension StateView {
    /// `GET …/vmstat`: every counter of `/proc/vmstat` by its name.
    static let vmstat = StateView("vmstat") { (kernel, _) throws(Problem) in
        let view = kernel.vmStatView()
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("counters", counts: view.counters.map { ($0.name, $0.value) })
        }
        return ViewAnswer(json)
    }
}
