/// A file of an attribute's directory in debugfs, as `/sys/kernel/debug/failslab/probability`.
public enum FaultKnob: String, CaseIterable, Hashable, Sendable {
    case probability, interval, times, space, verbose
    case taskFilter = "task-filter"
    case ignoreGFPWait = "ignore-gfp-wait"
    case ignoreGFPHighmem = "ignore-gfp-highmem"
    case minOrder = "min-order"
    case cacheFilter = "cache-filter"

    /// The knobs that a site has.
    public static func knobs(of site: FaultSite) -> [FaultKnob] {
        let common: [FaultKnob] = [.probability, .interval, .times, .space, .taskFilter, .verbose]
        return switch site {
        case .slab: common + [.ignoreGFPWait, .cacheFilter]
        case .pages: common + [.ignoreGFPWait, .ignoreGFPHighmem, .minOrder]
        case .usercopy: common
        }
    }

    /// The name as a parameter of a call, and in JSON.
    public var parameter: String { String(rawValue.map { $0 == "-" ? "_" : $0 }) }

    /// What the knob stands at.
    public func value(of attribute: FaultAttribute) -> FactValue {
        switch self {
        case .probability: .count(attribute.probability)
        case .interval: .count(attribute.interval)
        case .times: .number(Int64(attribute.times))
        case .space: .number(Int64(attribute.space))
        case .verbose: .count(attribute.verbose)
        case .taskFilter: .boolean(attribute.isTaskFiltered)
        case .ignoreGFPWait: .boolean(attribute.ignoresWaiting)
        case .ignoreGFPHighmem: .boolean(attribute.ignoresHighMemory)
        case .minOrder: .count(UInt64(attribute.minOrder))
        case .cacheFilter: .boolean(attribute.filtersCaches)
        }
    }

    /// The file's text, with its line feed.
    public func text(of attribute: FaultAttribute) -> String {
        switch self {
        case .probability: "\(attribute.probability)\n"
        case .interval: "\(attribute.interval)\n"
        case .times: "\(attribute.times)\n"
        case .space: "\(attribute.space)\n"
        case .verbose: "\(attribute.verbose)\n"
        case .minOrder: "\(attribute.minOrder)\n"
        case .taskFilter: attribute.isTaskFiltered ? "Y\n" : "N\n"
        case .ignoreGFPWait: attribute.ignoresWaiting ? "Y\n" : "N\n"
        case .ignoreGFPHighmem: attribute.ignoresHighMemory ? "Y\n" : "N\n"
        case .cacheFilter: attribute.filtersCaches ? "Y\n" : "N\n"
        }
    }

    /// Turns the knob; numbers lose the bits that the kernel's type does not have.
    func set(_ word: UInt64, of attribute: inout FaultAttribute) {
        switch self {
        case .probability: attribute.probability = word
        case .interval: attribute.interval = word
        case .times: attribute.times = Int32(truncatingIfNeeded: word)
        case .space: attribute.space = Int32(truncatingIfNeeded: word)
        case .verbose: attribute.verbose = word
        case .minOrder:
            attribute.minOrder = UInt32(truncatingIfNeeded: word)
            attribute.choose(.order)
        case .taskFilter: attribute.isTaskFiltered = word != 0
        case .ignoreGFPWait:
            attribute.ignoresWaiting = word != 0
            attribute.choose(.waiting)
        case .ignoreGFPHighmem:
            attribute.ignoresHighMemory = word != 0
            attribute.choose(.highMemory)
        case .cacheFilter:
            attribute.filtersCaches = word != 0
            attribute.choose(.cache)
        }
    }

    /// Reads what a shell writes into the file: a number as of `kstrtoull()` or `kstrtoll()` with
    /// base 0, or a word for yes and no; one line feed may end it.
    ///
    /// - Returns: nil for what is refused with `-EINVAL`.
    func word(_ text: String) -> UInt64? {
        var text = text[...]
        if text.hasSuffix("\n") { text.removeLast() }
        switch self {
        case .taskFilter, .ignoreGFPWait, .ignoreGFPHighmem, .cacheFilter:
            return BootOptions.truth(text).map { $0 ? 1 : 0 }
        case .times, .space:
            guard text.hasPrefix("-") else { break }
            let magnitude = Self.number(text.dropFirst())
            return magnitude.flatMap { $0 <= 1 << 63 ? 0 &- $0 : nil }
        case .probability, .interval, .verbose, .minOrder: break
        }
        return Self.number(text.hasPrefix("+") ? text.dropFirst() : text)
    }

    /// Digits of C: hexadecimal behind `0x`, octal behind `0`.
    private static func number(_ text: Substring) -> UInt64? {
        // The initialisers take a sign, which stood before.
        guard let first = text.first, first.isHexDigit else { return nil }
        let lower = text.lowercased()
        if lower.hasPrefix("0x") {
            let digits = lower.dropFirst(2)
            return digits.first?.isHexDigit == true ? UInt64(digits, radix: 16) : nil
        }
        return UInt64(text, radix: first == "0" ? 8 : 10)
    }
}
