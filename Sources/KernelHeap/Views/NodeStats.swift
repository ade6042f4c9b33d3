/// Counters of a node: the `per-node stats` of `/proc/zoneinfo`, `enum node_stat_item`.
///
/// Pages, but for `nr_kernel_stack`, which is KiB, and event counts.
public enum NodeCounter: String, NamedCounter {
    case inactiveAnon = "nr_inactive_anon"
    case activeAnon = "nr_active_anon"
    case inactiveFile = "nr_inactive_file"
    case activeFile = "nr_active_file"
    case unevictable = "nr_unevictable"
    case slabReclaimable = "nr_slab_reclaimable"
    case slabUnreclaimable = "nr_slab_unreclaimable"
    case isolatedAnon = "nr_isolated_anon"
    case isolatedFile = "nr_isolated_file"
    case workingsetNodes = "workingset_nodes"
    case workingsetRefaultAnon = "workingset_refault_anon"
    case workingsetRefaultFile = "workingset_refault_file"
    case workingsetActivateAnon = "workingset_activate_anon"
    case workingsetActivateFile = "workingset_activate_file"
    case workingsetRestoreAnon = "workingset_restore_anon"
    case workingsetRestoreFile = "workingset_restore_file"
    case workingsetNodeReclaim = "workingset_nodereclaim"
    case anonPages = "nr_anon_pages"
    case mapped = "nr_mapped"
    case filePages = "nr_file_pages"
    case dirty = "nr_dirty"
    case writeback = "nr_writeback"
    case writebackTemp = "nr_writeback_temp"
    case shmem = "nr_shmem"
    case shmemHugePages = "nr_shmem_hugepages"
    case shmemPMDMapped = "nr_shmem_pmdmapped"
    case fileHugePages = "nr_file_hugepages"
    case filePMDMapped = "nr_file_pmdmapped"
    case anonTransparentHugePages = "nr_anon_transparent_hugepages"
    case vmscanWrite = "nr_vmscan_write"
    case vmscanImmediateReclaim = "nr_vmscan_immediate_reclaim"
    case dirtied = "nr_dirtied"
    case written = "nr_written"
    case throttledWritten = "nr_throttled_written"
    case kernelMiscReclaimable = "nr_kernel_misc_reclaimable"
    case follPinAcquired = "nr_foll_pin_acquired"
    case follPinReleased = "nr_foll_pin_released"
    case kernelStack = "nr_kernel_stack"
    case pageTablePages = "nr_page_table_pages"
    case secondaryPageTablePages = "nr_sec_page_table_pages"
    case swapCached = "nr_swapcached"
    case promoteSuccess = "pgpromote_success"
    case promoteCandidate = "pgpromote_candidate"

    /// Whether only kernels for machines of several nodes have it.
    public var needsNUMA: Bool { self == .promoteSuccess || self == .promoteCandidate }
}

/// The counters of one node.
public typealias NodeStats = CounterTable<NodeCounter>
