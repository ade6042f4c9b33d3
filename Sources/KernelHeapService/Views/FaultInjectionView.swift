internal import KernelHeap

extension StateView {
    /// `GET …/fault_injection`: where the knobs stand, and who is marked to fail.
    static let faultInjection = StateView("fault_injection") { (kernel, _) in
        let view = kernel.faultInjectionView()
        var json = JSONWriter(capacity: 1_024)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("attributes", objects: zip(FaultSite.allCases, view.attributes)) {
                json,
                attribute in
                json.member("name", attribute.0.rawValue)
                for knob in FaultKnob.knobs(of: attribute.0) {
                    json.raw(",")
                    json.fact(
                        Fact(knob.parameter, knob.value(of: attribute.1)),
                        kernel.profile.gfp
                    )
                }
            }
            json.name("fail_nth")
            if let pid = view.nthProcess {
                json.object { json in
                    json.member("pid", pid)
                    json.member("n", view.nth)
                }
            } else {
                json.raw("null")
            }
            json.name("make_it_fail")
            json.list(view.tasks) { $0.number($1) }
            json.name("failslab_caches")
            json.strings(view.caches)
        }
        return ViewAnswer(json)
    }
}
