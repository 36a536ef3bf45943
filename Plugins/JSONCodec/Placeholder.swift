import PluginABI

/// What stands for a value that the server did not send, in the shape of the column's values, so that it is never taken for NULL.
///
/// Text-like columns, and binary ones that are strings, get the placeholder's text; columns of bytes and decimals its bytes; arrays one such
/// element, arrays of numbers the bytes one by one. Arrays of booleans and numerics sent as doubles have no room for it and are null.
struct Placeholder {
    let options: CodecOptions

    func bytes(_ traits: EncodingChoice.ColumnTraits) -> [UInt8] {
        if traits.encoding == .vector { return numbers }
        guard traits.encoding == .array else { return scalar(traits.encoding) }
        if traits.elementType == PostgresType.uuid { return Array("[".utf8) + uuid + Array("]".utf8) }
        switch traits.element {
        case .integer, .date, .time, .timestamp, .interval, .float4, .float8, .float: return numbers
        case .boolean, .bit: return null
        default: return Array("[".utf8) + scalar(traits.element) + Array("]".utf8)
        }
    }

    private func scalar(_ encoding: CellEncoding) -> [UInt8] {
        switch encoding {
        case .decimal, .money, .bits: return base64
        case .bytes, .opaque: return options.binary == .bytes ? base64 : text
        case .variableScaleDecimal: return Array(#"{"scale":0,"value":"#.utf8) + base64 + Array("}".utf8)
        case .hstoreText:
            let inner = Array("{".utf8) + text + Array(":".utf8) + text + Array("}".utf8)
            return jsonString(inner)
        case .integer, .boolean, .float, .float4, .float8, .decimalDouble, .moneyDouble, .bit, .date, .time, .timestamp, .interval, .point:
            return null
        default: return text
        }
    }

    private var null: [UInt8] { Array("null".utf8) }
    private var text: [UInt8] { jsonString(Array(String(decoding: options.placeholder, as: UTF8.self).utf8)) }
    private var numbers: [UInt8] { Array("[\(options.placeholder.map { String(Int8(bitPattern: $0)) }.joined(separator: ","))]".utf8) }

    /// Debezium's is the name-based UUID of the placeholder's bytes; known for the default only.
    private var uuid: [UInt8] {
        String(decoding: options.placeholder, as: UTF8.self) == "__debezium_unavailable_value"
            ? Array(#""b68a35a7-17ad-35b3-af2a-ae46edb4545a""#.utf8) : text
    }

    private var base64: [UInt8] {
        let emitter = PrivateEmitter.make()
        defer { PrivateEmitter.free(emitter) }
        guard var writer = try? RecordWriter(emitter), (try? writer.room(64)) != nil else { return null }
        let written: Void? = options.placeholder.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return nil }
            return try? writer.binary(start, bytes.count, as: .base64)
        }
        guard written != nil else { return Array(#""""#.utf8) }
        return Array(UnsafeBufferPointer(start: emitter.pointee.base, count: writer.count))
    }
}
