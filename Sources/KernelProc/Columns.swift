/// Columns as the kernel's `seq_printf()` makes them.
extension String {
    /// Appends at the right edge of a column; what is wider pushes the rest on.
    mutating func append(_ value: some LosslessStringConvertible, right width: Int) {
        let text = String(value)
        append(contentsOf: repeatElement(" ", count: max(0, width - text.utf8.count)))
        append(text)
    }

    /// Appends at the left edge of a column.
    mutating func append(_ value: some LosslessStringConvertible, left width: Int) {
        let text = String(value)
        append(text)
        append(contentsOf: repeatElement(" ", count: max(0, width - text.utf8.count)))
    }
}
