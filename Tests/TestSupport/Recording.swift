public import Foundation

/// A recording of a real kernel that the tests hold the engine to.
public enum Recording {
    /// The bytes of a file below `Recordings/`.
    public static func data(_ path: String) throws -> Data {
        try Data(contentsOf: Bundle.module.bundleURL.appendingPathComponent("Recordings/\(path)"))
    }
}
