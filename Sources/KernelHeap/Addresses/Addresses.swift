/// A page frame number: physical address divided by the page size.
public struct PFN: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: PFN, right: PFN) -> Bool { left.rawValue < right.rawValue }

    /// The frame `pages` further on, wrapping like the kernel's unsigned arithmetic.
    @inlinable
    public func advanced(byPages pages: UInt64) -> PFN { PFN(rawValue: rawValue &+ pages) }
}

/// A physical address in bytes.
public struct PhysicalAddress: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: PhysicalAddress, right: PhysicalAddress) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The frame that holds the byte.
    @inlinable
    public var pfn: PFN { PFN(rawValue: rawValue >> 12) }
}

/// Any number that a client passes as a pointer; nothing is known about it yet.
public struct LinearAddress: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: LinearAddress, right: LinearAddress) -> Bool {
        left.rawValue < right.rawValue
    }

    public static let null = LinearAddress(rawValue: 0)
}
