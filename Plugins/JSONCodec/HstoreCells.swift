import PluginABI

extension RecordWriter {
    /// `"a"=>"1", "b"=>NULL` as a JSON string that holds the object `{"a":"1","b":null}`, in the server's order.
    mutating func hstore(_ text: UnsafePointer<UInt8>, _ count: Int, _ quoted: inout Scratch) throws(CellFailure) {
        var index = 0
        put(#""{"#)
        while index < count {
            if index > 0 {
                guard index &+ 2 < count, text[index] == UInt8(ascii: ","), text[index &+ 1] == UInt8(ascii: " ") else { throw .malformed }
                index &+= 2
                byte(UInt8(ascii: ","))
            }
            index = try hstoreString(text, index, count, &quoted)
            guard index &+ 2 < count, text[index] == UInt8(ascii: "="), text[index &+ 1] == UInt8(ascii: ">") else { throw .malformed }
            index &+= 2
            try room(32)
            byte(UInt8(ascii: ":"))
            if text[index] == UInt8(ascii: "N") {
                guard index &+ 4 <= count else { throw .malformed }
                null()
                index &+= 4
            } else {
                index = try hstoreString(text, index, count, &quoted)
            }
            try room(32)
        }
        put(#"}""#)
    }

    /// One quoted string from `index` on, escaped once for the object and once more for the string that holds it.
    private mutating func hstoreString(
        _ text: UnsafePointer<UInt8>, _ from: Int, _ count: Int, _ scratch: inout Scratch
    ) throws(CellFailure) -> Int {
        guard from < count, text[from] == UInt8(ascii: "\"") else { throw .malformed }
        let innerRoom = count &* 6 &+ 128
        let bytes = try scratch.reserve(count &+ innerRoom).assumingMemoryBound(to: UInt8.self)
        var index = from &+ 1
        var length = 0
        while index < count, text[index] != UInt8(ascii: "\"") {
            if text[index] == UInt8(ascii: "\\") { index &+= 1 }
            guard index < count else { throw .malformed }
            bytes[length] = text[index]
            length &+= 1
            index &+= 1
        }
        guard index < count else { throw .malformed }
        // The object's string is made behind the bytes, where every byte has room to grow to six.
        let start = bytes + count
        var inner = cdcp_emitter(
            base: start, cur: start, end: start + innerRoom, grow: { _, _ in CDCP_E_FATAL }, header: nil, record: nil, host: nil)
        let made = try withUnsafeMutablePointer(to: &inner) { emitter throws(CellFailure) in
            var writer = try RecordWriter(emitter)
            try writer.quoted(bytes, length)
            return writer.count
        }
        try escaped(start, made)
        return index &+ 1
    }
}
