import LibRDKafka
import PluginABI
import PluginKit

/// The map `topics` of the options.
struct TopicSettings {
    var create = true
    /// nil: not said, 1 for a new topic.
    var partitions: Int32?
    /// nil: the broker's default.
    var replicationFactor: Int32?
    var config: [(name: String, value: String)] = []

    init(_ options: Options?) throws(StageError) {
        guard let options else { return }
        create = options.bool("create") ?? true
        partitions = try Self.number("partitions", options)
        replicationFactor = try Self.number("replication_factor", options)
        if let map = options.map("config") { config = map.keys.compactMap { key in map.string(key).map { (key, $0) } } }
    }

    /// What to say of a topic that is not there and may not be made.
    static func missing(_ name: String) -> StageError {
        .config("topic \(name) does not exist, and options.topics.create is false: make it, or set create to true")
    }

    /// What to say of a topic that is there with so many partitions; nil: nothing.
    func complaint(of name: String, _ count: Int32) -> String? {
        guard let partitions, partitions != count else { return nil }
        return "topic \(name) exists with \(count) partitions, options.topics.partitions says \(partitions): the \(count) are used"
    }

    private static func number(_ key: String, _ options: Options) throws(StageError) -> Int32? {
        guard let value = options.integer(key) else { return nil }
        guard let number = Int32(exactly: value), number > 0 else { throw .config("\(options.origin(key)): give a whole number from 1 on") }
        return number
    }
}

/// Makes one topic through Kafka's admin interface.
struct TopicCreation {
    private let settings: TopicSettings
    init(_ settings: TopicSettings) { self.settings = settings }

    /// Asks whether `make` would succeed, and makes nothing.
    func rehearse(_ name: String, _ client: OpaquePointer, timeout: Int32) throws(StageError) {
        switch try request(name, client, timeout: timeout, isRehearsal: true) {
        // These brokers know no such question: they may still make topics by themselves.
        case (RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, _): return
        // It was not in the list that the client was given.
        case (RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, _):
            throw .permission("topic \(name) exists and the client may not see it: grant DESCRIBE and WRITE on it")
        case (let error, let reason): try judge(error, reason, name)
        }
    }

    /// A topic that somebody else makes at the same moment is as good.
    /// - Throws: CDCP_E_CONFIG where the brokers refuse, CDCP_E_RETRY where they do not answer in `timeout` milliseconds.
    func make(_ name: String, _ client: OpaquePointer, timeout: Int32) throws(StageError) {
        let (error, reason) = try request(name, client, timeout: timeout, isRehearsal: false)
        try judge(error, reason, name)
    }

    /// - Returns: what the brokers answered, and in which words.
    private func request(
        _ name: String, _ client: OpaquePointer, timeout: Int32, isRehearsal: Bool
    ) throws(StageError) -> (rd_kafka_resp_err_t, String) {
        var why = [CChar](repeating: 0, count: 512)
        var topic = rd_kafka_NewTopic_new(name, settings.partitions ?? 1, settings.replicationFactor ?? -1, &why, why.count)
        guard topic != nil else { throw .config("topic \(name): \(text(why))") }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in settings.config {
            let error = rd_kafka_NewTopic_set_config(topic, key, value)
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw .config("options.topics.config.\(key): \(text(error))") }
        }
        guard let queue = rd_kafka_queue_new(client) else { throw .fatal("librdkafka gave no queue") }
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, timeout, nil, 0)
        if isRehearsal { rd_kafka_AdminOptions_set_validate_only(options, 1, nil, 0) }
        rd_kafka_CreateTopics(client, &topic, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, timeout &+ 500) else { throw .retry("topic \(name): the brokers do not answer") }
        defer { rd_kafka_event_destroy(event) }
        let failure = rd_kafka_event_error(event)
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else { return (failure, Self.words(rd_kafka_event_error_string(event), failure)) }
        var count = 0
        guard let result = rd_kafka_event_CreateTopics_result(event),
            let topics = rd_kafka_CreateTopics_result_topics(result, &count), count > 0, let answer = topics[0]
        else { return (RD_KAFKA_RESP_ERR_NO_ERROR, "") }
        let error = rd_kafka_topic_result_error(answer)
        return (error, Self.words(rd_kafka_topic_result_error_string(answer), error))
    }

    private static func words(_ words: UnsafePointer<CChar>?, _ error: rd_kafka_resp_err_t) -> String {
        words.map { String(cString: $0) } ?? text(error)
    }

    private func judge(_ error: rd_kafka_resp_err_t, _ reason: String, _ name: String) throws(StageError) {
        switch error {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            throw .permission("topic \(name) does not exist and the client may not make it (\(reason)): make it, or grant CREATE")
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
            throw .config("topic \(name) does not exist and this broker cannot be asked to make it: make it by hand")
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
            RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
            throw .config("topic \(name) cannot be made with options.topics: \(reason)")
        default: throw .retry("topic \(name) could not be made yet: \(reason)")
        }
    }
}
