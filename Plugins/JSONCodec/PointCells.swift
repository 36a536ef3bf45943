extension RecordWriter {
    /// `(1,2)` as `{"x":1.0,"y":2.0,"wkb":"…","srid":null}`, wkb being the little-endian POINT.
    mutating func point(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        guard count >= 5, count < 96, text[0] == UInt8(ascii: "("), text[count &- 1] == UInt8(ascii: ")") else { throw .malformed }
        var comma = 1
        while comma < count, text[comma] != UInt8(ascii: ",") { comma &+= 1 }
        guard comma < count &- 1 else { throw .malformed }
        let x = (text + 1, comma &- 1)
        let y = (text + comma + 1, count &- comma &- 2)
        guard let horizontal = Double(String(decoding: UnsafeBufferPointer(start: x.0, count: x.1), as: UTF8.self)),
            let vertical = Double(String(decoding: UnsafeBufferPointer(start: y.0, count: y.1), as: UTF8.self))
        else { throw .malformed }
        try room(256)
        put(#"{"x":"#)
        try javaFloat(x.0, x.1, single: false)
        try room(128)
        put(#","y":"#)
        try javaFloat(y.0, y.1, single: false)
        try room(128)
        put(#","wkb":"#)
        var bytes: (UInt64, UInt64, UInt64) = (0, 0, 0)
        try withUnsafeMutableBytes(of: &bytes) { buffer throws(CellFailure) in
            guard let start = buffer.baseAddress else { throw .malformed }
            start.storeBytes(of: 1, as: UInt8.self)
            start.storeBytes(of: 1, toByteOffset: 1, as: UInt8.self)
            start.storeBytes(of: horizontal.bitPattern.littleEndian, toByteOffset: 5, as: UInt64.self)
            start.storeBytes(of: vertical.bitPattern.littleEndian, toByteOffset: 13, as: UInt64.self)
            try binary(UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), 21, as: .base64)
        }
        put(#","srid":null}"#)
    }
}
