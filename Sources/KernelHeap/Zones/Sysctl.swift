/// The files under `/proc/sys` that a machine has, by the names that `sysctl` takes.
enum Sysctl: String, CaseIterable {
    case minFreeKilobytes = "vm.min_free_kbytes"
    case watermarkScaleFactor = "vm.watermark_scale_factor"
    case watermarkBoostFactor = "vm.watermark_boost_factor"
    case lowmemReserveRatio = "vm.lowmem_reserve_ratio"
    case perCPUHighFraction = "vm.percpu_pagelist_high_fraction"
    case swappiness = "vm.swappiness"
    case dirtyRatio = "vm.dirty_ratio"
    case dirtyBackgroundRatio = "vm.dirty_background_ratio"
    case panicOnOOM = "vm.panic_on_oom"
    case killsAllocatingTask = "vm.oom_kill_allocating_task"
    case dumpsTasks = "vm.oom_dump_tasks"
    case extfragThreshold = "vm.extfrag_threshold"
    case compactUnevictable = "vm.compact_unevictable_allowed"
    case panicOnWarning = "kernel.panic_on_warn"
    case panicOnOops = "kernel.panic_on_oops"

    /// A name with dots or slashes between its parts.
    init?(name: String) {
        let dotted = String(name.map { $0 == "/" ? "." : $0 })
        self.init(rawValue: dotted)
    }

    /// The values that the file takes; the vector takes any and reads what is below 1 as 0.
    var range: ClosedRange<Int> {
        switch self {
        case .minFreeKilobytes, .watermarkBoostFactor, .perCPUHighFraction: 0...Int(Int32.max)
        case .watermarkScaleFactor: 1...3_000
        case .swappiness: 0...200
        case .dirtyRatio, .dirtyBackgroundRatio: 0...100
        case .panicOnOOM: 0...2
        case .extfragThreshold: 0...1_000
        case .compactUnevictable, .panicOnWarning: 0...1
        case .killsAllocatingTask, .dumpsTasks, .panicOnOops: Int(Int32.min)...Int(Int32.max)
        case .lowmemReserveRatio: Int(Int32.min)...Int(Int32.max)
        }
    }
}

/// Numbers as they are written to a file of `/proc/sys`.
///
/// Follows `proc_dointvec_minmax()`, `kernel/sysctl.c`, 6.1: octal and hexadecimal count, what
/// stands behind the last wanted number is not looked at.
struct SysctlNumbers {
    private var rest: Substring.UTF8View

    /// A number has fewer characters than this.
    private static let lengthLimit = 21

    init(_ text: String) { rest = text[...].utf8 }

    /// The next number; nil where no valid one stands.
    mutating func next() -> Int? {
        rest = rest.drop { Self.isSpace($0) }
        let word = rest.prefix { !Self.isSpace($0) }
        rest = rest.dropFirst(word.count)
        guard !word.isEmpty, word.count < Self.lengthLimit else { return nil }
        return Self.number(word)
    }

    /// Whether nothing but white space is left.
    var isAtEnd: Bool { rest.allSatisfy(Self.isSpace) }

    private static func number(_ word: Substring.UTF8View) -> Int? {
        let isNegative = word.first == UInt8(ascii: "-")
        var digits = word.dropFirst(isNegative ? 1 : 0)
        guard let first = digits.first, isDigit(first) else { return nil }
        var radix = 10
        if first == UInt8(ascii: "0"), digits.count > 1 {
            let second = digits.dropFirst().first
            let isHexadecimal = second == UInt8(ascii: "x") || second == UInt8(ascii: "X")
            radix = isHexadecimal ? 16 : 8
            digits = digits.dropFirst(isHexadecimal ? 2 : 1)
        }
        guard let start = digits.first, start != UInt8(ascii: "+"), start != UInt8(ascii: "-"),
            let magnitude = Int(Substring(digits), radix: radix), magnitude <= 1 << 31
        else { return nil }
        let value = isNegative ? -magnitude : magnitude
        return value <= Int(Int32.max) ? value : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte >= 9 && byte <= 13
    }
}
