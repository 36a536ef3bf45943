import LibRDKafka

/// librdkafka's mock cluster. Owns the client handle that the mock needs and the cluster itself; both end with this value.
/// Its brokers run on librdkafka's threads; the methods may be called from any one thread.
struct MockCluster: ~Copyable {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let brokers: Int32

    /// Starts the brokers on free ports of 127.0.0.1.
    init(brokers: Int32) throws(MockError) {
        guard let configuration = rd_kafka_conf_new() else { throw MockError("librdkafka gave no configuration") }
        var why = [CChar](repeating: 0, count: 512)
        // The handle talks to nobody; without this it says so in the log.
        guard rd_kafka_conf_set(configuration, "log_level", "3", &why, why.count) == RD_KAFKA_CONF_OK else {
            rd_kafka_conf_destroy(configuration)
            throw MockError(Self.text(why))
        }
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &why, why.count) else {
            rd_kafka_conf_destroy(configuration)
            throw MockError(Self.text(why))
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, brokers) else {
            rd_kafka_destroy(client)
            throw MockError("librdkafka could not start its mock cluster (no free port on 127.0.0.1, or too few file descriptors)")
        }
        self.client = client
        self.cluster = cluster
        self.brokers = brokers
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    /// `HOST:PORT`, comma-separated.
    var bootstrapServers: String { rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? "" }

    /// Does what the command says; `quit` is the caller's.
    func obey(_ command: Command) throws(MockError) {
        switch command {
        case .topic(let name, let partitions):
            try check(rd_kafka_mock_topic_create(cluster, name, partitions, min(3, brokers)))
        case .down(let broker): try check(rd_kafka_mock_broker_set_down(cluster, broker))
        case .up(let broker): try check(rd_kafka_mock_broker_set_up(cluster, broker))
        case .leader(let topic, let partition, let broker): try check(rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker))
        case .roundTrip(let broker, let milliseconds): try check(rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds))
        case .errors(let request, let code, let count):
            let errors = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(code), count: count)
            rd_kafka_mock_push_request_errors_array(cluster, request, count, errors)
        case .clear(let request): rd_kafka_mock_clear_request_errors(cluster, request)
        case .topicError(let topic, let code): rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(code))
        case .quit: break
        }
    }

    /// The number of an error that librdkafka calls `name`.
    static func errorCode(named name: String) -> Int32? {
        var descriptions: UnsafePointer<rd_kafka_err_desc>?
        var count = 0
        rd_kafka_get_err_descs(&descriptions, &count)
        for description in UnsafeBufferPointer(start: descriptions, count: count) {
            guard let known = description.name else { continue }
            if String(cString: known) == name.uppercased() { return description.code.rawValue }
        }
        return nil
    }

    private func check(_ code: rd_kafka_resp_err_t) throws(MockError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw MockError("\(String(cString: rd_kafka_err2name(code))): \(String(cString: rd_kafka_err2str(code)))")
        }
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What librdkafka refused, in its words.
struct MockError: Error {
    var message: String
    init(_ message: String) { self.message = message }
}
