/// Bytes as text: the alphabets of RFC 4648 sections 4 and 5, both padded as Java pads them, and lower-case hexadecimal.
enum BinaryText: UInt8 {
    case base64
    case base64URL
    case hex
}

private let standard: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
private let urlSafe: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
private let hexDigits: StaticString = "0123456789abcdef"

/// The value of a hexadecimal digit; above 15 where it is none.
@inline(__always)
private func nibble(_ character: UInt8) -> UInt8 {
    let digit = character &- 0x30
    if digit <= 9 { return digit }
    let letter = (character | 0x20) &- 0x61
    return letter <= 5 ? letter &+ 10 : 255
}

extension RecordWriter {
    /// Raw bytes, quoted.
    mutating func binary(_ bytes: UnsafePointer<UInt8>, _ count: Int, as form: BinaryText) throws(CellFailure) {
        byte(UInt8(ascii: "\""))
        var index = 0
        if count > 1536 { try room(form == .hex ? count &* 2 : count / 3 &* 4) }
        while index < count {
            // A multiple of three, so that only the last block is padded.
            let length = min(count &- index, 1536)
            try room(length &* 2 &+ 8)
            if form == .hex {
                for offset in index..<(index &+ length) {
                    byte(hexDigits.utf8Start[Int(bytes[offset] &>> 4)])
                    byte(hexDigits.utf8Start[Int(bytes[offset] & 15)])
                }
            } else {
                base64Block(bytes + index, length, form == .base64 ? standard.utf8Start : urlSafe.utf8Start)
            }
            index &+= length
        }
        byte(UInt8(ascii: "\""))
    }

    /// What `bytea` prints (`\x` and hexadecimal digits), quoted.
    mutating func bytea(_ text: UnsafePointer<UInt8>, _ count: Int, as form: BinaryText) throws(CellFailure) {
        guard count >= 2, count & 1 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else { throw .malformed }
        byte(UInt8(ascii: "\""))
        var index = 2
        if count > 1536 { try room(form == .hex ? count : count / 3 &* 2) }
        var decoded: (UInt64, UInt64, UInt64) = (0, 0, 0)
        while index < count {
            let length = min((count &- index) / 2, 24)
            try room(64)
            var bad: UInt8 = 0
            withUnsafeMutableBytes(of: &decoded) { buffer in
                guard let bytes = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
                for offset in 0..<length {
                    let high = nibble(text[index &+ offset &* 2])
                    let low = nibble(text[index &+ offset &* 2 &+ 1])
                    bad |= (high | low) & 0xf0
                    bytes[offset] = high &<< 4 | low & 15
                }
                if form == .hex {
                    for offset in 0..<length {
                        byte(hexDigits.utf8Start[Int(bytes[offset] &>> 4)])
                        byte(hexDigits.utf8Start[Int(bytes[offset] & 15)])
                    }
                } else {
                    base64Block(bytes, length, form == .base64 ? standard.utf8Start : urlSafe.utf8Start)
                }
            }
            if bad != 0 { throw .malformed }
            index &+= length &* 2
        }
        byte(UInt8(ascii: "\""))
    }

    /// Base64 of one block; takes 4 bytes for every 3 begun.
    @inline(__always)
    mutating func base64Block(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ table: UnsafePointer<UInt8>) {
        var index = 0
        while index &+ 3 <= count {
            let group = UInt32(bytes[index]) &<< 16 | UInt32(bytes[index &+ 1]) &<< 8 | UInt32(bytes[index &+ 2])
            cursor[0] = table[Int(group &>> 18)]
            cursor[1] = table[Int(group &>> 12 & 63)]
            cursor[2] = table[Int(group &>> 6 & 63)]
            cursor[3] = table[Int(group & 63)]
            cursor += 4
            index &+= 3
        }
        let left = count &- index
        guard left > 0 else { return }
        let group = UInt32(bytes[index]) &<< 16 | (left > 1 ? UInt32(bytes[index &+ 1]) &<< 8 : 0)
        cursor[0] = table[Int(group &>> 18)]
        cursor[1] = table[Int(group &>> 12 & 63)]
        cursor[2] = left > 1 ? table[Int(group &>> 6 & 63)] : UInt8(ascii: "=")
        cursor[3] = UInt8(ascii: "=")
        cursor += 4
    }

    /// A number's minimal two's complement, big-endian, base64, quoted: what Connect makes of a decimal. Takes up to 14 bytes.
    mutating func twosComplement(_ value: Int64) {
        let significant = 65 &- (value ^ (value &>> 63)).leadingZeroBitCount
        let count = (significant &+ 7) / 8
        var bigEndian = (value &<< Int64((8 &- count) &* 8)).bigEndian
        byte(UInt8(ascii: "\""))
        withUnsafeBytes(of: &bigEndian) { buffer in
            if let bytes = buffer.baseAddress { base64Block(bytes.assumingMemoryBound(to: UInt8.self), count, standard.utf8Start) }
        }
        byte(UInt8(ascii: "\""))
    }
}
