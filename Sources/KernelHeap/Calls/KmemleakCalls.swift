/// The leak detector.
let kmemleakCalls: [any KernelCall.Type] = [
    KmemleakScan.self, KmemleakClear.self, KmemleakNotLeak.self, KmemleakIgnore.self,
    KmemleakNoScan.self, KmemleakScanArea.self,
]

private let objectParameter = Parameter("ptr", .address, "Where the object begins.")

/// A scan: `echo scan > /sys/kernel/debug/kmemleak`.
struct KmemleakScan: KernelCall {
    static let signature = CallSignature(
        "kmemleak_scan",
        returns: "int",
        [
            Parameter(
                "min_age",
                .unsigned(bits: 32),
                "Milliseconds since the allocation; 5000 where left out.",
                optional: true
            )
        ],
        "Looks for objects that no pointer leads to; returns how many are new.",
        takesLong: true
    )

    var minimumAge: UInt64

    init(_ arguments: borrowing CallArguments) {
        minimumAge = arguments.has(0) ? UInt64(arguments.uint(0)) : Kmemleak.minimumAge
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let result = kernel.scanForLeaks(minimumAge: minimumAge)
        return CallResult(
            .integer(Int64(result.new)),
            detail: .facts([
                Fact("suspects", .number(Int64(result.suspects))),
                Fact("too_young", .number(Int64(result.tooYoung))),
                Fact("changed", .number(Int64(result.changed))),
                Fact("scanned_bytes", .count(result.scannedBytes)),
            ])
        )
    }
}

/// The call `echo clear > /sys/kernel/debug/kmemleak`.
struct KmemleakClear: KernelCall {
    static let signature = CallSignature(
        "kmemleak_clear",
        returns: "void",
        [],
        "Takes what was reported for no leak from now on."
    )

    init(_ arguments: borrowing CallArguments) {}

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let count = kernel.clearLeaks()
        return CallResult(.void, detail: .facts([Fact("cleared", .number(Int64(count)))]))
    }
}

/// The call `void kmemleak_not_leak(const void *ptr)`.
struct KmemleakNotLeak: KernelCall {
    static let signature = CallSignature(
        "kmemleak_not_leak",
        returns: "void",
        [objectParameter],
        "The object is no leak, and what it points to neither."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let complaint = "Trying to color unknown object at % as Grey"
        kernel.mark(address, else: complaint) { $0.isNoLeak = true }
        return .void
    }
}

/// The call `void kmemleak_ignore(const void *ptr)`.
struct KmemleakIgnore: KernelCall {
    static let signature = CallSignature(
        "kmemleak_ignore",
        returns: "void",
        [objectParameter],
        "The object is not reported, nor looked through."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let complaint = "Trying to color unknown object at % as Black"
        kernel.mark(address, else: complaint) { $0.isIgnored = true }
        return .void
    }
}

/// The call `void kmemleak_no_scan(const void *ptr)`.
struct KmemleakNoScan: KernelCall {
    static let signature = CallSignature(
        "kmemleak_no_scan",
        returns: "void",
        [objectParameter],
        "The object holds no pointers that count."
    )

    var address: UInt64

    init(_ arguments: borrowing CallArguments) { address = arguments.word(0) }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let complaint = "Not scanning unknown object at %"
        kernel.mark(address, else: complaint) { $0.isUnscanned = true }
        return .void
    }
}

/// The call `void kmemleak_scan_area(const void *ptr, size_t size, gfp_t gfp)`.
struct KmemleakScanArea: KernelCall {
    static let signature = CallSignature(
        "kmemleak_scan_area",
        returns: "void",
        [
            Parameter("ptr", .address, "Where the part begins."),
            Parameter("size", .size, "Bytes."),
            Parameter("gfp", .gfp, "How the allocation may behave."),
        ],
        "Of the object only such parts are looked through."
    )

    var address: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        address = arguments.word(0)
        size = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let object = kernel.leakObject(at: address) else {
            kernel.complainOfLeak("Adding scan area to unknown object at %", address)
            return .void
        }
        let room = object.address &+ object.size &- address
        guard size == .max & kernel.layout.addressMask || size <= room else {
            kernel.complainOfLeak("Scan area larger than object %", address)
            return .void
        }
        let part = address..<address &+ min(size, room)
        kernel.mark(object.address) { mark in
            if mark.areas.count < Kmemleak.Mark.areaLimit { mark.areas.append(part) }
        }
        return .void
    }
}
