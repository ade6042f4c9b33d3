internal import Synchronization

/// Makes the struct that holds it stay where it is when it is borrowed.
///
/// The compiler passes a large struct to a method that only reads it as a copy on the stack: for a
/// kernel, some 3 KB at each such call. A type with a part that has an address of its own is passed
/// by its address instead.
struct InPlace: ~Copyable, Sendable {
    private let part = Atomic<UInt8>(0)

    init() {}
}
