/// The functions of `lib/string.c` that copy a string.
let stringCopyCalls: [any KernelCall.Type] = [
    Strcpy.self, Strncpy.self, Strlcpy.self, Strscpy.self, StrscpyPad.self, Strcat.self,
    Strncat.self, Strlcat.self,
]

private let targetParameter = Parameter("dest", .address, "Where to.")
private let sourceParameter = Parameter("src", .address, "The string.")
private let countParameter = Parameter("count", .size, "Bytes.", isWork: true)

/// The call `char *strcpy(char *dest, const char *src)`.
struct Strcpy: KernelCall {
    static let signature = CallSignature(
        "strcpy",
        returns: "char *",
        [targetParameter, sourceParameter],
        "Copies a string of kernel memory with its NUL, however long it is.",
        takesLong: true
    )

    var target: UInt64
    var source: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var copy = StringCopy(to: target, from: source, "strcpy")
        copy.run(on: &kernel, in: context)
        return kernel.result(of: copy, .pointer(target))
    }
}

/// The call `char *strncpy(char *dest, const char *src, size_t count)`.
struct Strncpy: KernelCall {
    static let signature = CallSignature(
        "strncpy",
        returns: "char *",
        [targetParameter, sourceParameter, countParameter],
        "Stores so many bytes: a string and zeros behind it, or its start without a NUL."
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        var copy = StringCopy(to: target, from: source, "strncpy")
        copy.run(count, on: &kernel, in: context)
        if copy.isTerminated { copy.pad(count - copy.stored, on: &kernel, in: context) }
        return kernel.result(of: copy, .pointer(target))
    }
}

/// The call `size_t strlcpy(char *dest, const char *src, size_t size)`.
struct Strlcpy: KernelCall {
    static let signature = CallSignature(
        "strlcpy",
        returns: "size_t",
        [targetParameter, sourceParameter, Parameter("size", .size, "Of dest.")],
        "Copies what fits of a string, with a NUL; reads all of it and returns its length.",
        takesLong: true
    )

    var target: UInt64
    var source: UInt64
    var size: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        size = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkString(source, in: context)
        if let end = kernel.unreturned(walk, from: source) { return end }
        let stored = Fact("stored", .count(size == 0 ? 0 : min(walk.length, size - 1) + 1))
        guard size > 0 else { return CallResult(.unsigned(walk.length), detail: .facts([stored])) }
        let end = kernel.storeString(
            to: target,
            from: source,
            min(walk.length, size - 1),
            "strlcpy",
            in: context
        )
        return end ?? CallResult(.unsigned(walk.length), detail: .facts([stored]))
    }
}

/// The call `ssize_t strscpy(char *dest, const char *src, size_t count)`.
struct Strscpy: KernelCall {
    static let signature = CallSignature(
        "strscpy",
        returns: "ssize_t",
        [targetParameter, sourceParameter, countParameter],
        "Copies what fits of a string, with a NUL; returns the bytes before that, or -E2BIG."
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.isClassic { return .laterFunction }
        var copy = StringCopy(to: target, from: source, "strscpy")
        guard copy.runInWords(count, on: &kernel, in: context) else { return .stringTooLong }
        return kernel.result(ofWords: copy)
    }
}

/// The call `ssize_t strscpy_pad(char *dest, const char *src, size_t count)`.
struct StrscpyPad: KernelCall {
    static let signature = CallSignature(
        "strscpy_pad",
        returns: "ssize_t",
        [targetParameter, sourceParameter, countParameter],
        "As strscpy, with zeros up to the last of the bytes."
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if kernel.isClassic { return .laterFunction }
        var copy = StringCopy(to: target, from: source, "strscpy")
        guard copy.runInWords(count, on: &kernel, in: context) else { return .stringTooLong }
        let result = kernel.result(ofWords: copy)
        guard copy.isTerminated, copy.length + 1 < count else { return result }
        let (start, rest) = (target &+ copy.length &+ 1, count - copy.length - 1)
        // A sanitizer's memset() does nothing that it has reported.
        guard kernel.checkShadow(start, rest, isWrite: true, "strscpy_pad", in: context) else {
            return result
        }
        let most = min(rest, Kernel.stringLimit)
        let (done, fault) = kernel.setKernel(start, most, to: 0, in: context)
        kernel.checkAccess(start, done, isWrite: true)
        let stored = [Fact("stored", .count(copy.length + 1 + done))]
        if let fault { return kernel.faultResult(fault, at: start &+ done, stored) }
        guard most == rest else { return .unfinished }
        return CallResult(result.value, detail: .facts(stored))
    }
}

/// The call `char *strcat(char *dest, const char *src)`.
struct Strcat: KernelCall {
    static let signature = CallSignature(
        "strcat",
        returns: "char *",
        [targetParameter, sourceParameter],
        "Copies a string behind another one, however long the two are.",
        takesLong: true
    )

    var target: UInt64
    var source: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let walk = kernel.walkBytes(target, "strcat", in: context) { $0 == 0 }
        if let end = kernel.unreturned(walk, from: target) { return end }
        var copy = StringCopy(to: target &+ walk.length, from: source, "strcat")
        copy.run(on: &kernel, in: context)
        return kernel.result(of: copy, .pointer(target))
    }
}

/// The call `char *strncat(char *dest, const char *src, size_t count)`.
struct Strncat: KernelCall {
    static let signature = CallSignature(
        "strncat",
        returns: "char *",
        [
            targetParameter, sourceParameter,
            Parameter("count", .size, "Bytes to copy, at most; a NUL comes behind.", isWork: true),
        ],
        "Copies the start of a string behind another one, and a NUL.",
        takesLong: true
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard count > 0 else { return CallResult(.pointer(target)) }
        let walk = kernel.walkBytes(target, "strncat", in: context) { $0 == 0 }
        if let end = kernel.unreturned(walk, from: target) { return end }
        var copy = StringCopy(to: target &+ walk.length, from: source, "strncat")
        copy.run(count, on: &kernel, in: context)
        if copy.isOver, !copy.isTerminated { copy.terminate(at: count, on: &kernel, in: context) }
        return kernel.result(of: copy, .pointer(target))
    }
}

/// The call `size_t strlcat(char *dest, const char *src, size_t count)`.
struct Strlcat: KernelCall {
    static let signature = CallSignature(
        "strlcat",
        returns: "size_t",
        [targetParameter, sourceParameter, Parameter("count", .size, "Of dest.")],
        "Copies what fits of a string behind another one; returns how long all would be.",
        takesLong: true
    )

    var target: UInt64
    var source: UInt64
    var count: UInt64

    init(_ arguments: borrowing CallArguments) {
        target = arguments.word(0)
        source = arguments.word(1)
        count = arguments.word(2)
    }

    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let before = kernel.walkString(target, in: context)
        if let end = kernel.unreturned(before, from: target) { return end }
        let walk = kernel.walkString(source, in: context)
        if let end = kernel.unreturned(walk, from: source) { return end }
        guard before.length < count else {
            kernel.log.bug(at: "lib/string.c", in: "strlcat", context)
            return .void
        }
        let room = count - before.length
        let end = kernel.storeString(
            to: target &+ before.length,
            from: source,
            min(walk.length, room - 1),
            "strlcat",
            in: context
        )
        let stored = Fact("stored", .count(min(walk.length, room - 1) + 1))
        let length = before.length + walk.length
        return end ?? CallResult(.unsigned(length), detail: .facts([stored]))
    }
}

extension CallResult {
    /// That of a function with too little room for a string.
    fileprivate static let stringTooLong = CallResult(
        .integer(-Int64(Errno.E2BIG.rawValue)),
        errno: .E2BIG
    )
}

extension StringCopy {
    /// Copies as `strscpy()` does: by words, in 6.1, where no load leaves the page of an unaligned
    /// string, and the rest byte by byte.
    ///
    /// - Parameters:
    ///   - count: of the target, in bytes.
    ///   - kernel: the machine.
    ///   - context: of the caller.
    /// - Returns: false where it refuses the count.
    fileprivate mutating func runInWords(
        _ count: UInt64,
        on kernel: inout Kernel,
        in context: CallContext
    ) -> Bool {
        guard count > 0 else { return false }
        guard count <= UInt64(Int32.max) else {
            kernel.log.warnOnce(at: "lib/string.c", in: "strscpy", site: "strscpy", context)
            return false
        }
        let word = kernel.layout.wordBytes
        let inPage = source % word == 0 ? count : min(count, 4096 - source % 4096)
        run(inPage, unit: word, on: &kernel, in: context)
        if isOver, !isTerminated { run(count - stored, on: &kernel, in: context) }
        if isOver, !isTerminated { terminate(at: count - 1, on: &kernel, in: context) }
        return true
    }
}

extension Kernel {
    fileprivate mutating func result(ofWords copy: StringCopy) -> CallResult {
        copy.isTerminated
            ? result(of: copy, .integer(Int64(clamping: copy.length)))
            : result(of: copy, .integer(-Int64(Errno.E2BIG.rawValue)), errno: .E2BIG)
    }

    /// Copies bytes that were looked at, and stores a NUL behind them.
    ///
    /// - Parameters:
    ///   - target: where to.
    ///   - source: where from.
    ///   - count: bytes in front of the NUL.
    ///   - function: whose code it is.
    ///   - context: of the caller.
    /// - Returns: the result of an oops; nil where all went well.
    fileprivate mutating func storeString(
        to target: UInt64,
        from source: UInt64,
        _ count: UInt64,
        _ function: StaticString,
        in context: CallContext
    ) -> CallResult? {
        // A sanitizer's memcpy() does nothing that it has reported.
        if checkShadow(source, count, isWrite: false, function, in: context),
            checkShadow(target, count, isWrite: true, function, in: context)
        {
            let copy = copyKernel(to: target, from: source, count, in: context)
            checkAccess(target, copy.done, isWrite: true)
            if let fault = copy.store { return faultResult(fault, at: target &+ copy.done) }
            if let fault = copy.load { return faultResult(fault, at: source &+ copy.done) }
        }
        let place = (target &+ count) & layout.addressMask
        checkShadow(place, 1, isWrite: true, function, in: context)
        let (_, fault) = storeKernel(place, [0], in: context)
        checkAccess(place, fault == nil ? 1 : 0, isWrite: true)
        return fault.map { faultResult($0, at: place) }
    }
}
