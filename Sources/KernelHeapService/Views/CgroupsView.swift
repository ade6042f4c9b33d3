internal import KernelHeap

extension StateView {
    /// `GET …/cgroups`: memory cgroups, what they have and may have.
    static let cgroups = StateView("cgroups") { (kernel, _) throws(Problem) in
        var json = JSONWriter(capacity: 4_096)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("cgroups", objects: kernel.cgroupViews()) { $0.cgroup($1) }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func cgroup(_ group: CgroupView) {
        member("path", group.path)
        member("current", orNull: group.current)
        member("peak", group.peak)
        name("limits")
        object { json in
            json.member("memory.min", orNull: group.limit("memory.min"))
            json.member("memory.low", orNull: group.limit("memory.low"))
            json.member("memory.high", orNull: group.limit("memory.high"))
            json.member("memory.max", orNull: group.limit("memory.max"))
        }
        member("failcnt", group.failures)
        member("oom_group", group.isKilledWhole)
        member("events", counts: group.events.map { ($0.name, $0.count) })
        member("stat", counts: group.stat.map { ($0.name, $0.value) })
        name("processes")
        list(group.processes) { (json, pid) in json.number(pid) }
        member("removed", group.isRemoved)
    }
}
