/// Events of memory management since boot: the part of `/proc/vmstat` behind the page counters.
///
/// Follows `enum vm_event_item`, `include/linux/vm_event_item.h`, with the order and the options of
/// the recorded kernel. Pages, where the name says so, otherwise occurrences.
public enum VMEventCounter: String, NamedCounter {
    case pgpgin
    case pgpgout
    case pswpin
    case pswpout
    case pgallocDMA = "pgalloc_dma"
    case pgallocDMA32 = "pgalloc_dma32"
    case pgallocNormal = "pgalloc_normal"
    case pgallocMovable = "pgalloc_movable"
    case pgallocDevice = "pgalloc_device"
    case allocstallDMA = "allocstall_dma"
    case allocstallDMA32 = "allocstall_dma32"
    case allocstallNormal = "allocstall_normal"
    case allocstallMovable = "allocstall_movable"
    case allocstallDevice = "allocstall_device"
    case pgskipDMA = "pgskip_dma"
    case pgskipDMA32 = "pgskip_dma32"
    case pgskipNormal = "pgskip_normal"
    case pgskipMovable = "pgskip_movable"
    case pgskipDevice = "pgskip_device"
    case pgfree
    case pgactivate
    case pgdeactivate
    case pglazyfree
    case pgfault
    case pgmajfault
    case pglazyfreed
    case pgrefill
    case pgreuse
    case pgstealKswapd = "pgsteal_kswapd"
    case pgstealDirect = "pgsteal_direct"
    case pgdemoteKswapd = "pgdemote_kswapd"
    case pgdemoteDirect = "pgdemote_direct"
    case pgscanKswapd = "pgscan_kswapd"
    case pgscanDirect = "pgscan_direct"
    case pgscanDirectThrottle = "pgscan_direct_throttle"
    case pgscanAnon = "pgscan_anon"
    case pgscanFile = "pgscan_file"
    case pgstealAnon = "pgsteal_anon"
    case pgstealFile = "pgsteal_file"
    case zoneReclaimFailed = "zone_reclaim_failed"
    case pginodesteal
    case slabsScanned = "slabs_scanned"
    case kswapdInodesteal = "kswapd_inodesteal"
    case kswapdLowWmarkHitQuickly = "kswapd_low_wmark_hit_quickly"
    case kswapdHighWmarkHitQuickly = "kswapd_high_wmark_hit_quickly"
    case pageoutrun
    case pgrotated
    case dropPagecache = "drop_pagecache"
    case dropSlab = "drop_slab"
    case oomKill = "oom_kill"
    case numaPTEUpdates = "numa_pte_updates"
    case numaHugePTEUpdates = "numa_huge_pte_updates"
    case numaHintFaults = "numa_hint_faults"
    case numaHintFaultsLocal = "numa_hint_faults_local"
    case numaPagesMigrated = "numa_pages_migrated"
    case pgmigrateSuccess = "pgmigrate_success"
    case pgmigrateFail = "pgmigrate_fail"
    case thpMigrationSuccess = "thp_migration_success"
    case thpMigrationFail = "thp_migration_fail"
    case thpMigrationSplit = "thp_migration_split"
    case compactMigrateScanned = "compact_migrate_scanned"
    case compactFreeScanned = "compact_free_scanned"
    case compactIsolated = "compact_isolated"
    case compactStall = "compact_stall"
    case compactFail = "compact_fail"
    case compactSuccess = "compact_success"
    case compactDaemonWake = "compact_daemon_wake"
    case compactDaemonMigrateScanned = "compact_daemon_migrate_scanned"
    case compactDaemonFreeScanned = "compact_daemon_free_scanned"
    case htlbBuddyAllocSuccess = "htlb_buddy_alloc_success"
    case htlbBuddyAllocFail = "htlb_buddy_alloc_fail"
    case unevictablePgsCulled = "unevictable_pgs_culled"
    case unevictablePgsScanned = "unevictable_pgs_scanned"
    case unevictablePgsRescued = "unevictable_pgs_rescued"
    case unevictablePgsMlocked = "unevictable_pgs_mlocked"
    case unevictablePgsMunlocked = "unevictable_pgs_munlocked"
    case unevictablePgsCleared = "unevictable_pgs_cleared"
    case unevictablePgsStranded = "unevictable_pgs_stranded"
    case thpFaultAlloc = "thp_fault_alloc"
    case thpFaultFallback = "thp_fault_fallback"
    case thpFaultFallbackCharge = "thp_fault_fallback_charge"
    case thpCollapseAlloc = "thp_collapse_alloc"
    case thpCollapseAllocFailed = "thp_collapse_alloc_failed"
    case thpFileAlloc = "thp_file_alloc"
    case thpFileFallback = "thp_file_fallback"
    case thpFileFallbackCharge = "thp_file_fallback_charge"
    case thpFileMapped = "thp_file_mapped"
    case thpSplitPage = "thp_split_page"
    case thpSplitPageFailed = "thp_split_page_failed"
    case thpDeferredSplitPage = "thp_deferred_split_page"
    case thpSplitPMD = "thp_split_pmd"
    case thpScanExceedNonePTE = "thp_scan_exceed_none_pte"
    case thpScanExceedSwapPTE = "thp_scan_exceed_swap_pte"
    case thpScanExceedSharePTE = "thp_scan_exceed_share_pte"
    case thpSplitPUD = "thp_split_pud"
    case thpZeroPageAlloc = "thp_zero_page_alloc"
    case thpZeroPageAllocFailed = "thp_zero_page_alloc_failed"
    case thpSwpout = "thp_swpout"
    case thpSwpoutFallback = "thp_swpout_fallback"
    case balloonInflate = "balloon_inflate"
    case balloonDeflate = "balloon_deflate"
    case balloonMigrate = "balloon_migrate"
    case swapRa = "swap_ra"
    case swapRaHit = "swap_ra_hit"
    case ksmSwpinCopy = "ksm_swpin_copy"
    case cowKSM = "cow_ksm"
    case zswpin
    case zswpout
    case directMapLevel2Splits = "direct_map_level2_splits"
    case directMapLevel3Splits = "direct_map_level3_splits"
}
