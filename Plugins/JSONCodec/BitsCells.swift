extension RecordWriter {
    /// A bit string as Debezium counts it: little-endian bytes, cut after the highest set bit, base64.
    mutating func bits(_ text: UnsafePointer<UInt8>, _ count: Int, _ scratch: inout Scratch) throws(CellFailure) {
        var first = 0
        while first < count, text[first] == 0x30 { first &+= 1 }
        let length = (count &- first &+ 7) / 8
        let bytes = try scratch.reserve(length &+ 8).assumingMemoryBound(to: UInt8.self)
        for place in 0..<length {
            var value: UInt8 = 0
            let last = count &- 1 &- place &* 8
            for bit in 0..<8 where last &- bit >= first {
                let digit = text[last &- bit] &- 0x30
                if digit > 1 { throw .malformed }
                value |= digit &<< UInt8(bit)
            }
            bytes[place] = value
        }
        try binary(bytes, length, as: .base64)
    }

    /// `bit(1)` and `varbit(1)`: true or false, and null for a varbit of no bits.
    mutating func bit(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        if count == 0 { return null() }
        guard count == 1, text[0] &- 0x30 <= 1 else { throw .malformed }
        put(text[0] == 0x31 ? "true" : "false")
    }
}
