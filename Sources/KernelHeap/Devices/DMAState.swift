/// What devices reach.
struct DMAState: Sendable {
    var mappings = DMAMappingTable()
    /// Made when something first bounces; nil before, and where the machine has none.
    var pool: BouncePool?
    var hasSoughtPool = false

    var heldBytes: Int { mappings.heldBytes + (pool == nil ? 0 : BouncePool.heldBytes) }
}
