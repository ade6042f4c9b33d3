/// A loop that loads and stores the bytes of a string, and ends behind its NUL.
///
///     source    | s t r i n | g 0 ? ? |       what lies behind the NUL is not stored: a unit of more
///     target    | s t r i n | g 0 0 0 |       than one byte has zeros there
///
/// Bytes are moved in pieces that lie in one page on either side; what a piece stores and then loads
/// again, because the two overlap, comes out as if each unit were moved alone.
struct StringCopy {
    enum End {
        /// The NUL was stored.
        case terminated
        /// There was no NUL in the bytes that it may store.
        case exhausted
        case fault(PageFault, at: UInt64)
        case unfinished
    }

    let target: UInt64
    let source: UInt64
    let function: StaticString
    /// Bytes loaded so far.
    private(set) var loaded: UInt64 = 0
    /// Bytes stored so far.
    private(set) var stored: UInt64 = 0
    /// Bytes before the NUL, or all that were stored.
    private(set) var length: UInt64 = 0
    private(set) var end = End.exhausted
    private var isLoadReported = false
    private var isStoreReported = false
    private var isUseReported = false

    init(to target: UInt64, from source: UInt64, _ function: StaticString) {
        self.target = target
        self.source = source
        self.function = function
    }

    var isTerminated: Bool { if case .terminated = end { true } else { false } }
    /// Whether the loop came to its end: by itself, or by its count.
    var isOver: Bool {
        switch end {
        case .terminated, .exhausted: true
        case .fault, .unfinished: false
        }
    }

    /// Goes on for some bytes.
    ///
    /// - Parameters:
    ///   - count: bytes to store at most; of the unit's multiples the last one within it.
    ///   - unit: bytes that are moved at a time. None crosses a page of the source.
    ///   - kernel: the machine.
    ///   - context: of the caller.
    mutating func run(
        _ count: UInt64 = .max,
        unit: UInt64 = 1,
        on kernel: inout Kernel,
        in context: CallContext
    ) {
        var rest = count - count % unit
        while isOver, !isTerminated, rest > 0 {
            guard stored < Kernel.stringLimit else {
                end = .unfinished
                return
            }
            let before = stored
            move(atMost: rest, unit, on: &kernel, in: context)
            rest -= min(stored - before, rest)
        }
    }

    /// Moves one piece.
    private mutating func move(
        atMost count: UInt64,
        _ unit: UInt64,
        on kernel: inout Kernel,
        in context: CallContext
    ) {
        let mask = kernel.layout.addressMask
        let (from, to) = ((source &+ stored) & mask, (target &+ stored) & mask)
        let room = min(4096 - max(from % 4096, to % 4096), max(Kernel.firstPiece, stored))
        let most = min(count, room)
        // One unit may lie in two pages of the target.
        let isSplit = most < unit
        let size = isSplit ? unit : most - most % unit
        let gap = isSplit ? nil : kernel.gap(from: from, to: to, within: size, in: context)
        var (bytes, fault) = kernel.loadKernel(from, size, in: context)
        if let fault {
            check(1, unit, loadsOnly: true, on: &kernel, in: context)
            end = .fault(fault, at: from &+ UInt64(bytes.count))
            return
        }
        defer { loaded += UInt64(bytes.count) }
        if let gap { bytes.repeatStores(gap: Int(gap), unit: Int(unit)) }
        let place = bytes.firstIndex(of: 0)
        if let place {
            let behind = place / Int(unit) * Int(unit) + Int(unit)
            bytes.removeSubrange(behind...)
            for index in place..<behind { bytes[index] = 0 }
        }
        // What a word holds behind the NUL decides nothing.
        noteUse((place ?? bytes.count - 1) + 1, on: &kernel, in: context)
        check(UInt64(bytes.count), unit, loadsOnly: false, on: &kernel, in: context)
        if isSplit {
            let reach = kernel.reachableKernelBytes(to, unit, for: .kernelStore, in: context)
            if let fault = reach.fault {
                end = .fault(fault, at: to &+ reach.done)
                return
            }
        }
        let (done, stop) = kernel.storeKernel(to, bytes, in: context)
        length = stored + min(place.map(UInt64.init) ?? done, done)
        stored += done
        if let stop {
            end = .fault(stop, at: to &+ done)
        } else if place != nil {
            end = .terminated
        }
    }

    /// Asks the checkers about the loads and stores of a piece, in the order in which they are made.
    private mutating func check(
        _ count: UInt64,
        _ unit: UInt64,
        loadsOnly: Bool,
        on kernel: inout Kernel,
        in context: CallContext
    ) {
        guard kernel.isSanitized else { return }
        let loads = AccessRun(
            address: source &+ stored,
            length: count,
            unit: unit,
            asksFirstByte: unit > 1
        )
        let stores = AccessRun(address: target &+ stored, length: count, unit: unit)
        let badLoad = isLoadReported ? nil : kernel.firstWrong(loads)
        let badStore = isStoreReported || loadsOnly ? nil : kernel.firstWrong(stores)
        if let badLoad, badLoad <= badStore ?? .max { report(loads, on: &kernel, in: context) }
        if badStore != nil {
            isStoreReported = true
            kernel.checkRun(stores, isWrite: true, function, in: context)
        }
        if let badLoad, badLoad > badStore ?? .max { report(loads, on: &kernel, in: context) }
    }

    /// Whether a byte is the NUL is decided by it: nobody may have left it unwritten.
    private mutating func noteUse(
        _ count: Int,
        on kernel: inout Kernel,
        in context: CallContext
    ) {
        guard !isUseReported else { return }
        let use = Kernel.UnwrittenUse.decided(by: function)
        isUseReported = !kernel.checkUse(source &+ stored, UInt64(count), use, in: context)
    }

    private mutating func report(
        _ loads: AccessRun,
        on kernel: inout Kernel,
        in context: CallContext
    ) {
        isLoadReported = true
        guard loads.unit > 1 else {
            kernel.checkRun(loads, isWrite: false, function, in: context)
            return
        }
        guard let bad = kernel.firstWrong(loads) else { return }
        let place = loads.address &+ bad
        kernel.checkShadow(place, 1, isWrite: false, "read_word_at_a_time", in: context)
    }

    /// Stores zeros behind what was stored.
    ///
    /// - Parameters:
    ///   - count: bytes.
    ///   - kernel: the machine.
    ///   - context: of the caller.
    mutating func pad(_ count: UInt64, on kernel: inout Kernel, in context: CallContext) {
        let place = (target &+ stored) & kernel.layout.addressMask
        let most = min(count, Kernel.stringLimit)
        guard most > 0 else { return }
        let (done, stop) = kernel.setKernel(place, most, to: 0, in: context)
        let touched = stop == nil ? done : done + 1
        if !isStoreReported {
            let stores = AccessRun(address: place, length: touched)
            isStoreReported = !kernel.checkRun(stores, isWrite: true, function, in: context)
        }
        stored += done
        if let stop {
            end = .fault(stop, at: place &+ done)
        } else if done < count {
            end = .unfinished
        }
    }

    /// Stores the one NUL that a function adds.
    ///
    /// - Parameters:
    ///   - offset: of the byte in the target.
    ///   - kernel: the machine.
    ///   - context: of the caller.
    mutating func terminate(at offset: UInt64, on kernel: inout Kernel, in context: CallContext) {
        let place = (target &+ offset) & kernel.layout.addressMask
        if !isStoreReported {
            isStoreReported = !kernel.checkShadow(place, 1, isWrite: true, function, in: context)
        }
        let (done, stop) = kernel.storeKernel(place, [0], in: context)
        stored = max(stored, offset &+ done)
        if let stop { end = .fault(stop, at: place) }
    }
}

extension [UInt8] {
    /// Makes of a piece as it was what the loop loads, whose stores reach it a little ahead.
    ///
    /// - Parameters:
    ///   - gap: bytes from a load to the store of what it loaded.
    ///   - unit: bytes of a load.
    fileprivate mutating func repeatStores(gap: Int, unit: Int) {
        for index in indices where index >= gap && index - gap < index / unit * unit {
            self[index] = self[index - gap]
        }
    }
}

extension Kernel {
    /// How far behind its loads a piece is stored, where the stores reach bytes that it loads later.
    ///
    /// The two may be one page though their addresses are far apart.
    ///
    /// - Returns: nil where no store changes what is loaded later.
    fileprivate mutating func gap(
        from: UInt64,
        to: UInt64,
        within size: UInt64,
        in context: CallContext
    ) -> UInt64? {
        let (start, place) = (from % 4096, to % 4096)
        guard place > start, place - start < size else { return nil }
        guard from / 4096 != to / 4096 else { return place - start }
        let process = processIndex(context)
        guard case .success(let old) = translate(from, for: .kernelLoad, process: process),
            case .success(let new) = translate(to, for: .kernelStore, process: process),
            old == new, memoryFrame(old) != nil
        else { return nil }
        return place - start
    }

    /// Tells those who follow loads and stores of a copy that is over, and makes its result.
    ///
    /// - Parameters:
    ///   - copy: the loop.
    ///   - value: what the function returns, if it does.
    ///   - errno: the error that it returns.
    /// - Returns: that of an oops where a load or a store faulted.
    mutating func result(
        of copy: StringCopy,
        _ value: ReturnValue,
        errno: Errno? = nil
    ) -> CallResult {
        checkAccess(copy.source, copy.loaded, isWrite: false)
        checkAccess(copy.target, copy.stored, isWrite: true)
        let stored = Fact("stored", .count(copy.stored))
        switch copy.end {
        case .terminated, .exhausted:
            return CallResult(value, errno: errno, detail: .facts([stored]))
        case .fault(let fault, let place): return faultResult(fault, at: place, [stored])
        case .unfinished:
            return CallResult(.void, detail: .facts([stored, Fact("unfinished", .boolean(true))]))
        }
    }
}
