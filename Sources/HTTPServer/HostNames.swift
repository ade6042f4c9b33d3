internal import Glibc

/// The names that this server answers to, against DNS rebinding.
///
/// A page on a hostile domain whose name suddenly resolves to this server's address still sends its
/// own domain in `Host`. Address literals cannot be rebound: they are all accepted when the
/// server listens on every address, since it does not know its own then.
struct HostNames: Sendable {
    private let names: [[UInt8]]
    private let acceptsLiterals: Bool

    init(bindHost: String, allowed: [String]) {
        var names = ["localhost", "127.0.0.1", "[::1]"] + allowed
        names.append(bindHost.contains(":") ? "[\(bindHost)]" : bindHost)
        self.names = names.map { Array($0.lowercased().utf8) }
        acceptsLiterals = ["0.0.0.0", "::", ""].contains(bindHost)
    }

    /// Whether the value of `Host`, a name with or without port, is one of ours.
    func accepts(_ host: UnsafeRawBufferPointer) -> Bool {
        if unsafe matches(host) { return true }
        guard let colon = unsafe host.lastIndex(of: UInt8(ascii: ":")) else { return false }
        let port = unsafe UnsafeRawBufferPointer(rebasing: host[(colon + 1)...])
        guard port.count <= 5, unsafe port.allSatisfy(ASCII.isDigit) else { return false }
        return unsafe matches(UnsafeRawBufferPointer(rebasing: host[..<colon]))
    }

    private func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        if unsafe name.starts(with: "127.".utf8) && Self.isIPv4(name) { return true }
        if unsafe acceptsLiterals && (Self.isIPv4(name) || Self.isIPv6(name)) { return true }
        return names.contains { unsafe ASCII.equal(name, $0) }
    }

    private static func isIPv4(_ name: UnsafeRawBufferPointer) -> Bool {
        guard (7...15).contains(name.count) else { return false }
        var address = in_addr()
        return unsafe inet_pton(AF_INET, String(decoding: name, as: UTF8.self), &address) == 1
    }

    private static func isIPv6(_ name: UnsafeRawBufferPointer) -> Bool {
        guard (4...48).contains(name.count), unsafe name[0] == UInt8(ascii: "["),
            unsafe name[name.count - 1] == UInt8(ascii: "]")
        else { return false }
        var address = in6_addr()
        let inner = unsafe name[1..<(name.count - 1)]
        return unsafe inet_pton(AF_INET6, String(decoding: inner, as: UTF8.self), &address) == 1
    }
}

/// Which other origins browsers may call from.
struct OriginPolicy: Sendable {
    enum Verdict {
        /// No `Origin`, or the server's own.
        case sameOrigin
        case allowed
        case refused
    }

    private let allowed: [[UInt8]]
    let allowsAny: Bool

    init(allowed: [String]) {
        self.allowed = allowed.map { Array($0.lowercased().utf8) }
        allowsAny = allowed.contains("*")
    }

    /// Whether answers depend on `Origin` at all.
    var isConfigured: Bool { !allowed.isEmpty }

    func verdict(origin: UnsafeRawBufferPointer?, host: UnsafeRawBufferPointer) -> Verdict {
        guard let origin = unsafe origin else { return .sameOrigin }
        if unsafe isSame(origin, host) { return .sameOrigin }
        if allowsAny || allowed.contains(where: { unsafe ASCII.equal(origin, $0) }) {
            return .allowed
        }
        return .refused
    }

    private func isSame(_ origin: UnsafeRawBufferPointer, _ host: UnsafeRawBufferPointer) -> Bool {
        for scheme in ["http://", "https://"] as [String]
        where origin.count == scheme.utf8.count + host.count {
            let name = unsafe origin[scheme.utf8.count...]
            if unsafe origin.starts(with: scheme.utf8) && name.elementsEqual(host) { return true }
        }
        return false
    }
}
