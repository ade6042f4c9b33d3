internal import KernelHeap

extension StateView {
    /// `GET …/fragmentation`: both indices of `/sys/kernel/debug/extfrag`, by zone and order.
    static let fragmentation = StateView("fragmentation") { (kernel, _) throws(Problem) in
        let zones = kernel.zoneViews()
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("zones", objects: zones) { json, zone in
                json.member("node", zone.node)
                json.member("name", zone.type.name)
                json.member("orders", objects: zone.freeBlockCounts.enumerated()) { json, row in
                    json.member("order", row.offset)
                    json.member("free_blocks", row.element)
                    json.name("unusable_index")
                    json.thousandths(zone.unusableFreeIndex(order: row.offset))
                    json.name("extfrag_index")
                    json.thousandths(zone.fragmentationIndex(order: row.offset))
                }
            }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    /// A number with three places behind the point.
    fileprivate mutating func thousandths(_ value: Int64) {
        if value < 0 { raw("-") }
        number(value.magnitude / 1000)
        raw(".")
        let places = value.magnitude % 1000
        number(places / 100)
        number(places / 10 % 10)
        number(places % 10)
    }
}
