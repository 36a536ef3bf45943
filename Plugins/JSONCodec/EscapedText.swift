import PluginKit

// JSON strings, eight bytes at a time. Escaped is what Jackson escapes: the quote, the backslash and bytes below 0x20; all else passes as it is.
// The server sends nothing but UTF-8; a stage may not. Text that is not all ASCII, which the pass over it shows, is therefore looked at again.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let tops: UInt64 = 0x8080_8080_8080_8080

/// The lowest set bit marks the first byte that needs an escape; zero: none does.
@inline(__always)
private func escapes(_ word: UInt64) -> UInt64 {
    let control = (word &- ones &* 0x20) & ~word
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5c)
    return (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & tops
}

@inline(__always)
func load64(_ text: UnsafePointer<UInt8>) -> UInt64 { UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)) }

/// One to seven bytes as a word whose other bytes are spaces, without reading beyond them.
@inline(__always)
func loadTail(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    let raw = UnsafeRawPointer(text)
    var word: UInt64
    if count >= 4 {
        let low = UInt64(UInt32(littleEndian: raw.loadUnaligned(as: UInt32.self)))
        let high = UInt64(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
        word = low | high &<< UInt64((count &- 4) &* 8)
    } else {
        word = UInt64(text[0])
        if count > 1 { word |= UInt64(text[1]) &<< 8 }
        if count > 2 { word |= UInt64(text[2]) &<< 16 }
    }
    return word | (ones &* 0x20) &<< UInt64(count &* 8)
}

extension RecordWriter {
    /// Text of one block is escaped after one look at the room that is left.
    private static let block = 2048

    /// A quoted JSON string.
    @inline(__always)
    mutating func quoted(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        byte(UInt8(ascii: "\""))
        try escaped(text, count)
        byte(UInt8(ascii: "\""))
    }

    /// The inside of a JSON string.
    @inline(__always)
    mutating func escaped(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        var start = text
        var rest = count
        var seen: UInt64 = 0
        // Long text grows the record once, not block by block.
        if rest > RecordWriter.block { try room(rest &+ RecordWriter.block &* 6) }
        while rest > RecordWriter.block {
            try room(RecordWriter.block &* 6)
            seen |= escapeBlock(start, RecordWriter.block)
            start += RecordWriter.block
            rest &-= RecordWriter.block
        }
        try room(rest &* 6 &+ 8)
        seen |= escapeBlock(start, rest)
        if seen & tops != 0 { try checkUTF8(text, count) }
    }

    @inline(never)
    func checkUTF8(_ text: UnsafePointer<UInt8>, _ count: Int) throws(CellFailure) {
        guard JSONText.isUTF8(UnsafeRawBufferPointer(start: text, count: count)) else { throw .notUTF8 }
    }

    /// Returns all its words, one over the other.
    @inline(__always)
    private mutating func escapeBlock(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var out = cursor
        var index = 0
        var seen: UInt64 = 0
        while index &+ 8 <= count {
            let word = load64(text + index)
            seen |= word
            let found = escapes(word)
            UnsafeMutableRawPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
            if _fastPath(found == 0) {
                out += 8
                index &+= 8
            } else {
                let clean = found.trailingZeroBitCount &>> 3
                out = escape(text[index &+ clean], out + clean)
                index &+= clean &+ 1
            }
        }
        while index < count {
            let length = count &- index
            let word = loadTail(text + index, length)
            seen |= word
            let found = escapes(word)
            UnsafeMutableRawPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
            if _fastPath(found == 0) {
                out += length
                break
            }
            let clean = found.trailingZeroBitCount &>> 3
            out = escape(text[index &+ clean], out + clean)
            index &+= clean &+ 1
        }
        cursor = out
        return seen
    }
}

/// One byte that needs it, as Jackson escapes it. Returns where to go on.
@inline(never)
private func escape(_ value: UInt8, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    out[0] = UInt8(ascii: "\\")
    switch value {
    case 0x22, 0x5c: out[1] = value
    case 0x08: out[1] = UInt8(ascii: "b")
    case 0x09: out[1] = UInt8(ascii: "t")
    case 0x0a: out[1] = UInt8(ascii: "n")
    case 0x0c: out[1] = UInt8(ascii: "f")
    case 0x0d: out[1] = UInt8(ascii: "r")
    default:
        out[1] = UInt8(ascii: "u")
        out[2] = 0x30
        out[3] = 0x30
        out[4] = value < 0x10 ? 0x30 : 0x31
        let low = value & 15
        out[5] = low < 10 ? low &+ 0x30 : low &+ 0x37
        return out + 6
    }
    return out + 2
}
