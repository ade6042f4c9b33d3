/// Callbacks for the end of a device.
let managedActionCalls: [any KernelCall.Type] = [
    DevmAddAction.self, DevmAddActionOrReset.self, DevmRemoveAction.self,
    DevmReleaseAction.self,
]

private let actionParameter = Parameter("action", .text, "The callback's name.")
private let dataParameter = Parameter(
    "data",
    .address,
    "What it is called with: $arg in its steps."
)
private let stepsParameter = Parameter(
    "steps",
    .steps,
    "What it does, as steps; without them nothing.",
    optional: true
)

/// A call `(dev, action, data)`, some with `steps`.
private protocol ActionCall: DeviceCall {
    var action: DevresAction { get }
    init(device: DeviceArgument, action: DevresAction)
}

extension ActionCall {
    init(_ arguments: borrowing CallArguments) {
        let name = String(arguments.text(1).prefix(64))
        self.init(
            device: arguments.device(0),
            action: DevresAction(name: name, data: arguments.word(2), script: arguments.driver(3))
        )
    }
}

/// The call `int devm_add_action(struct device *dev, void (*action)(void *), void *data)`.
struct DevmAddAction: ActionCall {
    static let signature = CallSignature(
        "devm_add_action",
        returns: "int",
        [deviceParameter, actionParameter, dataParameter, stepsParameter],
        "Has a callback called when the device's driver goes."
    )

    var device: DeviceArgument
    var action: DevresAction

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let isAdded = kernel.devmAddAction(place, action, from: "devm_add_action", in: context)
        return CallResult(isAdded ? .success(()) : .failure(.ENOMEM))
    }
}

/// The call `int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)`.
struct DevmAddActionOrReset: ActionCall {
    static let signature = CallSignature(
        "devm_add_action_or_reset",
        returns: "int",
        DevmAddAction.signature.parameters,
        "Has a callback called when the device's driver goes; where that cannot be, calls it now."
    )

    var device: DeviceArgument
    var action: DevresAction

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        let function = "devm_add_action_or_reset"
        if kernel.devmAddAction(place, action, from: function, in: context) {
            return CallResult(.success(()))
        }
        let run = kernel.runAction(action, in: context)
        var result = CallResult(.failure(.ENOMEM))
        result.detail = .facts([Fact("steps", .list(run.steps))])
        return result
    }
}

/// The call `void devm_remove_action(struct device *dev, void (*action)(void *), void *data)`.
struct DevmRemoveAction: ActionCall {
    static let signature = CallSignature(
        "devm_remove_action",
        returns: "void",
        [deviceParameter, actionParameter, dataParameter],
        "Takes a callback back; it is not called."
    )

    var device: DeviceArgument
    var action: DevresAction

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        if let index = kernel.managedAction(action.name, data: action.data, of: place) {
            kernel.destroyDevres(index, of: place, in: context)
        } else {
            kernel.warnAboutDevres("devm_remove_action", context)
        }
        return .void
    }
}

/// The call `void devm_release_action(struct device *dev, void (*action)(void *), void *data)`.
struct DevmReleaseAction: ActionCall {
    static let signature = CallSignature(
        "devm_release_action",
        returns: "void",
        [deviceParameter, actionParameter, dataParameter],
        "Calls a callback now, and not again."
    )

    var device: DeviceArgument
    var action: DevresAction

    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let index = kernel.managedAction(action.name, data: action.data, of: place) else {
            kernel.warnAboutDevres("devm_release_action", context)
            return .void
        }
        let release = kernel.releaseDevres(index, of: place, in: context)
        return CallResult(.void, detail: .facts(release.facts))
    }
}

extension CallResult {
    /// 0, or an error below it.
    fileprivate init(_ status: Result<Void, Errno>) {
        switch status {
        case .success: self.init(.integer(0))
        case .failure(let errno): self.init(.integer(-Int64(errno.rawValue)), errno: errno)
        }
    }
}
