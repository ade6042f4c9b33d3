/// The caches of Debian's 6.1.0-50-686, from the recording `i386/686-1G-nomerge`.
///
/// Objects are smaller than on x86_64, and lines of the recorded processor have 32 bytes. What is
/// aligned to a line asks for no number of bytes here, as the line is the machine's.
extension BuiltinCaches {
    /// The caches of one 32-bit kernel in order of creation.
    static func caches(of kernel: I386) -> [SlabRequest] {
        var caches = firstI386 + allKmallocCaches
        if kernel.hasPAE && kernel.sharesKernelTables {
            caches.append(cache("pgd_cache", 32, 32, [.panic]))
        }
        for request in earlyI386 + lateI386 {
            if request.name == "bio-96" && !kernel.hasHighMemory { continue }
            var request = request
            if kernel.hasPAE, let size = sizesWithPAE[request.name] { request.size = size }
            caches.append(request)
        }
        return caches
    }

    /// Objects that are larger with wide page-table entries and bus addresses.
    private static let sizesWithPAE: [String: UInt64] = [
        "vm_area_struct": 80, "task_struct": 3_008, "sgpool-8": 192, "sgpool-16": 384,
        "sgpool-32": 768, "sgpool-64": 1_536, "sgpool-128": 3_072,
    ]

    /// The two caches that SLUB itself lives in, before `kmalloc()` works.
    static let firstI386: [SlabRequest] = [
        cache("kmem_cache", 140, 0, [.hardwareCacheAlign]),
        cache("kmem_cache_node", 32, 0, [.hardwareCacheAlign]),
    ]

    /// What the kernel's parts create while it starts, up to the point where drivers begin.
    static let earlyI386: [SlabRequest] = [
        cache("vmap_area", 32, 8, [.panic]),
        cache("mm_struct", 564, 0, [.hardwareCacheAlign, .panic, .account], usercopy: (188, 192)),
        cache("task_group", 384, 64),
        cache("radix_tree_node", 300, 8, [.reclaimAccount, .panic], constructor: true),
        cache("maple_node", 256, 256, [.panic]),
        cache("pool_workqueue", 256, 256, [.panic]),
        cache("ftrace_event_field", 36, 8, [.panic]),
        cache("trace_event_file", 52, 8, [.panic]),
        cache("perf_event", 848, 8, [.panic]),
        cache("Acpi-Namespace", 28, 8),
        cache("Acpi-State", 44, 8),
        cache("Acpi-Parse", 32, 8),
        cache("Acpi-ParseExt", 48, 8),
        cache("Acpi-Operand", 48, 8),
        cache("pid", 60, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("anon_vma", 52, 8, [.panic, .typesafeByRCU, .account], constructor: true),
        cache("anon_vma_chain", 32, 8, [.panic, .account]),
        cache("cred_jar", 128, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("task_struct", 2944, 64, [.panic, .account], usercopy: (2432, 512)),
        cache(
            "sighand_cache",
            1300,
            0,
            [.hardwareCacheAlign, .panic, .typesafeByRCU, .account],
            constructor: true
        ),
        cache("signal_cache", 728, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("files_cache", 256, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("fs_cache", 36, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("vm_area_struct", 72, 8, [.panic, .account]),
        cache("nsproxy", 36, 8, [.panic, .account]),
        cache("uts_namespace", 416, 8, [.panic, .account], usercopy: (0, 390)),
        cache("key_jar", 132, 0, [.hardwareCacheAlign, .panic]),
        cache("lsm_file_cache", 12, 8, [.panic]),
        cache("lsm_inode_cache", 16, 8, [.panic]),
        cache("iint_cache", 72, 8, [.panic], constructor: true),
        cache("net_namespace", 3264, 64, [.panic, .account]),
        cache("names_cache", 4096, 0, [.hardwareCacheAlign, .panic], usercopy: (0, 4096)),
        cache("dentry", 128, 8, [.reclaimAccount, .panic, .account], usercopy: (36, 36)),
        cache("inode_cache", 408, 8, [.reclaimAccount, .panic, .account], constructor: true),
        cache("filp", 160, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("mnt_cache", 168, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("kernfs_node_cache", 76, 8, [.panic]),
        cache("kernfs_iattrs_cache", 64, 8, [.panic]),
        cache("shmem_inode_cache", 480, 8, [.panic, .account], constructor: true),
        cache(
            "bdev_cache",
            968,
            0,
            [.hardwareCacheAlign, .reclaimAccount, .panic, .account],
            constructor: true
        ),
        cache("sigqueue", 48, 8, [.panic, .account]),
        cache("seq_file", 72, 8, [.panic, .account]),
        cache("proc_inode_cache", 448, 8, [.reclaimAccount, .panic, .account], constructor: true),
        cache("pde_opener", 20, 8, [.panic, .account]),
        cache("proc_dir_entry", 128, 8, [.panic], usercopy: (104, 24)),
        cache("taskstats", 416, 8, [.panic]),
        cache("task_delay_info", 124, 8, [.panic, .account]),
        cache("buffer_head", 60, 8, [.reclaimAccount, .panic]),
        cache("fsnotify_mark_connector", 24, 8, [.panic]),
        cache("file_lock_ctx", 28, 8, [.panic]),
        cache("file_lock_cache", 124, 8, [.panic]),
        cache("skbuff_head_cache", 192, 0, [.hardwareCacheAlign, .panic], usercopy: (24, 48)),
        cache("skbuff_fclone_cache", 392, 0, [.hardwareCacheAlign, .panic]),
        cache("skbuff_ext_cache", 136, 0, [.hardwareCacheAlign, .panic]),
        cache(
            "sock_inode_cache",
            576,
            0,
            [.hardwareCacheAlign, .reclaimAccount, .account],
            constructor: true
        ),
        cache("audit_buffer", 12, 8, [.panic]),
        cache("dmaengine-unmap-2", 24, 0, [.hardwareCacheAlign]),
        cache("iommu_iova", 20, 0, [.hardwareCacheAlign]),
        cache("uid_cache", 80, 0, [.hardwareCacheAlign, .panic]),
        cache("user_namespace", 412, 8, [.panic, .account]),
        cache("ksm_rmap_item", 32, 8),
        cache("ksm_stable_node", 32, 8),
        cache("ksm_mm_slot", 24, 8),
        cache("khugepaged_mm_slot", 56, 8),
        cache("bio_integrity_payload", 120, 0, [.hardwareCacheAlign, .panic]),
        cache("biovec-16", 192, 0, [.hardwareCacheAlign, .panic]),
        cache("biovec-64", 768, 0, [.hardwareCacheAlign, .panic]),
    ]

    /// What the rest of the kernel creates afterwards.
    static let lateI386: [SlabRequest] = [
        cache("biovec-128", 1536, 0, [.hardwareCacheAlign, .panic]),
        cache("biovec-max", 3072, 0, [.hardwareCacheAlign, .panic]),
        cache("bio-144", 144, 0, [.hardwareCacheAlign, .typesafeByRCU]),
        cache("blkdev_ioc", 52, 8, [.panic]),
        cache("request_queue", 552, 8, [.panic]),
        cache("request_queue_srcu", 756, 8, [.panic]),
        cache("sgpool-8", 160, 0, [.hardwareCacheAlign]),
        cache("sgpool-16", 320, 0, [.hardwareCacheAlign]),
        cache("sgpool-32", 640, 0, [.hardwareCacheAlign]),
        cache("sgpool-64", 1280, 0, [.hardwareCacheAlign]),
        cache("sgpool-128", 2560, 0, [.hardwareCacheAlign]),
        cache("inotify_inode_mark", 48, 8, [.panic, .account]),
        cache("eventpoll_epi", 64, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("eventpoll_pwq", 32, 8, [.panic, .account]),
        cache("ep_head", 8, 8, [.panic, .account]),
        cache("bio-188", 188, 0, [.hardwareCacheAlign, .typesafeByRCU]),
        cache("dquot", 156, 0, [.hardwareCacheAlign, .reclaimAccount, .panic]),
        cache("hugetlbfs_inode_cache", 416, 8, [.account], constructor: true),
        cache("TCP", 1768, 0, [.hardwareCacheAlign, .typesafeByRCU, .account]),
        cache("request_sock_TCP", 232, 8, [.typesafeByRCU, .account]),
        cache("tw_sock_TCP", 200, 8, [.typesafeByRCU, .account]),
        cache("UDP", 896, 0, [.hardwareCacheAlign, .account]),
        cache("RAW", 744, 0, [.hardwareCacheAlign, .account], usercopy: (736, 4)),
        cache("PING", 736, 0, [.hardwareCacheAlign, .account]),
        cache("ip_dst_cache", 120, 0, [.hardwareCacheAlign, .panic]),
        cache("ip_fib_alias", 36, 8, [.panic, .account]),
        cache("ip_fib_trie", 32, 8, [.panic, .account]),
        cache("xfrm_state", 540, 0, [.hardwareCacheAlign, .panic]),
        cache("xfrm_dst_cache", 208, 0, [.hardwareCacheAlign, .panic]),
        cache("inet_peer_cache", 128, 0, [.hardwareCacheAlign, .panic]),
        cache("tcp_bind_bucket", 52, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("tcp_bind2_bucket", 44, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("request_sock_subflow_v4", 288, 8, [.typesafeByRCU, .account]),
        cache("MPTCP", 1440, 0, [.hardwareCacheAlign, .typesafeByRCU, .account]),
        cache("UDP-Lite", 896, 0, [.hardwareCacheAlign, .account]),
        cache("ip_mrt_cache", 108, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("ip4-frags", 136, 8),
        cache("UNIX", 768, 0, [.hardwareCacheAlign, .account]),
        cache("UNIX-STREAM", 768, 0, [.hardwareCacheAlign, .account]),
        cache("posix_timers_cache", 164, 8, [.panic, .account]),
        cache("pid_namespace", 80, 8, [.panic, .account]),
        cache("audit_tree_mark", 48, 8, [.panic]),
        cache("fasync_cache", 32, 8, [.panic, .account]),
        cache("dio", 384, 64, [.panic]),
        cache("dnotify_struct", 20, 8, [.panic, .account]),
        cache("dnotify_mark", 48, 8, [.panic, .account]),
        cache("fsnotify_mark", 44, 8, [.panic, .account]),
        cache("fanotify_fid_event", 52, 8, [.panic]),
        cache("fanotify_path_event", 36, 8, [.panic]),
        cache("fanotify_perm_event", 44, 8, [.panic]),
        cache("userfaultfd_ctx_cache", 76, 0, [.hardwareCacheAlign, .panic], constructor: true),
        cache("aio_kiocb", 108, 0, [.hardwareCacheAlign, .panic]),
        cache("kioctx", 448, 64, [.hardwareCacheAlign, .panic]),
        cache("mqueue_inode_cache", 608, 0, [.hardwareCacheAlign, .account], constructor: true),
        cache("bio-208", 208, 0, [.hardwareCacheAlign, .typesafeByRCU]),
        cache("bio-96", 96, 0, [.hardwareCacheAlign, .typesafeByRCU]),
        cache("io_kiocb", 164, 0, [.hardwareCacheAlign, .panic, .account]),
        cache("btree_node", 128, 0, [.hardwareCacheAlign]),
        cache("TCPv6", 1880, 0, [.hardwareCacheAlign, .typesafeByRCU, .account]),
        cache("request_sock_TCPv6", 232, 8, [.typesafeByRCU, .account]),
        cache("tw_sock_TCPv6", 200, 8, [.typesafeByRCU, .account]),
        cache("UDPv6", 1024, 0, [.hardwareCacheAlign, .account]),
        cache("UDPLITEv6", 1024, 0, [.hardwareCacheAlign, .account]),
        cache("RAWv6", 896, 0, [.hardwareCacheAlign, .account], usercopy: (744, 32)),
        cache("PINGv6", 896, 0, [.hardwareCacheAlign, .account]),
        cache("ip6_mrt_cache", 132, 0, [.hardwareCacheAlign, .account]),
        cache("ip6_dst_cache", 156, 0, [.hardwareCacheAlign, .account]),
        cache("fib6_nodes", 40, 0, [.hardwareCacheAlign, .account]),
        cache("ip6-frags", 128, 8),
        cache("request_sock_subflow_v6", 288, 8, [.typesafeByRCU, .account]),
        cache("MPTCPv6", 1552, 0, [.hardwareCacheAlign, .typesafeByRCU, .account]),
        cache("zswap_entry", 36, 8),
        cache("fscrypt_info", 96, 8, [.reclaimAccount]),
        cache("fsverity_info", 240, 8, [.reclaimAccount], usercopy: (172, 64)),
    ]
}
