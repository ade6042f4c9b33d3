/// The judgement on a run: what is wrong with the machine now, and what its calls did wrong.
///
/// Each part has a source in `Kernel.verdictSources`; a further one is a further element there.
public struct VerdictView: Hashable, Sendable {
    /// The first call that is judged comes behind this one.
    public var since: UInt64
    public var sequence: UInt64
    public var isPanicked: Bool
    public var isHung: Bool
    /// Lists have at most so many items; the totals count all.
    public var parts: [VerdictPart]

    /// Whether nothing is wrong.
    public var isOK: Bool { !isPanicked && !isHung && parts.allSatisfy { $0.total == 0 } }
}

/// One kind of thing that may be wrong after a run.
public struct VerdictPart: Hashable, Sendable {
    /// The member's name in JSON: `leaks`.
    public var name: String
    public private(set) var total: UInt64 = 0
    /// How many of each kind, in the order in which the kinds came.
    public private(set) var counts: [(kind: String, count: UInt64)] = []
    /// The first ones.
    public private(set) var items: [VerdictItem] = []
    /// Further ones that are not known singly any more.
    public private(set) var forgotten: UInt64 = 0
    private let limit: Int

    init(_ name: String, limit: Int) {
        self.name = name
        self.limit = limit
    }

    /// Counts what is wrong.
    ///
    /// - Returns: whether the list has room for it.
    mutating func count(_ kind: String) -> Bool {
        total &+= 1
        if let place = counts.firstIndex(where: { $0.kind == kind }) {
            counts[place].count &+= 1
        } else {
            counts.append((kind, 1))
        }
        return items.count < limit
    }

    /// Counts what is wrong, and keeps it where there is room.
    mutating func add(_ item: VerdictItem) {
        if count(item.kind) { items.append(item) }
    }

    /// Keeps an item that was counted.
    mutating func keep(_ item: VerdictItem) { items.append(item) }

    mutating func forget(_ count: UInt64) {
        total &+= count
        forgotten &+= count
    }

    public static func == (left: VerdictPart, right: VerdictPart) -> Bool {
        left.name == right.name && left.total == right.total && left.items == right.items
            && left.forgotten == right.forgotten
            && left.counts.elementsEqual(right.counts) {
                $0.kind == $1.kind && $0.count == $1.count
            }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(total)
        hasher.combine(items)
    }
}

/// One thing that is wrong.
public struct VerdictItem: Hashable, Sendable {
    public var kind: String
    /// The call that did it; nil where nobody knows.
    public var call: UInt64?
    /// In one sentence, or the kernel's own line.
    public var text: String
    public var facts: [Fact] = []
}

/// Where a part of the verdict comes from.
struct VerdictSource: Sendable {
    let name: String
    /// Adds what is wrong because of calls behind `since`.
    let collect:
        @Sendable (_ kernel: borrowing Kernel, _ since: UInt64, _ part: inout VerdictPart) -> Void
}

extension Kernel {
    /// What a run is judged by, in the order of the document.
    static let verdictSources: [VerdictSource] = [
        VerdictSource(name: "leaks") { kernel, since, part in
            kernel.collectLeaks(since: since, into: &part)
        },
        VerdictSource(name: "reports") { kernel, since, part in
            kernel.collectReports(since: since, into: &part)
        },
        VerdictSource(name: "warnings") { kernel, since, part in
            kernel.collectWarnings(since: since, into: &part)
        },
        VerdictSource(name: "contexts") { kernel, since, part in
            kernel.collectContexts(since: since, into: &part)
        },
        VerdictSource(name: "unlooked") { kernel, since, part in
            kernel.collectUnlooked(since: since, into: &part)
        },
        VerdictSource(name: "devices") { kernel, since, part in
            kernel.collectDevices(since: since, into: &part)
            kernel.collectBusDevices(since: since, into: &part)
        },
    ]

    /// Judges what the calls behind one have done.
    ///
    /// Costs what the machine holds.
    ///
    /// - Parameters:
    ///   - since: the last call that is not judged; 0 for the whole life of the machine.
    ///   - limit: most items of each part.
    /// - Returns: the parts of `verdictSources`.
    public func verdict(since: UInt64 = 0, limit: Int) -> VerdictView {
        var verdict = VerdictView(
            since: since,
            sequence: sequence,
            isPanicked: isPanicked,
            isHung: contexts.hang != nil,
            parts: []
        )
        for source in Self.verdictSources {
            var part = VerdictPart(source.name, limit: limit)
            source.collect(self, since, &part)
            verdict.parts.append(part)
        }
        return verdict
    }
}
