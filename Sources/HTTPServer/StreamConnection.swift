/// The sleeping and waking of one streamed response.
public final class StreamConnection: Sendable {
    /// Makes the server read the source again; safe from any thread, cheap when it is awake.
    public func wake() {}
}
