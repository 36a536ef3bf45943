import LibRDKafka
import PluginKit
import Synchronization

/// How large a batch each topic takes (its `max.message.bytes`), as far as the brokers say. A batch that is larger fails as a whole, and then
/// it must be known whether a record is to blame.
final class TopicLimits: Sendable {
    /// What a record needs in a batch beside key, value and headers, at most: the batch's head and the record's lengths.
    static let overhead = 61 + 25

    private let byName = Mutex<[String: Int]>([:])

    /// Longest wait for an answer, in milliseconds: only a help, a stream goes on without it.
    private static let timeout: Int32 = 1000

    /// Asks one broker: any knows, and waiting for the controller may take long.
    /// - Returns: nil where they do not say (no DESCRIBE_CONFIGS, or no such request).
    func ask(_ name: String, _ client: OpaquePointer, _ broker: Int32) -> Int? {
        guard let queue = rd_kafka_queue_new(client) else { return nil }
        defer { rd_kafka_queue_destroy(queue) }
        var resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
        defer { rd_kafka_ConfigResource_destroy(resource) }
        let options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, Self.timeout, nil, 0)
        rd_kafka_AdminOptions_set_broker(options, broker, nil, 0)
        rd_kafka_DescribeConfigs(client, &resource, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, Self.timeout + 200) else { return nil }
        defer { rd_kafka_event_destroy(event) }
        var resources = 0
        guard let result = rd_kafka_event_DescribeConfigs_result(event),
            let list = rd_kafka_DescribeConfigs_result_resources(result, &resources), resources > 0, let answer = list[0]
        else { return nil }
        var count = 0
        guard let entries = rd_kafka_ConfigResource_configs(answer, &count) else { return nil }
        for index in 0..<count {
            guard let entry = entries[index], let key = rd_kafka_ConfigEntry_name(entry), String(cString: key) == "max.message.bytes",
                let value = rd_kafka_ConfigEntry_value(entry), let limit = Int(String(cString: value))
            else { continue }
            byName.withLock { $0[name] = limit }
            return limit
        }
        return nil
    }

    /// Is a record of this size smaller than what its topic takes? False where the limit is not known.
    func isBelow(_ size: Int, _ topic: OpaquePointer?) -> Bool {
        guard let topic, let name = rd_kafka_topic_name(topic).map({ String(cString: $0) }) else { return false }
        guard let limit = byName.withLock({ $0[name] }) else { return false }
        return size + Self.overhead <= limit
    }
}
