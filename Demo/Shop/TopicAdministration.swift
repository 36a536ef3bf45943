import LibRDKafka

/// A topic of the shop's, made before the host starts so that the number of its partitions is known.
struct ShopTopic {
    var name: String
    var partitions: Int32
}

/// Makes and removes the demo's topics in a Kafka of the user's. Main thread only.
final class TopicAdministration {
    private static let patience_ms: Int32 = 15_000
    private static let request_ms: Int32 = 10_000
    private let handle: OpaquePointer
    private let servers: String
    /// One of the brokers takes requests to make and remove topics; librdkafka's mock cluster has none that does. Known after `names`.
    private(set) var takesRequests = true

    init(bootstrapServers: String) throws(ShopError) {
        servers = bootstrapServers
        handle = try KafkaHandle.make(RD_KAFKA_PRODUCER, ["bootstrap.servers": bootstrapServers])
    }

    deinit { rd_kafka_destroy(handle) }

    /// Every topic's name. A request for all of them makes none.
    /// - Throws: `ShopError` when no broker answers.
    func names() throws(ShopError) -> Set<String> {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let failure = rd_kafka_metadata(handle, 1, nil, &answer, Self.patience_ms)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
            throw ShopError("Kafka at \(servers) cannot be reached: \(KafkaHandle.text(failure))")
        }
        defer { rd_kafka_metadata_destroy(answer) }
        let controller = rd_kafka_controllerid(handle, Self.request_ms)
        takesRequests = UnsafeBufferPointer(start: answer.pointee.brokers, count: Int(answer.pointee.broker_cnt)).contains { $0.id == controller }
        let topics = UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt))
        return Set(topics.compactMap { topic in topic.topic.map { String(cString: $0) } })
    }

    /// Makes the topics.
    /// - Returns: the same, with the partitions that they have.
    func create(_ topics: [ShopTopic]) throws(ShopError) -> [ShopTopic] {
        if takesRequests {
            try requestCreation(topics)
            return topics
        }
        // A broker that makes topics only by itself, when they are asked for.
        var made: [ShopTopic] = []
        for topic in topics { made.append(ShopTopic(name: topic.name, partitions: try partitions(of: topic.name))) }
        return made
    }

    /// Removes topics.
    /// - Returns: false when this broker removes none on request.
    func remove(_ names: [String]) throws(ShopError) -> Bool {
        guard takesRequests else { return false }
        try requestRemoval(names)
        return true
    }

    /// What librdkafka or the broker said no with.
    private static func refused(_ code: rd_kafka_resp_err_t, _ what: String = "") -> ShopError {
        ShopError("Kafka\(what): \(KafkaHandle.text(code))")
    }

    private func partitions(of name: String) throws(ShopError) -> Int32 {
        guard let topic = rd_kafka_topic_new(handle, name, nil) else { throw ShopError("Kafka, topic \(name): no handle") }
        defer { rd_kafka_topic_destroy(topic) }
        var answer: UnsafePointer<rd_kafka_metadata>?
        let failure = rd_kafka_metadata(handle, 0, topic, &answer, Self.patience_ms)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else { throw ShopError("Kafka, topic \(name): \(KafkaHandle.text(failure))") }
        defer { rd_kafka_metadata_destroy(answer) }
        guard answer.pointee.topic_cnt == 1, let found = answer.pointee.topics?.pointee, found.partition_cnt > 0 else {
            throw ShopError("Kafka has no topic \(name) and makes none when asked; the demo needs one that does")
        }
        return found.partition_cnt
    }

    private func requestCreation(_ topics: [ShopTopic]) throws(ShopError) {
        var why = [CChar](repeating: 0, count: 512)
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics {
            // -1: as many replicas as the broker makes by default.
            guard let request = rd_kafka_NewTopic_new(topic.name, topic.partitions, -1, &why, why.count) else {
                throw Self.refused(RD_KAFKA_RESP_ERR__INVALID_ARG, ", topic \(topic.name)")
            }
            requests.append(request)
        }
        try ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, { rd_kafka_CreateTopics(self.handle, &requests, requests.count, $0, $1) }) { event, count in
            rd_kafka_event_CreateTopics_result(event).flatMap { rd_kafka_CreateTopics_result_topics($0, &count) }
        }
    }

    private func requestRemoval(_ names: [String]) throws(ShopError) {
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
        guard let queue = rd_kafka_queue_new(handle) else { throw Self.refused(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE) }
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var why = [CChar](repeating: 0, count: 512)
        rd_kafka_AdminOptions_set_request_timeout(options, Self.request_ms, &why, why.count)
        rd_kafka_AdminOptions_set_operation_timeout(options, Self.patience_ms, &why, why.count)
        send(options, queue)
        guard let event = rd_kafka_queue_poll(queue, 2 * Self.patience_ms) else { throw Self.refused(RD_KAFKA_RESP_ERR__TIMED_OUT) }
        defer { rd_kafka_event_destroy(event) }
        let failure = rd_kafka_event_error(event)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { throw Self.refused(failure) }
        var count = 0
        guard let list = results(event, &count) else { return }
        for result in UnsafeBufferPointer(start: list, count: count) {
            let code = rd_kafka_topic_result_error(result)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let name = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? ""
            throw Self.refused(code, ", topic \(name)")
        }
    }
}
