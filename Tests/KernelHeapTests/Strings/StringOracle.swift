/// The functions of `lib/string.c` over an array, byte by byte.
///
/// A load or store outside the array ends a function: what the machine would do there lies in memory
/// of which the array knows nothing.
struct StringOracle {
    struct Outside: Error {}

    /// What a function returns.
    enum Value: Equatable {
        /// A place in the array; nil for NULL.
        case place(Int?)
        case number(Int)
    }

    var bytes: [UInt8]
    /// Of an `unsigned long`.
    let word: Int
    /// Loads and stores; a loop that never ends makes too many.
    private var steps = 0

    init(_ bytes: [UInt8], word: Int) {
        self.bytes = bytes
        self.word = word
    }

    private mutating func load(_ index: Int) throws -> UInt8 {
        guard bytes.indices.contains(index) else { throw Outside() }
        return bytes[index]
    }

    private mutating func store(_ index: Int, _ byte: UInt8) throws {
        guard bytes.indices.contains(index) else { throw Outside() }
        bytes[index] = byte
    }

    mutating func length(_ start: Int, _ count: Int = .max) throws -> Int {
        var length = 0
        while length < count, try load(start + length) != 0 { length += 1 }
        return length
    }

    // MARK: Copies

    mutating func strcpy(_ to: Int, _ from: Int) throws -> Value {
        var index = 0
        while true {
            let byte = try load(from + index)
            try store(to + index, byte)
            if byte == 0 { return .place(to) }
            index += 1
        }
    }

    mutating func strncpy(_ to: Int, _ from: Int, _ count: Int) throws -> Value {
        var next = from
        for index in 0..<count {
            let byte = try load(next)
            try store(to + index, byte)
            if byte != 0 { next += 1 }
        }
        return .place(to)
    }

    mutating func strlcpy(_ to: Int, _ from: Int, _ size: Int) throws -> Value {
        let length = try length(from)
        guard size > 0 else { return .number(length) }
        let kept = min(length, size - 1)
        try move(to, from, kept)
        try store(to + kept, 0)
        return .number(length)
    }

    mutating func strscpy(_ to: Int, _ from: Int, _ count: Int, base: Int) throws -> Value {
        guard count > 0 else { return .number(-7) }
        var most = count
        if (base + from) % word != 0 { most = min(most, 4_096 - (base + from) % 4_096) }
        var done = 0
        while most - done >= word {
            var loaded: [UInt8] = []
            for index in 0..<word { loaded.append(try load(from + done + index)) }
            let end = loaded.firstIndex(of: 0)
            for index in 0..<word {
                try store(to + done + index, index < end ?? word ? loaded[index] : 0)
            }
            if let end { return .number(done + end) }
            done += word
        }
        while done < count {
            let byte = try load(from + done)
            try store(to + done, byte)
            if byte == 0 { return .number(done) }
            done += 1
        }
        try store(to + count - 1, 0)
        return .number(-7)
    }

    mutating func strscpyPad(_ to: Int, _ from: Int, _ count: Int, base: Int) throws -> Value {
        let result = try strscpy(to, from, count, base: base)
        if case .number(let length) = result, length >= 0, length < count {
            for index in length..<count { try store(to + index, 0) }
        }
        return result
    }

    mutating func strcat(_ to: Int, _ from: Int) throws -> Value {
        let length = try length(to)
        _ = try strcpy(to + length, from)
        return .place(to)
    }

    mutating func strncat(_ to: Int, _ from: Int, _ count: Int) throws -> Value {
        guard count > 0 else { return .place(to) }
        let end = try to + length(to)
        for index in 0..<count {
            let byte = try load(from + index)
            try store(end + index, byte)
            if byte == 0 { return .place(to) }
        }
        try store(end + count, 0)
        return .place(to)
    }

    /// - Returns: nil for a BUG.
    mutating func strlcat(_ to: Int, _ from: Int, _ count: Int) throws -> Value? {
        let (before, length) = try (length(to), length(from))
        guard before < count else { return nil }
        let kept = min(length, count - before - 1)
        try move(to + before, from, kept)
        try store(to + before + kept, 0)
        return .number(before + length)
    }

    mutating func move(_ to: Int, _ from: Int, _ count: Int) throws {
        var loaded: [UInt8] = []
        for index in 0..<count { loaded.append(try load(from + index)) }
        for index in 0..<count { try store(to + index, loaded[index]) }
    }

    // MARK: Searches

    mutating func compare(_ left: Int, _ right: Int, _ count: Int, isString: Bool) throws -> Value {
        for index in 0..<count {
            let (one, other) = try (load(left + index), load(right + index))
            if one != other {
                return .number(isString ? (one < other ? -1 : 1) : Int(one) - Int(other))
            }
            if isString, one == 0 { break }
        }
        return .number(0)
    }

    mutating func strchr(_ start: Int, _ byte: UInt8, _ count: Int = .max) throws -> Value {
        var index = 0
        while index < count {
            let this = try load(start + index)
            if this == byte { return .place(start + index) }
            if this == 0 { break }
            index += 1
        }
        return .place(nil)
    }

    mutating func strrchr(_ start: Int, _ byte: UInt8) throws -> Value {
        let length = try length(start)
        for index in stride(from: length, through: 0, by: -1) {
            if try load(start + index) == byte { return .place(start + index) }
        }
        return .place(nil)
    }

    mutating func first(
        _ start: Int,
        _ count: Int,
        otherwise: Int?,
        where isSought: (UInt8) -> Bool
    ) throws -> Value {
        for index in 0..<count where try isSought(load(start + index)) {
            return .place(start + index)
        }
        return .place(otherwise)
    }

    mutating func strstr(_ start: Int, _ part: Int, in count: Int? = nil) throws -> Value {
        let sought = try length(part)
        if sought == 0 { return .place(start) }
        let room = try count ?? length(start)
        var place = 0
        while place + sought <= room {
            var isThere = true
            for index in 0..<sought {
                if try load(start + place + index) != load(part + index) {
                    isThere = false
                    break
                }
            }
            if isThere { return .place(start + place) }
            place += 1
        }
        return .place(nil)
    }
}
