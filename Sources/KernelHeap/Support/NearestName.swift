/// Finds the names that a misspelt one may have meant.
package enum NearestName {
    /// Longer input is not compared: it was no misspelling of a name.
    private static let maximumLength = 64

    /// At most three names within a third of the written length in edits, nearest first.
    package static func find(_ written: [UInt8], in names: [String]) -> [String] {
        guard !written.isEmpty, written.count <= maximumLength else { return [] }
        let pattern = lowercased(written)
        let limit = max(1, min(pattern.count / 3, 4))
        var near: [(name: String, distance: Int)] = []
        for name in names where abs(name.utf8.count - pattern.count) <= limit {
            let distance = editDistance(pattern, lowercased(Array(name.utf8)))
            if distance <= limit { near.append((name, distance)) }
        }
        near.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
        // What is much further away than the best is no help.
        let best = near.first?.distance ?? 0
        return near.prefix(3).filter { $0.distance <= best + 1 }.map(\.name)
    }

    /// The number of insertions, deletions and substitutions between two byte strings
    /// (Levenshtein), row by row.
    package static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, leftByte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, rightByte) in right.enumerated() {
                let substituted = diagonal + (leftByte == rightByte ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    }
}
