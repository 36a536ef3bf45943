import PluginABI

/// A name as a JSON string.
func jsonString(_ text: cdcp_str) -> [UInt8] {
    jsonString(UnsafeRawBufferPointer(start: text.ptr, count: text.ptr == nil ? 0 : Int(text.len)))
}

/// Bytes as a JSON string.
func jsonString(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var out = [UInt8(ascii: "\"")]
    for byte in bytes {
        switch byte {
        case 0x22, 0x5c: out += [0x5c, byte]
        case 0x08: out += Array("\\b".utf8)
        case 0x09: out += Array("\\t".utf8)
        case 0x0a: out += Array("\\n".utf8)
        case 0x0c: out += Array("\\f".utf8)
        case 0x0d: out += Array("\\r".utf8)
        case 0..<0x20:
            let low = byte & 15
            out += Array("\\u00".utf8) + [byte < 0x10 ? 0x30 : 0x31, low < 10 ? low + 0x30 : low + 0x37]
        default: out.append(byte)
        }
    }
    return out + [UInt8(ascii: "\"")]
}
