/// A kernel function as a value: the C function's parameters are its properties.
///
/// A new function is one conforming struct, and one word in its family's list.
public protocol KernelCall: Sendable {
    static var signature: CallSignature { get }

    /// Takes the arguments in the order of the signature; the codec has checked types and ranges.
    init(_ arguments: borrowing CallArguments)

    /// Runs the function. Failures of the simulated kernel are results, never errors of ours.
    func run(on kernel: inout Kernel, in context: CallContext) -> CallResult
}

/// A registered kernel call, ready to be looked up by name.
public struct CallDescriptor: Sendable {
    public let signature: CallSignature
    /// Position in the registry; a small number for metrics tables.
    public let index: Int
    let run: @Sendable (borrowing CallArguments, inout Kernel, CallContext) -> CallResult
    /// The memory that the call asks for with given arguments; nil for calls that ask for none.
    let memoryRequest: (@Sendable (borrowing CallArguments) -> MemoryRequest?)?

    /// Whether an explanation of the call's failure tries out what would have succeeded.
    public var triesAlternatives: Bool { memoryRequest != nil }

    init<Call: KernelCall>(_ call: Call.Type, index: Int) {
        signature = Call.signature
        self.index = index
        if signature.isSystemCall {
            run = { arguments, kernel, context in
                guard context.canSleep else { return .notInProcessContext }
                return Call(arguments).run(on: &kernel, in: context)
            }
        } else {
            run = { arguments, kernel, context in Call(arguments).run(on: &kernel, in: context) }
        }
        if let asking = call as? any MemoryRequestingCall.Type {
            memoryRequest = { arguments in asking.memoryRequest(arguments) }
        } else {
            memoryRequest = nil
        }
    }
}

/// Every kernel call by name.
public enum CallRegistry {
    /// In the order of the families; `index` is the position.
    public static let all: [CallDescriptor] = {
        let families: [[any KernelCall.Type]] = [
            pageCalls, conversionCalls, kmallocCalls, reallocationCalls, duplicationCalls,
            cacheCalls, cacheObjectCalls, memoryCalls, stringCalls, stringSearchCalls,
            stringCopyCalls, processCalls, userSpaceCalls,
            memoryFileCalls, userModeCalls, userCopyCalls, uncheckedCopyCalls, userAccessCalls,
            userStringCalls, pagingCalls, segmentationCalls, descriptorCalls, sysctlCalls,
            vmallocCalls, highMemoryCalls, deviceCalls, driverModelCalls,
            managedMemoryCalls, managedActionCalls, dmaCalls, dmaMappingCalls, systemCalls,
            faultInjectionCalls,
            addressCalls, pageCacheCalls, reclaimCalls, contextCalls, lockCalls, taskScopeCalls,
            timeCalls, compactionCalls, cgroupCalls, kmemleakCalls,
        ]
        return families.joined().enumerated().map { index, call in
            CallDescriptor(call, index: index)
        }
    }()

    /// Maps a C function's name to its descriptor.
    public static let byName: [String: CallDescriptor] = Dictionary(
        all.map { ($0.signature.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )
}
