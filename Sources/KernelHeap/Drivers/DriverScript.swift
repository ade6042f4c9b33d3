/// What a driver does, as data: a list of steps for each of its methods.
///
/// A step calls a kernel function or returns. Its arguments are numbers or *variables*: what the
/// method was called with, and what earlier steps returned. Variables are the driver's own and keep
/// their values from one method to the next, as static ones in C do.
public struct DriverScript: Hashable, Sendable {
    /// No method has more steps.
    public static let maximumSteps = 32
    /// No driver has more variables besides those that methods are called with.
    public static let maximumVariables = 64

    /// By the method's `rawValue`; a method without steps is one that the driver does not have.
    private var steps: [[MethodStep]]
    /// The variables in the order of their numbers, `MethodParameter`s first.
    public var variables: [String]

    public init() {
        steps = Array(repeating: [], count: DeviceMethod.allCases.count)
        variables = MethodParameter.allCases.map(\.name)
    }

    /// The steps of a method; empty where the driver has none.
    public subscript(_ method: DeviceMethod) -> [MethodStep] {
        get { steps[method.rawValue] }
        set { steps[method.rawValue] = newValue }
    }

    /// Host memory that the script takes, in bytes.
    var heldBytes: Int {
        steps.joined().reduce(variables.count * 32) { $0 + $1.heldBytes }
    }
}

/// A method of a character device: of its driver or of its `struct file_operations`.
public enum DeviceMethod: Int, CaseIterable, Hashable, Sendable {
    case probe, remove, open, read, write, ioctl, release, llseek, poll, mmap
    /// What a callback does that the kernel is told to call, such as `devm_add_action()`'s.
    case action

    /// Those of a driver, which has names for them.
    public static let ofDriver: [DeviceMethod] = allCases.filter { $0 != .action }

    public var name: String { String(describing: self) }

    /// What the method is called with.
    public var parameters: [MethodParameter] {
        switch self {
        case .probe, .remove: [.dev]
        case .open, .release, .poll: [.file, .dev]
        case .read, .write: [.file, .buf, .count, .ppos, .dev]
        case .ioctl: [.file, .cmd, .arg, .dev]
        case .llseek: [.file, .offset, .whence, .dev]
        case .mmap: [.file, .vma, .vmStart, .vmEnd, .vmPageOffset, .dev]
        case .action: [.arg]
        }
    }
}

/// What the kernel hands to methods.
public enum MethodParameter: Int, CaseIterable, Hashable, Sendable {
    /// The address of the `struct file`.
    case file
    /// The user's buffer.
    case buf
    case count
    /// The address of the position, a `loff_t`.
    case ppos
    case cmd
    case arg
    /// What `lseek` was given.
    case offset
    case whence
    /// The area that is being mapped, as `remap_pfn_range` takes it, and members of it.
    case vma
    case vmStart
    case vmEnd
    case vmPageOffset
    /// The address of the `struct device`; 0 where a character device has none.
    case dev

    public var name: String {
        switch self {
        case .vmStart: "vm_start"
        case .vmEnd: "vm_end"
        case .vmPageOffset: "vm_pgoff"
        default: String(describing: self)
        }
    }
}

/// One step of a method.
public struct MethodStep: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Calls the function of an index in the registry; bindings replace words of the arguments.
        case call(Int, CallArguments, [MethodBinding], result: Int?)
        /// Ends the method with a value.
        case leave(MethodValue)
    }

    public var action: Action
    /// Without it the step is always taken.
    public var condition: MethodCondition?

    public init(_ action: Action, when condition: MethodCondition? = nil) {
        self.action = action
        self.condition = condition
    }

    /// Variables that it looks at, or passes on.
    var variablesRead: [Int] {
        var values = condition.map { [$0.left, $0.right] } ?? []
        switch action {
        case .leave(let value): values.append(value)
        case .call(_, _, let bindings, _): values += bindings.map(\.value)
        }
        return values.flatMap { [$0.first, $0.second] }.compactMap {
            if case .variable(let place) = $0 { place } else { nil }
        }
    }

    fileprivate var heldBytes: Int {
        guard case .call(_, let arguments, let bindings, _) = action else { return 128 }
        return 256 + bindings.count * 64 + arguments.payloadBytes
    }
}

/// An argument that is known only when the step runs.
public struct MethodBinding: Hashable, Sendable {
    public var argument: Int
    public var value: MethodValue

    public init(argument: Int, value: MethodValue) {
        self.argument = argument
        self.value = value
    }
}

/// A number that a step uses: one operand, or the sum or difference of two.
public struct MethodValue: Hashable, Sendable {
    public enum Operand: Hashable, Sendable {
        case constant(UInt64)
        /// By its place in `DriverScript.variables`.
        case variable(Int)
    }

    public var first: Operand
    public var second: Operand
    public var isDifference: Bool

    public init(
        _ first: Operand,
        _ second: Operand = .constant(0),
        isDifference: Bool = false
    ) {
        self.first = first
        self.second = second
        self.isDifference = isDifference
    }

    func value(_ variables: [UInt64]) -> UInt64 {
        func number(_ operand: Operand) -> UInt64 {
            switch operand {
            case .constant(let number): number
            case .variable(let place): place < variables.count ? variables[place] : 0
            }
        }
        // Wraps as C's unsigned arithmetic does.
        return isDifference ? number(first) &- number(second) : number(first) &+ number(second)
    }
}

/// When a step is taken: a comparison of signed numbers.
public struct MethodCondition: Hashable, Sendable {
    public enum Relation: String, CaseIterable, Hashable, Sendable {
        case equal = "=="
        case notEqual = "!="
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case less = "<"
        case greater = ">"
    }

    public var left: MethodValue
    public var relation: Relation
    public var right: MethodValue

    public init(_ left: MethodValue, _ relation: Relation, _ right: MethodValue) {
        self.left = left
        self.relation = relation
        self.right = right
    }

    func holds(_ variables: [UInt64]) -> Bool {
        let left = Int64(bitPattern: left.value(variables))
        let right = Int64(bitPattern: right.value(variables))
        return switch relation {
        case .equal: left == right
        case .notEqual: left != right
        case .lessOrEqual: left <= right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .greater: left > right
        }
    }
}

extension CallArguments: Hashable {
    public static func == (left: CallArguments, right: CallArguments) -> Bool {
        left.present == right.present && left.payloads == right.payloads
            && left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    public func hash(into hasher: inout Hasher) {
        for index in words.indices { hasher.combine(words[index]) }
        hasher.combine(present)
        hasher.combine(payloads)
    }

    /// Host memory that the payloads take, in bytes.
    fileprivate var payloadBytes: Int {
        payloads.reduce(0) { sum, payload in
            switch payload {
            case .bytes(let bytes): sum + bytes.count
            case .text(let text): sum + text.utf8.count
            case .words(let words): sum + words.count * 8
            case .driver(let script): sum + script.heldBytes
            }
        }
    }
}
