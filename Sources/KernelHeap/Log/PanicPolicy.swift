/// What stops the kernel that it would live through: `kernel/panic.c` and `mm/kasan/report.c`, 6.1.
struct PanicPolicy: Sendable {
    /// `kernel.panic_on_warn`, `kernel.panic_on_oops`: any number but 0 panics.
    var onWarning = 0
    var onOops = 0
    /// `kasan.fault=panic`.
    var onSanitizerReport = false

    init() {}

    /// Reads `panic_on_warn=`, `oops=` and `kasan.fault=`.
    ///
    /// - Parameters:
    ///   - options: the command line.
    ///   - isClassic: whether it is a kernel of 2.6, which knows `oops=` alone.
    init(_ options: BootOptions, isClassic: Bool) {
        onOops = options.value("oops") == "panic" ? 1 : 0
        guard !isClassic else { return }
        if let value = options.value("panic_on_warn") {
            var numbers = SysctlNumbers(String(value))
            onWarning = numbers.next() ?? 0
        }
        onSanitizerReport = options.value("kasan.fault") == "panic"
    }
}
