/// Running a driver's methods.
extension Kernel {
    /// What became of a method.
    struct MethodRun {
        /// What it returned; nil where the kernel died in it.
        var value: UInt64? = 0
        /// Each step that was taken, for the call's detail.
        var steps: [FactValue] = []
    }

    /// Runs the steps of a method one after another.
    ///
    /// - Parameters:
    ///   - method: of the driver; one without steps returns 0.
    ///   - major: the number of the device.
    ///   - parameters: what the kernel hands to the method.
    ///   - context: of the process that is in the kernel.
    /// - Returns: the value of the first return step, else 0.
    mutating func run(
        _ method: DeviceMethod,
        ofDevice major: Int,
        _ parameters: [(MethodParameter, UInt64)],
        in context: CallContext
    ) -> MethodRun {
        // By its number: others may be unregistered, or end with the last process that has them open,
        // wherever memory is asked for.
        guard let place = devices.device(major: major) else { return MethodRun() }
        let device = devices.devices[place]
        var variables = device.variables
        let parent = (MethodParameter.dev, device.parent)
        let run = runSteps(device.script[method], parameters + [parent], &variables, in: context)
        if let place = devices.device(major: major) {
            devices.devices[place].variables = variables
        }
        return run
    }

    /// Most methods that may be under way inside each other.
    private static let deepestMethod = 4

    /// Runs steps one after another, until one returns or the kernel dies.
    ///
    /// - Parameters:
    ///   - steps: of a method or a callback.
    ///   - parameters: what the kernel hands to it.
    ///   - variables: of the script, which the steps read and set.
    ///   - context: where it runs.
    /// - Returns: the value of the first return step, else 0.
    mutating func runSteps(
        _ steps: [MethodStep],
        _ parameters: [(MethodParameter, UInt64)],
        _ variables: inout [UInt64],
        in context: CallContext
    ) -> MethodRun {
        for (parameter, value) in parameters { variables[parameter.rawValue] = value }
        var run = MethodRun()
        guard devices.depth < Self.deepestMethod else {
            let text = "methods call each other \(Self.deepestMethod) deep, the most that is run"
            run.steps.append(.facts([Fact("refused", .text(text))]))
            return run
        }
        devices.depth += 1
        defer { devices.depth -= 1 }
        for step in steps {
            if !unchecked.isEmpty {
                for variable in step.variablesRead { unchecked.look(at: variable, in: sequence) }
            }
            if let condition = step.condition, !condition.holds(variables) { continue }
            switch step.action {
            case .leave(let value):
                run.value = value.value(variables)
                run.steps.append(.facts([Fact("return", returned(run.value ?? 0))]))
            case .call(let index, let arguments, let bindings, let result):
                let (deaths, copies) = (log.deaths, unchecked.total)
                let value = runStep(index, arguments, bindings, variables, context, &run)
                if let result {
                    variables[result] = value
                    if unchecked.total != copies { unchecked.keep(in: result) }
                }
                if log.deaths > deaths || contexts.hang != nil || isPanicked { run.value = nil }
            }
            if run.value == nil { break }
            if case .leave = step.action { break }
        }
        return run
    }

    /// Calls one kernel function for a method.
    private mutating func runStep(
        _ index: Int,
        _ arguments: CallArguments,
        _ bindings: [MethodBinding],
        _ variables: [UInt64],
        _ context: CallContext,
        _ run: inout MethodRun
    ) -> UInt64 {
        guard CallRegistry.all.indices.contains(index) else { return 0 }
        let call = CallRegistry.all[index]
        // One that runs methods could run this one again, without end.
        guard !call.signature.runsMethods else { return 0 }
        var arguments = arguments
        for binding in bindings {
            let parameter = call.signature.parameters[binding.argument]
            let word = narrowed(binding.value.value(variables), to: parameter)
            // The codec holds numbers that are written down to the same limit.
            if let maximum = parameter.maximum, word > maximum {
                let text = "\(parameter.name) is above \(maximum), the most that is run"
                run.steps.append(
                    .facts([Fact("call", .text(call.signature.name)), Fact("refused", .text(text))])
                )
                return 0
            }
            arguments.set(binding.argument, word: word)
        }
        // What the method maps for a short time decides how its next calls run.
        let isHeld = contexts.isHeld || highMemory.isHeld
        guard let now = isHeld ? enter(context) : context else { return 0 }
        let known = misuse.warnings.count
        let result = call.run(arguments, &self, now)
        var told = facts(of: call.signature, arguments, result)
        let found = misuse.warnings.dropFirst(known)
        if !found.isEmpty {
            told.append(Fact("warnings", .list(found.map { .text($0.name) })))
        }
        run.steps.append(.facts(told))
        return result.value.word
    }

    /// A variable's value as a parameter's C type takes it.
    private func narrowed(_ word: UInt64, to parameter: Parameter) -> UInt64 {
        let pointerMask = parameter.isFixedWidth ? UInt64.max : layout.addressMask
        return switch parameter.type {
        case .unsigned(let bits) where bits < 64: word & ((1 << UInt64(max(bits, 1))) - 1)
        case .signed(let bits) where bits == 32:
            UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: word)))
        case .address, .page, .cache, .lock, .device, .cString: word & pointerMask
        case .unsigned where layout.is32Bit: word & pointerMask
        default: word
        }
    }

    /// A step as the call's detail tells it.
    private func facts(
        of signature: CallSignature,
        _ arguments: CallArguments,
        _ result: CallResult
    ) -> [Fact] {
        var given: [Fact] = []
        for (index, parameter) in signature.parameters.enumerated() where arguments.has(index) {
            let word = arguments.word(index)
            switch parameter.type {
            case .address, .page, .device: given.append(Fact(parameter.name, .address(word)))
            case .cString:
                if case .address(let address)? = arguments.string(index) {
                    given.append(Fact(parameter.name, .address(address)))
                }
            case .unsigned: given.append(Fact(parameter.name, .number(Int64(clamping: word))))
            case .signed: given.append(Fact(parameter.name, .number(Int64(bitPattern: word))))
            case .boolean: given.append(Fact(parameter.name, .boolean(word != 0)))
            case .gfp:
                given.append(Fact(parameter.name, .gfp(arguments.gfp(index))))
            case .names, .bytes, .text, .addresses, .cache, .lock, .driver, .steps: break
            }
        }
        var facts = [Fact("call", .text(signature.name)), Fact("arguments", .facts(given))]
        facts.append(Fact("return", result.value.fact))
        if let errno = result.errno { facts.append(Fact("errno", .text(errno.name))) }
        if case .userCopy(let copy) = result.detail {
            facts.append(Fact("copied", .number(Int64(clamping: copy.copied))))
            if let fault = copy.fault {
                facts.append(
                    Fact(
                        "fault",
                        .facts([
                            Fact("address", .address(fault.address.rawValue)),
                            Fact("reason", .text(fault.reason.rawValue)),
                        ])
                    )
                )
            }
        }
        return facts
    }

    private func returned(_ value: UInt64) -> FactValue {
        let signed = Int64(bitPattern: value)
        return value > UInt64(Int64.max) && signed < -4_095 ? .address(value) : .number(signed)
    }
}

extension ReturnValue {
    /// As a register holds it.
    fileprivate var word: UInt64 {
        switch self {
        case .void: 0
        case .integer(let number): UInt64(bitPattern: number)
        case .unsigned(let number): number
        case .boolean(let isTrue): isTrue ? 1 : 0
        case .pointer(let address): address
        }
    }

    fileprivate var fact: FactValue {
        switch self {
        case .void: .null
        case .integer(let number): .number(number)
        case .unsigned(let number): .number(Int64(clamping: number))
        case .boolean(let isTrue): .boolean(isTrue)
        case .pointer(let address): .address(address)
        }
    }
}
