internal import KernelHeap

/// Where the parts of a call's answer lie in the writer's bytes.
struct OutcomeParts {
    /// `{"seq":…,"call":…,"return":…`, and `errno` where the call reports one.
    let head: Range<Int>
    /// `"cache":"…"` and `"zone":"…"` of what was allocated; empty where nothing was.
    let place: PlaceParts
    /// `,"log":[…]`; empty where the call logged nothing.
    let log: Range<Int>
    let whole: Range<Int>
}

/// Where an answer tells the cache and the zone of what a call allocated.
struct PlaceParts {
    var cache = 0..<0
    var zone = 0..<0
}

/// Writes what a kernel call did, as clients see it.
extension JSONWriter {
    /// Writes `{"seq":…,"call":…,"return":…,…}`.
    ///
    /// - Parameters:
    ///   - outcome: the call's result.
    ///   - call: the function.
    ///   - extras: whether `explain` and `contiguity` are part of the answer.
    ///   - kernel: the machine, for the names of its caches and flags.
    /// - Returns: Where the answer's parts are, for events that carry some of them.
    @discardableResult
    mutating func outcome(
        _ outcome: CallOutcome,
        of call: PreparedCall,
        with extras: AnswerExtras,
        on kernel: borrowing Kernel
    ) -> OutcomeParts {
        let start = count
        raw("{\"seq\":")
        number(outcome.sequence)
        raw(call.fragment)
        value(outcome.result.value)
        if let errno = outcome.result.errno {
            raw(",\"errno\":\"")
            raw(Array(errno.name.utf8))
            raw("\"")
        }
        let headEnd = count
        let contiguity =
            extras.contains(.contiguity) ? kernel.contiguity(of: outcome.result) : nil
        let place = detail(of: outcome, contiguity, on: kernel)
        let logStart = count
        var logEnd = logStart
        if outcome.log.isEmpty {
            raw(",\"log\":[]")
        } else {
            raw(",\"log\":")
            strings(outcome.log)
            logEnd = count
        }
        if !outcome.injected.isEmpty { injected(outcome.injected) }
        if extras.contains(.explanation) { explanation(outcome.explanation, kernel.profile.gfp) }
        raw("}")
        return OutcomeParts(
            head: start..<headEnd,
            place: place,
            log: logStart..<logEnd,
            whole: start..<count
        )
    }

    /// Writes that the call was made to fail, and where.
    private mutating func injected(_ faults: [InjectedFault]) {
        raw(",\"injected\":true")
        member("faults", objects: faults) { $0.fault($1) }
    }

    mutating func value(_ value: ReturnValue) {
        switch value {
        case .void, .pointer(0): raw("null")
        case .integer(let number): self.number(number)
        case .unsigned(let number): self.number(number)
        case .boolean(let truth): boolean(truth)
        case .pointer(let pointer): address(pointer)
        }
    }

    private mutating func detail(
        of outcome: CallOutcome,
        _ contiguity: ContiguityView?,
        on kernel: borrowing Kernel
    ) -> PlaceParts {
        var place = PlaceParts()
        if case .none = outcome.result.detail, outcome.warnings.isEmpty { return place }
        raw(",\"detail\":{")
        switch outcome.result.detail {
        case .none: break
        case .pages(let pages): place = self.pages(pages)
        case .object(let object):
            place = self.object(object, cacheName: kernel.cacheName(object.cache))
        case .userCopy(let copy): userCopy(copy)
        case .facts(let facts): members(facts, kernel.profile.gfp)
        }
        if let contiguity {
            name("contiguity")
            facts(contiguity.facts, kernel.profile.gfp)
        }
        if !outcome.warnings.isEmpty { warnings(of: outcome, on: kernel) }
        raw("}")
        return place
    }

    private mutating func pages(_ pages: PagesDetail) -> PlaceParts {
        raw("\"pfn\":")
        number(pages.pfn.rawValue)
        raw(",")
        let zone = self.zone(pages.zone)
        raw(",\"node\":")
        number(pages.node)
        raw(",\"order\":")
        number(pages.order)
        raw(",\"migratetype\":")
        string(pages.migrateType.name)
        raw(",\"physical\":")
        address(pages.pfn.rawValue &<< 12)
        raw(",\"virtual\":")
        if pages.virtual == 0 { raw("null") } else { address(pages.virtual) }
        return PlaceParts(zone: zone)
    }

    /// Writes `"zone":"…"`, and tells where.
    private mutating func zone(_ zone: ZoneType) -> Range<Int> {
        let start = count
        raw("\"zone\":\"")
        raw(zoneName(zone))
        raw("\"")
        return start..<count
    }

    private mutating func object(_ object: ObjectDetail, cacheName: String) -> PlaceParts {
        let start = count
        raw("\"cache\":")
        string(cacheName)
        let cache = start..<count
        raw(",\"requested\":")
        number(object.requested)
        raw(",\"allocated\":")
        number(object.allocated)
        raw(",\"slab\":{\"pfn\":")
        number(object.slab.rawValue)
        raw(",\"order\":")
        number(object.slabOrder)
        raw(",\"index\":")
        number(object.objectIndex)
        raw("},\"pfn\":")
        number(object.pfn.rawValue)
        raw(",")
        let zone = self.zone(object.zone)
        raw(",\"node\":")
        number(object.node)
        return PlaceParts(cache: cache, zone: zone)
    }

    private mutating func userCopy(_ copy: UserCopyDetail) {
        raw("\"copied\":")
        number(copy.copied)
        raw(",\"not_copied\":")
        number(copy.notCopied)
        raw(",\"fault\":")
        if let fault = copy.fault {
            raw("{\"address\":")
            address(fault.address.rawValue)
            raw(",\"reason\":")
            string(fault.reason.rawValue)
            raw("}")
        } else {
            raw("null")
        }
    }

    private mutating func explanation(_ steps: [ExplanationStep], _ flags: GFPTable) {
        raw(",\"explain\":[")
        var isFirst = true
        for step in steps {
            if !isFirst { raw(",") }
            isFirst = false
            raw("{\"step\":")
            string(step.name)
            for fact in step.facts {
                raw(",")
                self.fact(fact, flags)
            }
            raw(",\"text\":")
            string(step.sentence)
            raw("}")
        }
        raw("]")
    }
}

/// Facts: the rarer details, and the numbers of explanation steps.
extension JSONWriter {
    mutating func facts(_ facts: [Fact], _ flags: GFPTable) {
        raw("{")
        members(facts, flags)
        raw("}")
    }

    /// The same without braces.
    fileprivate mutating func members(_ facts: [Fact], _ flags: GFPTable) {
        var isFirst = true
        for fact in facts {
            if !isFirst { raw(",") }
            isFirst = false
            self.fact(fact, flags)
        }
    }

    mutating func fact(_ fact: Fact, _ flags: GFPTable) {
        string(fact.name)
        raw(":")
        value(fact.value, flags)
    }

    private mutating func value(_ value: FactValue, _ flags: GFPTable) {
        switch value {
        case .null: raw("null")
        case .number(let number): self.number(number)
        case .boolean(let truth): boolean(truth)
        case .text(let text): string(text)
        case .address(let address): self.address(address)
        case .bytes(let bytes): hexadecimal(bytes)
        case .gfp(let flagSet): gfp(flagSet, flags)
        case .list(let list):
            raw("[")
            var isFirst = true
            for element in list {
                if !isFirst { raw(",") }
                isFirst = false
                self.value(element, flags)
            }
            raw("]")
        case .facts(let facts): self.facts(facts, flags)
        }
    }

    /// Writes `{"text":"GFP_KERNEL","value":"0xcc0"}`.
    mutating func gfp(_ flagSet: GFPFlags, _ flags: GFPTable) {
        raw("{\"text\":")
        string(flags.text(of: flagSet))
        raw(",\"value\":")
        address(UInt64(flags.number(of: flagSet)))
        raw("}")
    }
}

private func zoneName(_ zone: ZoneType) -> StaticString {
    switch zone {
    case .dma: "DMA"
    case .dma32: "DMA32"
    case .normal: "Normal"
    case .highMem: "HighMem"
    case .movable: "Movable"
    case .device: "Device"
    }
}
