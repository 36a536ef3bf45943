import LibRDKafka
import PluginABI

/// What an error of librdkafka means for a record.
struct DeliveryFailure {
    let cls: Int32
    let code: Int32
    private let text: UnsafePointer<CChar>?
    /// The failure in words.
    var reason: String { text.map { String(cString: $0) } ?? "error" }

    /// - Parameter wholeBatch: too large was the batch, not the record.
    init(_ error: rd_kafka_resp_err_t, wholeBatch: Bool = false) {
        switch error {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE where wholeBatch:
            text = constant("a batch is larger than the topic's max.message.bytes, its records are not: lower batch.size in options.kafka")
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            text = constant("the topic, or this partition of it, is not there (any more): make it again, or restart to have it made")
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            text = constant("the brokers refuse the client: check security.protocol, sasl.* and ssl.* in options.kafka")
        default: text = rd_kafka_err2str(error)
        }
        switch error {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE where wholeBatch: (cls, code) = (CDCP_FAIL_FATAL, CDCP_CODE_CONFIG)
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            (cls, code) = (CDCP_FAIL_RECORD, CDCP_CODE_TOO_LARGE)
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
            // The broker looked at the record itself, e.g. a compacted topic refuses one without a key.
            (cls, code) = (CDCP_FAIL_RECORD, CDCP_CODE_OTHER)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            (cls, code) = (CDCP_FAIL_FATAL, CDCP_CODE_PERMISSION)
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, RD_KAFKA_RESP_ERR__INVALID_ARG:
            (cls, code) = (CDCP_FAIL_FATAL, CDCP_CODE_CONFIG)
        default:
            // Purged, fatal to the producer, or new: another producer may deliver it.
            (cls, code) = (CDCP_FAIL_RETRYABLE, CDCP_CODE_OTHER)
        }
    }

    /// The failure as the host reads it. The text is a constant of the program.
    func record(_ index: UInt32) -> cdcp_failure {
        var length: UInt32 = 0
        if let text { while text[Int(length)] != 0 { length += 1 } }
        return cdcp_failure(index: index, cls: UInt16(cls), reserved: 0, code: code, msg_len: length, msg: text)
    }
}

private func constant(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
