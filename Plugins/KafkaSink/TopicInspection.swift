import LibRDKafka
import PluginKit

/// What `check` asks: are the topics there, and could those that are not be made? Makes none. [control]
final class TopicInspection {
    private let producer: Producer
    private let settings: TopicSettings
    /// As the brokers said at the first question.
    private var cluster: Cluster?

    private struct Cluster {
        /// By name.
        var partitions: [String: Int32] = [:]
        /// One of them takes requests to make topics; librdkafka's mock cluster has none that does.
        var hasController = false
    }

    /// Of each question, in milliseconds.
    private static let timeout: Int32 = 5000

    init(_ producer: Producer, _ settings: TopicSettings) {
        self.producer = producer
        self.settings = settings
    }

    /// - Returns: the partitions that it has; nil: it is not there and would be made.
    func look(_ name: String) throws(StageError) -> Int32? {
        let cluster = try ask()
        if let count = cluster.partitions[name] {
            if let complaint = settings.complaint(of: name, count) { producer.host.log(.warning, complaint) }
            return count
        }
        guard settings.create else { throw TopicSettings.missing(name) }
        if cluster.hasController { try TopicCreation(settings).rehearse(name, producer.handle, timeout: Self.timeout) }
        return nil
    }

    /// The whole list: a question for one name makes the topic on brokers that make topics by themselves.
    private func ask() throws(StageError) -> Cluster {
        if let cluster { return cluster }
        var answer: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(producer.handle, 1, nil, &answer, Self.timeout)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
            if let refusal = producer.health.permanentRefusal { throw TopicCatalog.refused(refusal) }
            throw .retry("the brokers do not list their topics: \(producer.health.reason(or: text(error)))")
        }
        defer { rd_kafka_metadata_destroy(answer) }
        var found = Cluster()
        for topic in UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt)) {
            if let name = topic.topic { found.partitions[String(cString: name)] = topic.partition_cnt }
        }
        let controller = rd_kafka_controllerid(producer.handle, Self.timeout)
        let brokers = UnsafeBufferPointer(start: answer.pointee.brokers, count: Int(answer.pointee.broker_cnt))
        found.hasController = brokers.contains { $0.id == controller }
        cluster = found
        return found
    }
}
