/// What devices reach.
struct DMAState: Sendable {
    var mappings = DMAMappingTable()
    /// Lines of the processor's cache that devices store into.
    var lines = DMACacheLines()
    /// Made when something first bounces; nil before, and where the machine has none.
    var pool: BouncePool?
    var hasSoughtPool = false

    var heldBytes: Int {
        mappings.heldBytes + lines.heldBytes + (pool == nil ? 0 : BouncePool.heldBytes)
    }
}
