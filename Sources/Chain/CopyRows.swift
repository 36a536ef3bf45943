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
            if byte == 92, read < length { byte = escaped(line, length, &read) }
            line[write] = byte
            write &+= 1
        }
        return (read, write)
    }

    /// The byte that an escape stands for; `read` is behind the backslash and moves behind the escape. COPY itself never writes octal and hex.
    private static func escaped(_ line: UnsafeMutablePointer<UInt8>, _ length: Int, _ read: inout Int) -> UInt8 {
        let letter = line[read]
        read &+= 1
        switch letter {
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "v"): return 11
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var value = UInt32(letter &- 48)
            let end = min(length, read &+ 2)
            while read < end, (48...55).contains(line[read]) {
                value = value &* 8 &+ UInt32(line[read] &- 48)
                read &+= 1
            }
            return UInt8(truncatingIfNeeded: value)
        case UInt8(ascii: "x"):
            let begin = read
            var value: UInt8 = 0
            while read < min(length, begin &+ 2), let digit = hexadecimal(line[read]) {
                value = value &<< 4 | digit
                read &+= 1
            }
            return read == begin ? letter : value
        default: return letter
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte &- 48
        case 65...70: byte &- 55
        case 97...102: byte &- 87
        default: nil
        }
    }
}
