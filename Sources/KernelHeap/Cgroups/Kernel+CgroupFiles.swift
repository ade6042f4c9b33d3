/// What programs do with the files of `/sys/fs/cgroup`: groups are directories, limits are files.
extension Kernel {
    /// Bytes of a name of a group: `NAME_MAX`.
    private static let longestName = 255
    private static let longestPath = 4_096

    /// `mkdir()`: makes a group below one that there is.
    mutating func makeCgroup(_ path: String) -> Errno? {
        // A directory may be named with a slash behind it.
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let (parent, name) = splitPath(path), profile.platform != .classicI386 else {
            return .ENOENT
        }
        // Every directory has files of these names.
        let isFile = ["memory.", "cgroup."].contains { name.hasPrefix($0) }
        guard !name.isEmpty, !isFile else { return .EEXIST }
        guard path.utf8.count <= Self.longestPath, name.utf8.count <= Self.longestName else {
            return .ENAMETOOLONG
        }
        let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        guard isPlain else { return .EINVAL }
        guard name != ".", name != ".." else { return .EEXIST }
        guard let above = cgroups.group(at: parent) else { return .ENOENT }
        let whole = parent == "/" ? "/\(name)" : "\(parent)/\(name)"
        guard cgroups.group(at: whole) == nil else { return .EEXIST }
        let areas = swap.areas
        let made = cgroups.make(path: whole, parent: above) { group in
            areas.contains { $0.holdsPages(of: group) }
        }
        guard made != nil else { return .EAGAIN }
        slab.isAccounted = true
        return nil
    }

    /// `rmdir()`: removes a group without processes and groups in it; its pages stay charged until
    /// they are free.
    mutating func removeCgroup(_ path: String) -> Errno? {
        guard let group = cgroups.group(at: path) else { return .ENOENT }
        guard group > 0 else { return .EPERM }
        let hasProcesses = processes.contains { $0.isAlive && $0.cgroup == group }
        let hasGroups = cgroups.groups.contains { $0.parent == group && !$0.isRemoved }
        guard !hasProcesses, !hasGroups else { return .EBUSY }
        cgroups[group].isRemoved = true
        return nil
    }

    /// `write()` to a file of a group: `/a/memory.max`.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - text: what is written; white space around it counts for nothing.
    ///   - context: who writes, and waits until a lowered limit holds.
    /// - Returns: why not, or nil.
    mutating func writeCgroupFile(
        _ path: String,
        _ text: String,
        in context: CallContext
    ) -> Errno? {
        guard let (directory, file) = splitPath(path) else { return .ENOENT }
        guard let group = cgroups.group(at: directory) else { return .ENOENT }
        let value = text.drop { $0.isWhitespace }
        let end = value.lastIndex { !$0.isWhitespace }
        let word = end.map { String(value[...$0]) } ?? ""
        if file == "cgroup.procs" { return move(process: word, to: group, context) }
        if file == "memory.reclaim" { return reclaim(word, of: group, cpu: context.cpu) }
        if ["memory.stat", "cgroup.controllers"].contains(file) { return .EINVAL }
        // The root has neither limits nor a killer of its own.
        guard group > 0 else { return .ENOENT }
        switch file {
        case "memory.min": return setLimit(\.min, of: group, word)
        case "memory.low": return setLimit(\.low, of: group, word)
        case "memory.high":
            if let errno = setLimit(\.high, of: group, word) { return errno }
            shrink(group, to: cgroups[group].limits.high, mayKill: false, in: context)
            return nil
        case "memory.max":
            if let errno = setLimit(\.max, of: group, word) { return errno }
            shrink(group, to: cgroups[group].limits.max, mayKill: true, in: context)
            return nil
        case "memory.oom.group":
            guard word == "0" || word == "1" else { return .EINVAL }
            cgroups[group].isKilledWhole = word == "1"
            return nil
        case "memory.current", "memory.peak", "memory.events": return .EINVAL
        default: return .ENOENT
        }
    }

    /// The directory of a path and the last part of it; nil for paths that do not begin at the root.
    private func splitPath(_ path: String) -> (directory: String, last: String)? {
        guard path.utf8.first == UInt8(ascii: "/"), let slash = path.lastIndex(of: "/") else {
            return nil
        }
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        return (directory, String(path[path.index(after: slash)...]))
    }

    /// Moves a process; 0 is who writes.
    private mutating func move(
        process text: String,
        to group: Int,
        _ context: CallContext
    ) -> Errno? {
        guard let pid = Int(text), pid >= 0 else { return .EINVAL }
        guard let place = process(pid == 0 ? context.pid : pid) else { return .ESRCH }
        processes[place].cgroup = group
        return nil
    }

    /// `page_counter_memparse()`: `max`, or bytes, which are rounded down to pages.
    private mutating func setLimit(
        _ limit: WritableKeyPath<CgroupLimits, UInt64>,
        of group: Int,
        _ text: String
    ) -> Errno? {
        guard let pages = text == "max" ? .max : Self.pages(text) else { return .EINVAL }
        // `PAGE_COUNTER_MAX` and more is no limit.
        cgroups[group].limits[keyPath: limit] = pages < UInt64(Int64.max) / 4096 ? pages : .max
        return nil
    }

    private static func pages(_ text: String) -> UInt64? {
        BootOptions.bytes(text).map { $0 / 4096 }
    }

    /// A lowered limit takes what is above it, and by force where it may: `memory_max_write()`.
    private mutating func shrink(
        _ group: Int,
        to limit: UInt64,
        mayKill: Bool,
        in context: CallContext
    ) {
        var rounds = 16
        while cgroups[group].usage > limit, !isPanicked {
            let above = cgroups[group].usage - limit
            if rounds > 0 {
                if reclaim(in: group, wanted: above, .kernel, cpu: context.cpu) == 0 { rounds -= 1 }
                continue
            }
            guard mayKill, dyingProcess == nil, killInCgroup(group, .kernel, in: context) else {
                return
            }
        }
    }

    private mutating func reclaim(_ text: String, of group: Int, cpu: Int) -> Errno? {
        guard let wanted = Self.pages(text) else { return .EINVAL }
        var freed: UInt64 = 0
        var rounds = 16
        while freed < wanted, rounds > 0 {
            let some = UInt64(reclaim(in: group, wanted: wanted - freed, .kernel, cpu: cpu))
            freed &+= some
            if some == 0 { rounds -= 1 }
        }
        return freed < wanted ? .EAGAIN : nil
    }
}
