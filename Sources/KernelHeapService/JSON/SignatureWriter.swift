internal import KernelHeap

extension JSONWriter {
    /// Writes what a kernel call takes and returns.
    ///
    /// On 32-bit machines a `size_t` has 32 bits.
    mutating func function(_ signature: CallSignature, is32Bit: Bool) {
        raw("{\"name\":")
        string(signature.name)
        raw(",\"returns\":")
        string(signature.returns)
        raw(",\"summary\":")
        string(signature.summary)
        raw(",\"parameters\":")
        list(signature.parameters) { (json, parameter) in
            json.parameter(parameter, is32Bit: is32Bit)
        }
        raw("}")
    }

    private mutating func parameter(_ parameter: Parameter, is32Bit: Bool) {
        raw("{\"name\":")
        string(parameter.name)
        raw(",\"type\":")
        string(parameter.type.name)
        switch parameter.type {
        case .unsigned(let bits), .signed(let bits):
            raw(",\"bits\":")
            number(parameter.bits(is32Bit: is32Bit) ?? bits)
        case .names(let set):
            raw(",\"values\":")
            strings(set.names.map(\.name))
        case .gfp, .address, .page, .cache, .lock, .device, .boolean, .bytes, .text, .cString,
            .addresses,
            .driver, .steps:
            break
        }
        if let maximum = parameter.maximum {
            raw(",\"maximum\":")
            number(maximum)
        }
        raw(",\"optional\":")
        boolean(parameter.isOptional)
        raw(",\"summary\":")
        string(parameter.summary)
        raw("}")
    }
}

extension ParameterType {
    /// The type's name in `GET …/functions`.
    var name: String {
        switch self {
        case .unsigned: "unsigned"
        case .signed: "signed"
        case .gfp: "gfp"
        case .address: "address"
        case .page: "page"
        case .cache: "cache"
        case .lock: "lock"
        case .device: "device"
        case .names: "flags"
        case .boolean: "boolean"
        case .bytes: "bytes"
        case .text: "string"
        case .cString: "c_string"
        case .addresses: "addresses"
        case .driver: "driver"
        case .steps: "steps"
        }
    }
}
