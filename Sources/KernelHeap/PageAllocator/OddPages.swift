/// Fields of a page descriptor that a sound allocator leaves alone, as somebody has set them.
struct OddFields: Hashable, Sendable {
    /// The value of `page->mapping`; the two lowest bits are the kernel's marks.
    var mapping: UInt64 = 0
    /// `page_mapcount()`: 0 where no process maps the page.
    var mapCount: Int32 = 0
    /// `PG_locked`.
    var isLocked = false

    /// Marks in `mapping`: anonymous memory, or pages that the kernel may move.
    static let mappingMarks: UInt64 = 3

    var isPlain: Bool { mapping == 0 && mapCount == 0 && !isLocked }
}

/// The fields of frames where they are not plain.
///
/// Nearly no page has any, so they stand beside the page map; bounded, for a client may set many.
struct OddPages: Sendable {
    /// Frames remembered; fields of more are not set.
    static let limit = 4_096

    private var fields: [UInt32: OddFields] = [:]

    var isEmpty: Bool { fields.isEmpty }
    var heldBytes: Int { fields.capacity * 32 }

    subscript(frame: UInt32) -> OddFields {
        get { fields[frame] ?? OddFields() }
        set {
            guard fields.count < Self.limit || fields[frame] != nil else { return }
            fields[frame] = newValue.isPlain ? nil : newValue
        }
    }

    /// The frames of a range that have such fields, ascending.
    ///
    /// Costs the frames that have any at all.
    func frames(in range: Range<UInt64>) -> [UInt32] {
        fields.keys.filter { range.contains(UInt64($0)) }.sorted()
    }
}
