/// A guided answer to a question that people ask: a machine, calls in steps, and text.
///
/// Each is a file of `Scenarios/Data`, built into the program.
struct Scenario: Sendable {
    let name: String
    /// The file: a JSON object.
    let document: [UInt8]

    init(_ name: String, _ document: [UInt8]) {
        self.name = name
        self.document = document
    }

    /// In the order in which they are shown.
    static let all: [Scenario] = [
        Scenario("order-10-fails", PackageResources.order_10_fails_json),
        Scenario("atomic-against-kernel", PackageResources.atomic_against_kernel_json),
        Scenario("copy-from-user-rest", PackageResources.copy_from_user_rest_json),
        Scenario("kmalloc-vmalloc-kvmalloc", PackageResources.kmalloc_vmalloc_kvmalloc_json),
        Scenario("zone-dma", PackageResources.zone_dma_json),
        Scenario("sleeping-in-atomic", PackageResources.sleeping_in_atomic_json),
        Scenario("double-free", PackageResources.double_free_json),
        Scenario("use-after-free", PackageResources.use_after_free_json),
        Scenario("slab-overflow", PackageResources.slab_overflow_json),
        Scenario("highmem-kmap", PackageResources.highmem_kmap_json),
        Scenario("fragmentation", PackageResources.fragmentation_json),
        Scenario("segmentation", PackageResources.segmentation_json),
        Scenario("stale-bytes", PackageResources.stale_bytes_json),
        Scenario("page-walk", PackageResources.page_walk_json),
        Scenario("copy-on-write", PackageResources.copy_on_write_json),
        Scenario("user-pointer", PackageResources.user_pointer_json),
        Scenario("hardened-usercopy", PackageResources.hardened_usercopy_json),
        Scenario("kmalloc-rounding", PackageResources.kmalloc_rounding_json),
        Scenario("vmalloc-guard", PackageResources.vmalloc_guard_json),
        Scenario("devm-lifetime", PackageResources.devm_lifetime_json),
        Scenario("leak", PackageResources.leak_json),
    ]

    static let names = NameTable(all.map(\.name))
}
