/// A call on a device of the driver model, which finds the device before it runs.
protocol DeviceCall: KernelCall {
    var device: DeviceArgument { get }

    /// Runs the call.
    ///
    /// - Parameters:
    ///   - place: of the device.
    ///   - kernel: the machine.
    ///   - context: of the caller.
    /// - Returns: what the function returns.
    func run(at place: Int, on kernel: inout Kernel, in context: CallContext) -> CallResult
}

extension DeviceCall {
    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult {
        guard let place = kernel.findDevice(device, in: context) else {
            return .noDevice(returning: Self.signature.returns)
        }
        return run(at: place, on: &kernel, in: context)
    }
}

let deviceParameter = Parameter("dev", .device, "The device: its name, or its struct device.")

extension CallResult {
    /// Where no device is; the machine may have died of it.
    ///
    /// - Parameter type: the function's C type.
    /// - Returns: -ENODEV for `int`, nothing for `void`, else NULL.
    static func noDevice(returning type: String) -> CallResult {
        let detail = CallDetail.facts([
            Fact("refused", .text("no device is there; device_register makes one"))
        ])
        switch type {
        case "void": return CallResult(.void, detail: detail)
        case "int":
            let value = ReturnValue.integer(-Int64(Errno.ENODEV.rawValue))
            return CallResult(value, errno: .ENODEV, detail: detail)
        default: return CallResult(.pointer(0), errno: .ENODEV, detail: detail)
        }
    }
}
