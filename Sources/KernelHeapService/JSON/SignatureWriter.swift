internal import KernelHeap

/// Writes what a kernel call takes and returns.
extension JSONWriter {
    mutating func function(_ signature: CallSignature) {
        raw("{\"name\":")
        string(signature.name)
        raw(",\"returns\":")
        string(signature.returns)
        raw(",\"summary\":")
        string(signature.summary)
        raw(",\"parameters\":")
        list(signature.parameters) { (json, parameter) in json.parameter(parameter) }
        raw("}")
    }

    private mutating func parameter(_ parameter: Parameter) {
        raw("{\"name\":")
        string(parameter.name)
        raw(",\"type\":")
        string(parameter.type.name)
        switch parameter.type {
        case .unsigned(let bits), .signed(let bits):
            raw(",\"bits\":")
            number(bits)
        case .names(let set):
            raw(",\"values\":")
            strings(set.names.map(\.name))
        case .gfp, .address, .page, .cache, .boolean, .bytes, .text, .addresses, .driver: break
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
        case .names: "flags"
        case .boolean: "boolean"
        case .bytes: "bytes"
        case .text: "string"
        case .addresses: "addresses"
        case .driver: "driver"
        }
    }
}
