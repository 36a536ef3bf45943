import LibRDKafka

/// What the brokers say of one topic.
enum Metadata {
    /// `led`: every partition has a leader. `broker`: who said so.
    case partitions(Int32, led: Bool, broker: Int32)
    case unknown
    case refused(rd_kafka_resp_err_t)
    case failed(rd_kafka_resp_err_t)

    /// Asks one broker; blocks up to `timeout` milliseconds. [any]
    static func of(_ topic: OpaquePointer, _ client: OpaquePointer, timeout: Int32) -> Metadata {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(client, 0, topic, &answer, timeout)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else { return .failed(error) }
        defer { rd_kafka_metadata_destroy(answer) }
        guard answer.pointee.topic_cnt > 0, let entry = answer.pointee.topics?.pointee else { return .unknown }
        switch entry.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
            let partitions = UnsafeBufferPointer(start: entry.partitions, count: Int(entry.partition_cnt))
            let led = !partitions.isEmpty && partitions.allSatisfy { $0.leader >= 0 }
            return .partitions(entry.partition_cnt, led: led, broker: answer.pointee.orig_broker_id)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return .unknown
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            return .refused(entry.err)
        default: return .failed(entry.err)
        }
    }

    /// May the same question have an answer a moment later?
    static func passes(_ error: rd_kafka_resp_err_t) -> Bool {
        error != RD_KAFKA_RESP_ERR__TIMED_OUT
    }

    /// Does any broker answer? For a client that has no topic yet.
    static func probe(_ client: OpaquePointer, timeout: Int32) -> rd_kafka_resp_err_t {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(client, 0, nil, &answer, timeout)
        if let answer { rd_kafka_metadata_destroy(answer) }
        return error
    }
}
