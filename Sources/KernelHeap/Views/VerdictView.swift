/// The judgement on a run: what is wrong with the machine now, and what its calls did wrong.
///
/// Each part has a source in `Kernel.verdictSources`; a further one is a further element there.
public struct VerdictView: Hashable, Sendable {
    public var scope: VerdictScope
    public var sequence: UInt64
    public var isPanicked: Bool
    public var isHung: Bool
    /// Lists have at most so many items; the totals count all.
    public var parts: [VerdictPart]

    /// Whether nothing is wrong.
    public var isOK: Bool { !isPanicked && !isHung && parts.allSatisfy { $0.total == 0 } }
}

/// What is judged.
public struct VerdictScope: Hashable, Sendable {
    /// Which memory counts as leaked.
    public enum LeakRule: String, CaseIterable, Sendable {
        /// All that callers hold.
        case held
        /// Of what the leak detector knows, only what no pointer leads to; blocks of pages, which it
        /// does not know, as they are held.
        case unreferenced
    }

    /// The first call that is judged comes behind this one; 0 for the whole life of the machine.
    public var since: UInt64
    public var leakRule: LeakRule

    public init(since: UInt64 = 0, leakRule: LeakRule = .held) {
        self.since = since
        self.leakRule = leakRule
    }
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
        add(1, of: kind)
        return items.count < limit
    }

    /// Counts what is wrong, and keeps it where there is room.
    mutating func add(_ item: VerdictItem) {
        if count(item.kind) { items.append(item) }
    }

    /// Keeps an item that was counted.
    mutating func keep(_ item: VerdictItem) { items.append(item) }

    /// Counts what is not known singly any more.
    mutating func forget(_ kind: String, _ count: UInt64) {
        total &+= count
        forgotten &+= count
        add(count, of: kind)
    }

    private mutating func add(_ count: UInt64, of kind: String) {
        if let place = counts.firstIndex(where: { $0.kind == kind }) {
            counts[place].count &+= count
        } else {
            counts.append((kind, count))
        }
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
    /// Adds what is wrong because of calls in the scope.
    let collect:
        @Sendable (_ kernel: borrowing Kernel, _ scope: VerdictScope, _ part: inout VerdictPart) ->
            Void
}

extension Kernel {
    /// What a run is judged by, in the order of the document.
    static let verdictSources: [VerdictSource] = [
        VerdictSource(name: "leaks") { kernel, scope, part in
            kernel.collectLeaks(scope, into: &part)
        },
        VerdictSource(name: "reports") { kernel, scope, part in
            kernel.collectReports(since: scope.since, into: &part)
        },
        VerdictSource(name: "warnings") { kernel, scope, part in
            kernel.collectWarnings(since: scope.since, into: &part)
        },
        VerdictSource(name: "contexts") { kernel, scope, part in
            kernel.collectContexts(since: scope.since, into: &part)
        },
        VerdictSource(name: "unlooked") { kernel, scope, part in
            kernel.collectUnlooked(since: scope.since, into: &part)
        },
        VerdictSource(name: "devices") { kernel, scope, part in
            kernel.collectDevices(since: scope.since, into: &part)
            kernel.collectBusDevices(since: scope.since, into: &part)
        },
    ]

    /// Judges what the calls behind one have done.
    ///
    /// Costs what the machine holds.
    ///
    /// - Parameters:
    ///   - scope: which calls, and what counts as a leak.
    ///   - limit: most items of each part.
    /// - Returns: the parts of `verdictSources`.
    public func verdict(_ scope: VerdictScope = VerdictScope(), limit: Int) -> VerdictView {
        var verdict = VerdictView(
            scope: scope,
            sequence: sequence,
            isPanicked: isPanicked,
            isHung: contexts.hang != nil,
            parts: []
        )
        for source in Self.verdictSources {
            var part = VerdictPart(source.name, limit: limit)
            source.collect(self, scope, &part)
            verdict.parts.append(part)
        }
        return verdict
    }
}
