/// Every owner that a slab object had, as far as the machine knows.
public struct ObjectBiography: Sendable {
    /// What lies at the address now; nil where it is no slab's.
    public var place: SlabPlace?
    /// Most events that the machine keeps; 0 where it keeps none, and knows the last one only.
    public var capacity: Int
    /// Older events of the object that were dropped, as far as they were counted.
    public var dropped: UInt64
    /// Events of all objects that were dropped; where there are any, this one's may be among them.
    public var droppedOfAll: UInt64
    /// Oldest first; at most `ObjectHistory.objectLimit` of each address.
    public var events: [ObjectEvent]
}

extension Kernel {
    /// Most events of one address that a history keeps.
    public static let biographyLimit = ObjectHistory.objectLimit

    /// The allocations and frees of the object at an address, oldest first.
    ///
    /// Frees and allocations of the very address count as well where it begins no object. A machine
    /// without a history knows the object's last one only.
    ///
    /// - Parameter address: any byte of the object.
    /// - Returns: the events, and how many are missing.
    public func biography(of address: LinearAddress) -> ObjectBiography {
        let place = slabPlace(at: address.rawValue)
        var biography = ObjectBiography(
            place: place,
            capacity: history?.capacity ?? 0,
            dropped: 0,
            droppedOfAll: history?.dropped ?? 0,
            events: []
        )
        let begin = place?.index == nil ? address : place?.begin ?? address
        guard let history else {
            if let place, place.index != nil, let call = place.call {
                let last = ObjectEvent(
                    address: begin,
                    isAllocation: place.isAllocated,
                    requested: place.requested.map { UInt16(clamping: $0) },
                    call: call
                )
                biography.events = [last]
            }
            return biography
        }
        (biography.events, biography.dropped) = history.events(at: begin.rawValue)
        if begin != address {
            let (odd, dropped) = history.events(at: address.rawValue)
            biography.events += odd
            biography.events.sort { $0.call < $1.call }
            biography.dropped &+= dropped
        }
        return biography
    }
}
