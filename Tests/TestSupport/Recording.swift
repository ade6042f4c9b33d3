public import Foundation

/// A recording of a real kernel that the tests hold the engine to.
public enum Recording {
    /// The bytes of a file below `Recordings/`, decompressed where the file is kept as `.gz`.
    public static func data(_ path: String) throws -> Data {
        try Data(bytes(path))
    }

    /// The same as `data(_:)`, as an array.
    public static func bytes(_ path: String) throws -> [UInt8] {
        let file = root.appendingPathComponent(path)
        let packed = file.appendingPathExtension("gz")
        guard FileManager.default.fileExists(atPath: packed.path) else {
            return try [UInt8](Data(contentsOf: file))
        }
        return try Inflate.contents(of: [UInt8](Data(contentsOf: packed)))
    }

    /// A whole recording of text.
    public static func text(_ path: String) throws -> String {
        try String(decoding: bytes(path), as: UTF8.self)
    }

    /// The names inside a folder of recordings, without `.gz`, sorted.
    public static func names(in folder: String) throws -> [String] {
        try FileManager.default
            .contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
            .map { $0.hasSuffix(".gz") ? String($0.dropLast(3)) : $0 }
            .sorted()
    }

    /// Recordings of x86_64 are JSON with keys in snake case.
    static func decode<Model: Decodable>(_ type: Model.Type, from path: String) throws -> Model {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data(path))
    }

    private static var root: URL { Bundle.module.bundleURL.appendingPathComponent("Recordings") }
}
