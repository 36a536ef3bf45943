import PluginABI

/// Lines of COPY's text format to cells, unescaped in place: what COPY wrote is never longer than its value.
enum CopyRows {
    /// - Parameters:
    ///   - line: one line without its newline; overwritten.
    ///   - cells: as many as the table has columns.
    /// - Returns: whether the line had exactly that many fields.
    static func split(_ line: UnsafeMutablePointer<UInt8>, _ length: Int, into cells: UnsafeMutablePointer<cdcp_cell>, count: Int) -> Bool {
        // A table without columns has one empty line a row.
        if count == 0 { return length == 0 }
        var read = 0
        var column = 0
        while true {
            let start = read
            var end = read
            while end < length, line[end] != 9, line[end] != 92 { end &+= 1 }
            var valueEnd = end
            var isNull = false
            if end < length, line[end] == 92 {
                // Two characters and nothing else in the field: NULL.
                if end == start, end &+ 1 < length, line[end &+ 1] == UInt8(ascii: "N"), end &+ 2 == length || line[end &+ 2] == 9 {
                    isNull = true
                    end &+= 2
                } else {
                    (end, valueEnd) = unescape(line, length, from: end)
                }
            }
            guard column < count else { return false }
            cells[column] = cdcp_cell(
                ptr: isNull ? nil : UnsafePointer(line + start), len: isNull ? 0 : UInt32(valueEnd &- start),
                kind: isNull ? UInt8(CDCP_CELL_NULL) : UInt8(CDCP_CELL_VALUE), format: UInt8(CDCP_FMT_TEXT), flags: 0)
            column &+= 1
            if end >= length { return column == count }
            read = end &+ 1
        }
    }

    /// Undoes the escapes of one field from its first backslash on.
    /// - Returns: where the field ends in the line, and where its value ends.
    private static func unescape(_ line: UnsafeMutablePointer<UInt8>, _ length: Int, from: Int) -> (Int, Int) {
        var read = from
        var write = from
        while read < length, line[read] != 9 {
            var byte = line[read]
            read &+= 1
            if byte == 92, read < length {
                byte = line[read]
                read &+= 1
                switch byte {
                case UInt8(ascii: "b"): byte = 8
                case UInt8(ascii: "f"): byte = 12
                case UInt8(ascii: "n"): byte = 10
                case UInt8(ascii: "r"): byte = 13
                case UInt8(ascii: "t"): byte = 9
                case UInt8(ascii: "v"): byte = 11
                default: break
                }
            }
            line[write] = byte
            write &+= 1
        }
        return (read, write)
    }
}
