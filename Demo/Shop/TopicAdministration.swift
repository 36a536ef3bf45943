import LibRDKafka

/// A topic of the shop's, made before the host starts so that the number of its partitions is known.
struct ShopTopic {
    var name: String
    var partitions: Int32
}

/// Makes and removes the demo's topics in a Kafka of the user's. Main thread only.
final class TopicAdministration {
    private static let patience_ms: Int32 = 15_000
    private let handle: OpaquePointer

    init(bootstrapServers: String) throws(ShopError) {
        handle = try KafkaHandle.make(RD_KAFKA_PRODUCER, ["bootstrap.servers": bootstrapServers])
    }

    deinit { rd_kafka_destroy(handle) }

    /// Every topic's name. A request for all of them makes none.
    /// - Throws: `ShopError` when no broker answers.
    func names() throws(ShopError) -> Set<String> {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let failure = rd_kafka_metadata(handle, 1, nil, &answer, Self.patience_ms)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else { throw ShopError("Kafka cannot be reached: \(KafkaHandle.text(failure))") }
        defer { rd_kafka_metadata_destroy(answer) }
        let topics = UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt))
        return Set(topics.compactMap { topic in topic.topic.map { String(cString: $0) } })
    }

    func create(_ topics: [ShopTopic]) throws(ShopError) {
        var why = [CChar](repeating: 0, count: 512)
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics {
            // -1: as many replicas as the broker makes by default.
            guard let request = rd_kafka_NewTopic_new(topic.name, topic.partitions, -1, &why, why.count) else {
                throw ShopError("topic \(topic.name): \(KafkaHandle.text(why))")
            }
            requests.append(request)
        }
        try ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, { rd_kafka_CreateTopics(self.handle, &requests, requests.count, $0, $1) }) { event, count in
            rd_kafka_event_CreateTopics_result(event).flatMap { rd_kafka_CreateTopics_result_topics($0, &count) }
        }
    }

    func remove(_ names: [String]) throws(ShopError) {
        var requests: [OpaquePointer?] = names.map { rd_kafka_DeleteTopic_new($0) }
        defer { for request in requests { rd_kafka_DeleteTopic_destroy(request) } }
        try ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, { rd_kafka_DeleteTopics(self.handle, &requests, requests.count, $0, $1) }) { event, count in
            rd_kafka_event_DeleteTopics_result(event).flatMap { rd_kafka_DeleteTopics_result_topics($0, &count) }
        }
    }

    /// Sends one request and waits for its answer.
    private func ask(
        _ operation: rd_kafka_admin_op_t, _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void,
        _ results: (_ event: OpaquePointer, _ count: inout Int) -> UnsafeMutablePointer<OpaquePointer?>?
    ) throws(ShopError) {
        guard let queue = rd_kafka_queue_new(handle) else { throw ShopError("librdkafka gave no queue") }
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var why = [CChar](repeating: 0, count: 512)
        rd_kafka_AdminOptions_set_operation_timeout(options, Self.patience_ms, &why, why.count)
        send(options, queue)
        guard let event = rd_kafka_queue_poll(queue, 2 * Self.patience_ms) else { throw ShopError("Kafka did not answer within 30 s") }
        defer { rd_kafka_event_destroy(event) }
        let failure = rd_kafka_event_error(event)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { throw ShopError("Kafka: \(KafkaHandle.text(failure))") }
        var count = 0
        guard let list = results(event, &count) else { return }
        for result in UnsafeBufferPointer(start: list, count: count) {
            let code = rd_kafka_topic_result_error(result)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let name = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? ""
            throw ShopError("Kafka, topic \(name): \(KafkaHandle.text(code))")
        }
    }
}
