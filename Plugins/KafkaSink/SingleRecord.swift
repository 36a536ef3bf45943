import LibRDKafka
import PluginABI

/// The longer way into librdkafka, for a record that has headers or a time of its own.
enum SingleRecord {
    static func produce(
        _ record: UnsafePointer<cdcp_record>, _ topic: OpaquePointer, _ client: OpaquePointer, _ tag: UnsafeMutableRawPointer?
    ) -> rd_kafka_resp_err_t {
        guard record.pointee.partition >= 0 else { return RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION }
        var arguments = [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 7)
        arguments[0].vtype = RD_KAFKA_VTYPE_RKT
        arguments[0].u.rkt = topic
        arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
        arguments[1].u.i32 = record.pointee.partition
        arguments[2].vtype = RD_KAFKA_VTYPE_VALUE
        arguments[2].u.mem.ptr = UnsafeMutableRawPointer(mutating: record.pointee.value)
        arguments[2].u.mem.size = record.pointee.value == nil ? 0 : Int(record.pointee.value_len)
        arguments[3].vtype = RD_KAFKA_VTYPE_KEY
        arguments[3].u.mem.ptr = UnsafeMutableRawPointer(mutating: record.pointee.key)
        arguments[3].u.mem.size = record.pointee.key == nil ? 0 : Int(record.pointee.key_len)
        arguments[4].vtype = RD_KAFKA_VTYPE_OPAQUE
        arguments[4].u.ptr = tag
        var used = 5
        if record.pointee.timestamp_us != 0 {
            arguments[used].vtype = RD_KAFKA_VTYPE_TIMESTAMP
            arguments[used].u.i64 = record.pointee.timestamp_us / 1000
            used += 1
        }
        var headers: OpaquePointer?
        if record.pointee.header_count > 0, let list = record.pointee.headers {
            headers = rd_kafka_headers_new(Int(record.pointee.header_count))
            for index in 0..<Int(record.pointee.header_count) {
                let header = list[index]
                let key = header.key.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
                let null = header.value_len == CDCP_HEADER_NULL
                // A size of -1 would make librdkafka measure the text: lengths are always given.
                let error = rd_kafka_header_add(
                    headers, key ?? emptyText, Int(header.key_len), null ? nil : UnsafeRawPointer(header.value) ?? UnsafeRawPointer(emptyText),
                    null ? 0 : Int(header.value_len))
                if error != RD_KAFKA_RESP_ERR_NO_ERROR {
                    rd_kafka_headers_destroy(headers)
                    return error
                }
            }
            arguments[used].vtype = RD_KAFKA_VTYPE_HEADERS
            arguments[used].u.headers = headers
            used += 1
        }
        guard let error = rd_kafka_produceva(client, arguments, used) else { return RD_KAFKA_RESP_ERR_NO_ERROR }
        // Only what was taken owns its headers.
        if let headers { rd_kafka_headers_destroy(headers) }
        defer { rd_kafka_error_destroy(error) }
        return rd_kafka_error_code(error)
    }

    /// librdkafka takes NULL for a null value: an empty one needs an address.
    private static var emptyText: UnsafePointer<CChar> {
        UnsafeRawPointer(("" as StaticString).utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
