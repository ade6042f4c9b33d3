/// A file that makes calls fail when it is written to.
enum FaultFile: Hashable {
    /// Of an attribute's directory: `/sys/kernel/debug/failslab/probability`.
    case knob(FaultSite, FaultKnob)
    /// `/proc/<pid>/fail-nth`
    case failNth(pid: Int)
    /// `/proc/<pid>/make-it-fail`
    case makeItFail(pid: Int)

    private static let debug = "/sys/kernel/debug/"
    private static let processes = "/proc/"

    /// The file of a path, whose process may not be there; nil where no machine has such a file.
    ///
    /// - Parameters:
    ///   - path: a whole one, or one below `/sys/kernel/debug`.
    ///   - pid: the process that `/proc/self` is.
    init?(_ path: String, self pid: Int) {
        if path.hasPrefix(Self.processes) {
            let parts = Self.parts(path.dropFirst(Self.processes.count))
            guard parts.count == 2 else { return nil }
            let isSelf = parts[0] == "self"
            guard let number = isSelf ? pid : Int(parts[0]), isSelf || "\(number)" == parts[0]
            else { return nil }
            switch parts[1] {
            case "fail-nth": self = .failNth(pid: number)
            case "make-it-fail": self = .makeItFail(pid: number)
            default: return nil
            }
            return
        }
        let parts = Self.parts(path.dropFirst(path.hasPrefix(Self.debug) ? Self.debug.count : 0))
        guard parts.count == 2, let site = FaultSite(rawValue: String(parts[0])),
            let knob = FaultKnob(rawValue: String(parts[1])),
            FaultKnob.knobs(of: site).contains(knob)
        else { return nil }
        self = .knob(site, knob)
    }

    /// Paths near one that no file has, in the form that it has.
    ///
    /// - Parameters:
    ///   - path: as the caller wrote it.
    ///   - pid: the calling process.
    /// - Returns: a few names, else those of the same directory, else all directories with a file.
    static func names(near path: String, self pid: Int) -> [String] {
        let start = path.hasPrefix("/") ? debug : ""
        var names: [String] = []
        for site in FaultSite.allCases {
            let folder = start + site.rawValue + "/"
            let files = FaultKnob.knobs(of: site).map { folder + $0.rawValue }
            if path.hasPrefix(folder) { return near(path, files) ?? files }
            names += files
        }
        let own = ["fail-nth", "make-it-fail"].map { "\(processes)\(pid)/\($0)" }
        if path.hasPrefix(processes) { return near(path, own) ?? own }
        return near(path, names) ?? FaultSite.allCases.map { "\(start)\($0.rawValue)/probability" }
            + own
    }

    private static func near(_ path: String, _ names: [String]) -> [String]? {
        let found = NearestName.find(Array(path.utf8), in: names)
        return found.isEmpty ? nil : found
    }

    private static func parts(_ path: Substring) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }
}
