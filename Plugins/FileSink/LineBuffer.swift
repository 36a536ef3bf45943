import PluginABI
import PluginKit

/// Lines under construction, in memory that is kept from submission to submission.
final class LineBuffer {
    private var storage = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 1)
    private var capacity = 1 << 16
    private var count = 0

    deinit { storage.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

    func clear() { count = 0 }

    /// Writes one record as one line.
    func append(_ record: UnsafePointer<cdcp_record>, topic: String) {
        let record = record.pointee
        text(#"{"topic":"#)
        string(topic)
        text(#","partition":"#)
        if record.partition >= 0 { text(String(record.partition)) } else { text("null") }
        text(#","key":"#)
        value(record.key, record.key_len)
        text(#","value":"#)
        value(record.value, record.value_len)
        text(#","headers":{"#)
        if let headers = record.headers {
            for index in 0..<Int(record.header_count) {
                if index > 0 { text(",") }
                let header = headers[index]
                string(UnsafeRawBufferPointer(start: header.key, count: header.key == nil ? 0 : Int(header.key_len)))
                text(":")
                if header.value_len == CDCP_HEADER_NULL {
                    text("null")
                } else {
                    stringOrBase64(UnsafeRawBufferPointer(start: header.value, count: header.value == nil ? 0 : Int(header.value_len)))
                }
            }
        }
        text("}}\n")
    }

    /// JSON as it is; other text as a string; other bytes as `{"base64":"…"}`; none as null.
    private func value(_ pointer: UnsafePointer<UInt8>?, _ length: UInt32) {
        guard let pointer else { return text("null") }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: Int(length))
        if JSONText.isOneLineValue(bytes) { raw(bytes) } else { stringOrBase64(bytes) }
    }

    private func stringOrBase64(_ bytes: UnsafeRawBufferPointer) {
        if JSONText.isUTF8(bytes) {
            string(bytes)
        } else {
            text(#"{"base64":""#)
            base64(bytes)
            text(#""}"#)
        }
    }

    private func string(_ value: String) {
        var value = value
        value.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    private func string(_ bytes: UnsafeRawBufferPointer) {
        byte(UInt8(ascii: "\""))
        for value in bytes {
            switch value {
            case UInt8(ascii: "\""): text("\\\"")
            case UInt8(ascii: "\\"): text("\\\\")
            case 0x0A: text("\\n")
            case 0x0D: text("\\r")
            case 0x09: text("\\t")
            case ..<0x20:
                text("\\u00")
                byte(Self.hex(value >> 4))
                byte(Self.hex(value & 15))
            default: byte(value)
            }
        }
        byte(UInt8(ascii: "\""))
    }

    private func base64(_ bytes: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let there = min(3, bytes.count - start)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | UInt32(offset < there ? bytes[start + offset] : 0) }
            for place in 0..<4 {
                byte(place <= there ? Self.digit(UInt8(group >> UInt32(18 - 6 * place) & 63)) : UInt8(ascii: "="))
            }
        }
    }

    private static func hex(_ value: UInt8) -> UInt8 { value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a") }

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: value + UInt8(ascii: "A")
        case 26..<52: value - 26 + UInt8(ascii: "a")
        case 52..<62: value - 52 + UInt8(ascii: "0")
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private func text(_ value: StaticString) { raw(UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount)) }

    private func text(_ value: String) {
        var value = value
        value.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
    }

    private func byte(_ value: UInt8) {
        reserve(1)
        storage.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    private func raw(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (storage + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    private func reserve(_ size: Int) {
        guard count + size > capacity else { return }
        let larger = max(capacity * 2, count + size)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 1)
        memory.copyMemory(from: storage, byteCount: count)
        storage.deallocate()
        storage = memory
        capacity = larger
    }
}
