import Testing

@testable import KernelHeap

/// A machine with one of everything that the table of contexts names.
final class ContextMachine {
    let machine: CallMachine
    private var objects: [String: UInt64] = [:]

    /// How a sequence enters the table's columns.
    static let columns: [(name: String, enters: String?)] = [
        ("process", nil), ("lock held", "spin_lock"), ("bh off", "local_bh_disable"),
        ("softirq", "softirq_handle_begin"), ("hardirq", "irq_enter"), ("NMI", "nmi_enter"),
        ("irqs off", "local_irq_disable"), ("reader", "rcu_read_lock"),
    ]

    init(profile: String, options: String = "") throws {
        var description = MachineDescription()
        description.profile = profile
        description.bootOptions = options
        machine = try CallMachine(description)
        let gfpKernel = CallMachine.Argument.word(UInt64(GFPFlags.kernel.rawValue))
        objects["$area"] = try machine.call("vmalloc", 8_192).word
        objects["$object"] = try machine.call("kmalloc", 64, gfpKernel).word
        objects["$page"] = try machine.call("alloc_pages", gfpKernel, 0).word
        let user = try machine.call("mmap", 0, 4_096, 3, 0x22).word
        objects["$user"] = user
        try machine.call("user_write", .word(user), .bytes([1]))
        objects["$cache"] = try machine.call("kmem_cache_create", "lab", 64, 0, 0).word
        let page = try #require(objects["$page"])
        objects["$map"] = try machine.call("vmap", .words([page]), 1, 4).word
    }

    /// Runs a line such as `kmalloc size=64 flags=GFP_KERNEL`.
    func run(_ line: Substring, in kind: CallContext.Kind = .process) throws -> CallOutcome {
        let words = line.split(separator: " ")
        let name = String(try #require(words.first))
        let descriptor = try #require(CallRegistry.byName[name], "\(name)")
        let parameters = descriptor.signature.parameters
        var arguments = [CallMachine.Argument](repeating: .absent, count: parameters.count)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            let index = try #require(
                parameters.firstIndex { $0.name == parts[0] },
                "\(name) has no \(parts[0])"
            )
            arguments[index] = argument(parts[1], parameters[index].type)
        }
        return try machine.call(name, arguments, in: kind)
    }

    private func argument(_ text: Substring, _ type: ParameterType) -> CallMachine.Argument {
        let flags: [Substring: GFPFlags] = [
            "GFP_KERNEL": .kernel, "GFP_ATOMIC": .atomic, "GFP_NOWAIT": .noWait,
            "GFP_NOFS": [.reclaim, .io],
        ]
        if let flags = flags[text] { return .word(UInt64(flags.rawValue)) }
        if let object = objects[String(text)] { return .word(object) }
        if text.hasPrefix("0x") { return .word(UInt64(text.dropFirst(2), radix: 16) ?? 0) }
        if let number = UInt64(text) { return .word(number) }
        return .text(String(text))
    }

    /// The table's word for what a call came to.
    func word(for outcome: CallOutcome) -> String {
        func says(_ text: String) -> Bool { outcome.log.contains { $0.contains(text) } }
        if machine.kernel.hangReason != nil { return "hangs" }
        if says("kernel BUG at") { return "BUG" }
        if says("BUG: sleeping function called from invalid context") { return "report" }
        if says("BUG: scheduling while atomic") { return "schedules" }
        if says("Voluntary context switch") { return "warns" }
        if outcome.fact("refused") != nil { return "refused" }
        if !machine.kernel.vmalloc.deferred.isEmpty { return "later" }
        return outcome.log.isEmpty ? "ok" : "something else: \(outcome.log.first ?? "")"
    }
}
