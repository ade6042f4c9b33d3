internal import KernelHeap

extension StateView {
    /// `GET …/reclaim`: LRU lists, kswapd, dirty pages, shrinkers, swap areas, files, recent kills.
    static let reclaim = StateView("reclaim") { (kernel, _) throws(Problem) in
        let view = kernel.reclaimView()
        var json = JSONWriter(capacity: 8_192)
        json.object { json in
            json.member("seq", kernel.sequence)
            json.member("swappiness", view.swappiness)
            json.member("nodes", objects: view.nodes) { $0.node($1) }
            json.name("writeback")
            json.object { json in
                json.member("dirty", view.dirtyPages)
                json.member("writeback", view.writebackPages)
                json.member("background_limit", view.dirtyLimits.background)
                json.member("limit", view.dirtyLimits.hard)
            }
            json.member("shrinkers", objects: view.shrinkers) { $0.shrinker($1) }
            json.member("swap_areas", objects: view.swapAreas) { json, area in
                json.member("path", area.path)
                json.member("pages", area.pages)
                json.member("used", area.usedPages)
                json.member("priority", area.priority)
            }
            json.member("files", objects: view.files) { json, file in
                json.member("path", file.path)
                json.member("size", file.size)
                json.member("cached", file.cachedPages)
                json.member("dirty", file.dirtyPages)
            }
            json.member("kills", objects: view.kills) { $0.kill($1) }
        }
        return ViewAnswer(json)
    }
}

extension JSONWriter {
    fileprivate mutating func node(_ node: ReclaimView.Node) {
        member("node", node.node)
        member("zones", objects: node.zones) { json, zone in
            json.member("name", zone.type.name)
            let lists = zip(LRUList.allCases, zone.lists)
            json.member("lists", counts: lists.map { ($0.name, UInt64(clamping: $1)) })
            json.member("dirty", zone.dirty)
            json.member("writeback", zone.writeback)
            json.member("swap_cache", zone.swapCache)
        }
        member("anon_cost", node.anonCost)
        member("file_cost", node.fileCost)
        name("kswapd")
        object { json in
            json.member("woken", node.wanted != nil)
            if let wanted = node.wanted {
                json.member("order", wanted.order)
                json.member("highest_zone", wanted.highestZone.name)
            }
            json.member("failures", node.failures)
            json.member("hopeless", node.isHopeless)
            json.member("dirty", node.isDirty)
            json.member("writeback", node.isWriting)
        }
    }

    fileprivate mutating func shrinker(_ shrinker: ReclaimView.Shrinker) {
        member("name", shrinker.name)
        member("cache", shrinker.cache)
        member("seeks", shrinker.seeks)
        member("batch", shrinker.batch)
        member("needs_fs", shrinker.needsFS)
        member("objects", shrinker.objects)
        member("deferred", shrinker.deferred)
        member("freed", shrinker.freedObjects)
    }

    fileprivate mutating func kill(_ kill: ProcessKill) {
        member("call", kill.call)
        member("pid", kill.pid)
        member("name", kill.name)
        member("caller", kill.callerPID)
        member("resident", kill.residentPages)
        member("swapped", kill.swappedPages)
        member("oom_score_adj", kill.adjustment)
    }
}
